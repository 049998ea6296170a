"""The way told step by step: what happens here, what on AWS, what it costs, where it is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marfa.rehearsal.formation import Resource


@dataclass(frozen=True, kw_only=True)
class Line:
    """One resource.

    Attributes:
        name: its name in the template.
        kind: its type, such as "AWS::S3::Bucket".
        does: what AWS does with it.
        console: where it is seen.
    """

    name: str
    kind: str
    does: str
    console: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the way.

    Attributes:
        number: from 1.
        title: what it is.
        here: what was done on this machine.
        aws: what AWS does.
        costs: what that costs.
        console: where it is seen there.
        resources: what is made, one by one.
        seconds: how long it took here.
    """

    number: int
    title: str
    here: Sequence[str] = ()
    aws: Sequence[str] = ()
    costs: str = ""
    console: str = ""
    resources: Sequence[Line] = field(default=())
    seconds: float = 0.0


Tell = Callable[[Step], None]


class Story:
    """Numbers the steps, and tells them as they come.

    Args:
        tell: told each step.
        clock: tells the seconds.

    Attributes:
        steps: those that were told.
    """

    def __init__(self, tell: Tell, clock: Callable[[], float]) -> None:
        self._tell, self._clock = tell, clock
        self._began = clock()
        self.steps: list[Step] = []

    def step(
        self,
        title: str,
        *,
        here: Sequence[str] = (),
        aws: Sequence[str] = (),
        costs: str = "$0",
        console: str = "",
        resources: Sequence[Line] = (),
    ) -> None:
        """Tell a step that has just been done."""
        now = self._clock()
        told = Step(
            number=len(self.steps) + 1,
            title=title,
            here=here,
            aws=aws,
            costs=costs,
            console=console,
            resources=resources,
            seconds=round(now - self._began, 2),
        )
        self._began = now
        self.steps.append(told)
        self._tell(told)


def line(resource: Resource) -> Line:
    """Say of a resource what AWS does with it, and where it is seen."""
    said = _SAID[resource.kind]
    does = said.does if isinstance(said.does, str) else said.does(resource.properties)
    return Line(
        name=resource.logical,
        kind=resource.kind,
        does=does,
        console=said.console.format(name=resource.name),
    )


@dataclass(frozen=True)
class _Said:
    does: str | Callable[[Mapping[str, Any]], str]
    console: str


def _role(role: Mapping[str, Any]) -> str:
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    taker = str(_first(_first(trust)["Principal"]["Service"])).partition(".")[0]
    actions = [
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
    ]
    few = ", ".join(actions) if len(actions) <= 2 else f"{len(actions)} actions by name, none by *"
    return f"a role that {taker} takes: {few}"


def _function(function: Mapping[str, Any]) -> str:
    size = f"{function['MemorySize']} MB, {function['Timeout']} s at most"
    return f"unpacks the zip: {function['Runtime']} on {_first(function['Architectures'])}, {size}"


def _stage(stage: Mapping[str, Any]) -> str:
    limits = stage["DefaultRouteSettings"]
    rate, burst = limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]
    return f"opens the address: {rate} requests a second, {burst} at once; more are answered 429"


def _variant(config: Mapping[str, Any]) -> str:
    variant = _first(config["ProductionVariants"])
    if "ServerlessConfig" in variant:
        sized = variant["ServerlessConfig"]
        return (
            f"{sized['MemorySizeInMB']} MB, {sized['MaxConcurrency']} requests at once; no machine"
        )
    return f"{variant['InitialInstanceCount']} machine, {variant['InstanceType']}"


def _log(log: Mapping[str, Any]) -> str:
    return f"keeps what is printed, {log['RetentionInDays']} days"


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


_SAID = {
    "AWS::S3::Bucket": _Said("a bucket, private and encrypted", "S3 > Buckets > {name}"),
    "AWS::S3::BucketPolicy": _Said(
        "refuses whoever comes without TLS", "S3 > Buckets > Permissions"
    ),
    "AWS::IAM::Role": _Said(_role, "IAM > Roles > {name}"),
    "AWS::Logs::LogGroup": _Said(_log, "CloudWatch > Log groups > {name}"),
    "AWS::Lambda::LayerVersion": _Said("numpy, unpacked beside the function", "Lambda > Layers"),
    "AWS::Lambda::Function": _Said(_function, "Lambda > Functions > {name}"),
    "AWS::Lambda::Permission": _Said(
        "lets this one API call the function", "Lambda > Functions > Configuration > Permissions"
    ),
    "AWS::ApiGatewayV2::Api": _Said("an HTTP API, with an address", "API Gateway > APIs > {name}"),
    "AWS::ApiGatewayV2::Integration": _Said(
        "hands each request to the function as an event (payload 2.0)",
        "API Gateway > APIs > Integrations",
    ),
    "AWS::ApiGatewayV2::Route": _Said("sends every path there", "API Gateway > APIs > Routes"),
    "AWS::ApiGatewayV2::Stage": _Said(_stage, "API Gateway > APIs > Stages"),
    "AWS::Scheduler::Schedule": _Said(
        "the lease: deletes this stack when it ends, whatever the laptop does",
        "EventBridge > Schedules",
    ),
    "AWS::SageMaker::Model": _Said(
        "notes the container's image and where model.tar.gz is", "SageMaker > Models > {name}"
    ),
    "AWS::SageMaker::EndpointConfig": _Said(_variant, "SageMaker > Endpoint configurations"),
    "AWS::SageMaker::Endpoint": _Said(
        "starts the container, unpacks the model to /opt/ml/model, asks GET /ping until it says 200",
        "SageMaker > Endpoints > {name}",
    ),
    "AWS::CloudFront::OriginAccessControl": _Said(
        "lets CloudFront read the page's files", "CloudFront > Origin access"
    ),
    "AWS::CloudFront::Distribution": _Said(
        "keeps the page near its readers; takes minutes", "CloudFront > Distributions"
    ),
}
"""What is said of each type that a template of marfa's can have."""
