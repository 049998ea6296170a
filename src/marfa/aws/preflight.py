"""What can be found wrong in seconds, before anything is sent or made.

Every check ends with a finding, whatever AWS answers; what could not be looked at is said to be so, and
stops nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from marfa.aws import images, known
from marfa.aws.client import Cloud
from marfa.aws.findings import (
    Finding,
    credentials,
    guarded,
    image,
    machine,
    permitted,
    quota,
    region,
)
from marfa.aws.statements import Statement
from marfa.errors import CloudError, GoneError, MarfaError, SettingsError
from marfa.settings import CloudSettings

UNRESERVED = 100
"""Copies that Lambda wants left for all functions without a reservation."""

STEP = 1024
"""Megabytes between one size of a serverless endpoint and the next."""

_NEEDED = ("cloudformation", "s3", "iam", "lambda", "apigatewayv2", "logs")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Preflight:
    """What all checks have found.

    Attributes:
        findings: one of each check.
        reservable: how many copies of the function may be reserved: as many as asked for, or 0.
    """

    findings: list[Finding]
    reservable: int

    @property
    def blocked(self) -> list[Finding]:
        """Return what must be mended first."""
        return [finding for finding in self.findings if finding.blocking]


def preflight(
    cloud: Cloud,
    settings: CloudSettings,
    actions: Sequence[str | Statement],
    function: str = "",
    *,
    beside: bool = False,
) -> Preflight:
    """Look at everything that can be looked at beforehand.

    Args:
        cloud: the account and region.
        settings: what is to be deployed.
        actions: what will be called, as actions or, better, as statements that say on what as well,
            since who may do something to some things only is not allowed it on everything.
        function: the function's name, whose own reservation is free to be made again.
        beside: an endpoint is up, and its successor will run beside it for some minutes.

    Returns:
        The findings; never an error of AWS's.
    """
    where = region(cloud, _needed(settings))
    findings = [where, *_sizes(cloud, settings)]
    reservable = 0
    if where.blocking:  # nobody answers there
        return Preflight(findings, reservable)
    who = credentials(cloud)
    findings.append(who)
    if who.ok:
        copies, reservable = _copies(cloud, settings, function)
        findings.append(copies)
        if settings.target == "endpoint":
            findings.append(guarded("quota", lambda: _machines(cloud, settings, beside=beside)))
        if settings.target != "lambda":
            findings.append(guarded("image", lambda: image(cloud, _address(cloud, settings))))
        findings.append(guarded("permissions", lambda: permitted(cloud, actions)))
    return Preflight(findings, reservable)


def _machines(cloud: Cloud, settings: CloudSettings, *, beside: bool) -> Finding:
    """Ask how many machines the account may have; an update needs one more, but only if it is one."""
    kind, use = settings.instance_type, "endpoint usage"
    found = quota(cloud, kind, use)
    if not beside or found.blocking:
        return found
    both = quota(cloud, kind, use, 2)
    if not both.blocking:
        return both
    message = f"{both.found}; another version needs 2, for the minutes of the change"
    return replace(both, found=message, blocking=False)


def _needed(settings: CloudSettings) -> list[str]:
    needed = [*_NEEDED]
    if settings.target != "lambda":
        needed += ["sagemaker", "sagemaker-runtime"]
    if settings.target == "endpoint" or settings.lease.strip().lower() not in ("", "none"):
        needed.append("scheduler")
    return needed


def _address(cloud: Cloud, settings: CloudSettings) -> str:
    return images.address(settings.image, cloud.region, cloud.partition)


def _sizes(cloud: Cloud, settings: CloudSettings) -> Iterator[Finding]:
    if settings.site and cloud.partition != "aws":
        message = f"the page on CloudFront is made for AWS's own partition, not {cloud.partition}"
        yield Finding("site", message, False, "leave --site out", True, SettingsError)
    origins = [each.strip() for each in settings.allow_origin.split(",") if each.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin) and origins != ["*"]:
            message = (
                f"{origin!r:.60} is no origin; expected * alone, or such as https://example.org"
            )
            yield Finding("allow-origin", message, False, "", True, SettingsError)
    if settings.target == "serverless":
        memory = settings.serverless_memory
        below = memory - memory % STEP
        yield Finding(
            "serverless memory",
            f"{memory} MB{'' if memory == below else f' is no multiple of {STEP}'}",
            ok=memory == below,
            hint="" if memory == below else f"--serverless-memory {below} or {below + STEP}",
            blocking=memory != below,
            kind=SettingsError,
        )
    if settings.target == "endpoint":
        yield machine(settings.instance_type, known.INSTANCE_TYPES, "endpoints", "ml.t2.medium")
        if images.is_of_another_processor(settings.image, settings.instance_type):
            message = (
                f"{settings.instance_type} has an ARM processor, and {settings.image!r} is made for "
                "x86, as far as is known here: it would never answer"
            )
            hint = "a type without a g after its number, or an --image of your own"
            yield Finding("processor", message, ok=False, hint=hint)


def _copies(cloud: Cloud, settings: CloudSettings, function: str) -> tuple[Finding, int]:
    """Find out how many copies of the function may be reserved: new accounts may reserve none."""
    what, wanted = "reserved copies", settings.concurrency
    if not wanted:
        return Finding(what, "none wanted"), 0
    try:
        held = _held(cloud, function)
        limit = cloud.call("lambda", "get_account_settings")["AccountLimit"]
    except MarfaError as error:
        # to go on without would be another deployment than the one that was asked for
        hint = f"{error.hint}; or --concurrency 0, which goes without a bound"
        return Finding(what, str(error), False, hint.lstrip("; "), True, type(error)), 0
    free, whole = limit["UnreservedConcurrentExecutions"] + held, limit["ConcurrentExecutions"]
    if free - wanted >= UNRESERVED:
        return Finding(what, f"{wanted} of the {free:,} that are free"), wanted
    message = (
        f"{wanted} cannot be reserved: of the account's {whole:,} copies {free:,} are free, and "
        f"{UNRESERVED} must stay so; none is reserved, and the account's limit is the bound"
    )
    hint = "Service Quotas raises 'Concurrent executions' of Lambda on request"
    return Finding(what, message, ok=False, hint=hint), 0


def _held(cloud: Cloud, function: str) -> int:
    """Return how many copies an earlier version has reserved."""
    if not function:
        return 0
    try:
        found = cloud.call("lambda", "get_function_concurrency", FunctionName=function)
    except GoneError:
        return 0
    return int(found.get("ReservedConcurrentExecutions", 0))


def pinned(cloud: Cloud, address: str) -> str:
    """Return an own image's address with its digest, so that another one of the same tag is another.

    Args:
        cloud: the account and region.
        address: the container's address.

    Returns:
        The address as it is where it is not in the account's own registry, or cannot be looked at.
    """
    account, region = images.registry(address)
    where, _, rest = address.partition("/")
    if (account, region) != (cloud.account, cloud.region) or "@" in rest:
        return address
    repository, _, tag = rest.partition(":")
    wanted = [{"imageTag": tag or "latest"}]
    try:
        found = cloud.call("ecr", "describe_images", repositoryName=repository, imageIds=wanted)
        return f"{where}/{repository}@{found['imageDetails'][0]['imageDigest']}"
    except (CloudError, KeyError, IndexError):
        return address
