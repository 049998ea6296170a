"""The SageMaker endpoint: model, configuration, endpoint, each named by its content.

SageMaker's models and configurations cannot be changed, only replaced, so their names change with what
they hold, and CloudFormation puts the new ones beside the old before the endpoint moves over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marfa.aws.names import HASH_DIGITS, Names
from marfa.aws.template import function
from marfa.aws.template.document import Resources, attribute, digest, resource
from marfa.settings import CloudSettings

_VARIANT = "live"
_STARTUP_SECONDS = 480


def resources(
    names: Names, settings: CloudSettings, image: str, archive: str, guard: Sequence[str]
) -> Resources:
    """Write the endpoint.

    Args:
        names: the deployment's names.
        settings: serverless or not, memory, machine.
        image: the container's address.
        archive: the s3:// address of model.tar.gz.
        guard: the lease, which must exist before the endpoint does.
    """
    assert guard or settings.target == "serverless", "an endpoint must not exist without its lease"
    model: dict[str, Any] = {
        "ExecutionRoleArn": names.role_arn("execution"),
        "PrimaryContainer": {
            "Image": image,
            "ModelDataUrl": archive,
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        },
        "Tags": names.tags,
    }
    model["ModelName"] = f"{names.one}-{digest(model, HASH_DIGITS)}"
    config: dict[str, Any] = {
        "ProductionVariants": [
            {
                "VariantName": _VARIANT,
                "ModelName": attribute("Model", "ModelName"),
                "InitialVariantWeight": 1.0,
                **_computing(settings),
            }
        ],
        "Tags": names.tags,
    }
    config["EndpointConfigName"] = f"{names.one}-{digest([model, config], HASH_DIGITS)}"
    return {
        "EndpointLog": function.log(names, names.endpoint_log, settings),
        "Model": resource("AWS::SageMaker::Model", model),
        "EndpointConfig": resource("AWS::SageMaker::EndpointConfig", config),
        "Endpoint": resource(
            "AWS::SageMaker::Endpoint",
            {
                "EndpointName": names.one,
                "EndpointConfigName": attribute("EndpointConfig", "EndpointConfigName"),
                "Tags": names.tags,
            },
            after=[*guard, "EndpointLog"],
        ),
    }


def _computing(settings: CloudSettings) -> dict[str, Any]:
    if settings.target == "serverless":
        return {
            "ServerlessConfig": {
                "MemorySizeInMB": settings.serverless_memory,
                "MaxConcurrency": settings.serverless_concurrency,
            }
        }
    return {
        "InstanceType": settings.instance_type,
        "InitialInstanceCount": 1,
        "ContainerStartupHealthCheckTimeoutInSeconds": _STARTUP_SECONDS,
    }
