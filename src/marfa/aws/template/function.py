"""The Lambda function: the model itself, or what stands before an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marfa.aws.names import Names
from marfa.aws.template.document import Resources, ref, resource
from marfa.settings import CloudSettings

RUNTIME = "python3.13"
TIMEOUT_SECONDS = 25
"""Less than the 30 s after which API Gateway gives up, so that the function can still say why."""

_PROXY_MEMORY = 256

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""For the small products of one text, more threads than one wait for each other: a text of 200
characters took 360 to 920 ms with two of them on two busy cores, 55 to 90 ms with one."""

_LAYER = "{{{{resolve:ssm:/aws/service/aws-sdk-pandas/{version}/py3.13/{architecture}/layer-arn}}}}"
PANDAS_VERSION = "3.16.1"
"""Of AWS's public layer with numpy (aws-sdk-pandas.readthedocs.io, "Managed layers")."""

_KEPT_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)


def days(wanted: int) -> int:
    """Return the shortest time that CloudWatch offers and that is no shorter than wanted.

    >>> days(14), days(15), days(3653)
    (14, 30, 3653)
    """
    return next(offered for offered in _KEPT_DAYS if offered >= wanted)


def log(names: Names, group: str, settings: CloudSettings) -> dict[str, Any]:
    """Write a log group whose lines go away by themselves."""
    return resource(
        "AWS::Logs::LogGroup",
        {
            "LogGroupName": group,
            "RetentionInDays": days(settings.log_days),
            "Tags": names.tags,
        },
    )


def answering(
    names: Names,
    settings: CloudSettings,
    bucket: str,
    code: str,
    layer: str,
    reserved: int,
    told: Mapping[str, Any],
) -> Resources:
    """Write the function that holds the model.

    Args:
        names: the deployment's names.
        settings: memory, processor, where numpy comes from.
        bucket: where the zips are.
        code: key of the function's zip.
        layer: key of the numpy layer's zip; empty for AWS's public layer.
        reserved: copies reserved; 0 for no reservation.
        told: further variables of its environment.
    """
    made: Resources = {}
    public = _LAYER.format(version=PANDAS_VERSION, architecture=settings.architecture)
    layers: list[Any] = [public]
    if layer:
        layers = [ref("Numpy")]
        made["Numpy"] = resource(
            "AWS::Lambda::LayerVersion",
            {
                "LayerName": names.layer,
                "Description": names.mark,
                "Content": {"S3Bucket": bucket, "S3Key": layer},
                "CompatibleRuntimes": [RUNTIME],
                "CompatibleArchitectures": [settings.architecture],
            },
        )
    return made | _function(
        names,
        settings,
        "answer",
        {
            "Handler": "marfa.container.function.handler",
            "Code": {"S3Bucket": bucket, "S3Key": code},
            "MemorySize": settings.memory,
            "Layers": layers,
            "Environment": {"Variables": {**_ONE_THREAD, **told}},
        },
        reserved,
    )


def forwarding(
    names: Names,
    settings: CloudSettings,
    bucket: str,
    code: str,
    reserved: int,
    told: Mapping[str, Any],
) -> Resources:
    """Write the function in front of an endpoint."""
    return _function(
        names,
        settings,
        "proxy",
        {
            "Handler": "marfa.proxy.handler.handler",
            "Code": {"S3Bucket": bucket, "S3Key": code},
            "MemorySize": _PROXY_MEMORY,
            "Environment": {"Variables": {"MARFA_ENDPOINT": names.one, **told}},
        },
        reserved,
        # an address that is live already is not handed to an endpoint that is still being made
        after=["Endpoint"],
    )


def _function(
    names: Names,
    settings: CloudSettings,
    who: str,
    own: dict[str, Any],
    reserved: int,
    after: Sequence[str] = (),
) -> Resources:
    return {
        "FunctionLog": log(names, names.function_log, settings),
        "Function": resource(
            "AWS::Lambda::Function",
            {
                "FunctionName": names.one,
                "Description": names.mark,
                "Runtime": RUNTIME,
                "Architectures": [settings.architecture],
                "Role": names.role_arn(who),
                "Timeout": TIMEOUT_SECONDS,
                "ReservedConcurrentExecutions": reserved or None,
                "Tags": names.tags,
                **own,
            },
            after=["FunctionLog", *after],
        ),
    }
