"""What can be found wrong in seconds, before anything is sent or made.

Every check ends with a finding, whatever AWS answers; what could not be looked at is said to be so, and
stops nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from marfa.aws import images, known, permissions
from marfa.aws.client import Cloud
from marfa.aws.policies import Statement
from marfa.errors import (
    CloudError,
    GoneError,
    MarfaError,
    NotPermittedError,
    QuotaError,
    SettingsError,
)
from marfa.settings import CloudSettings
from marfa.settings.declare import nearest

UNRESERVED = 100
"""Copies that Lambda wants left for all functions without a reservation."""

STEP = 1024
"""Megabytes between one size of a serverless endpoint and the next."""

_NEEDED = ("cloudformation", "s3", "iam", "lambda", "apigatewayv2", "logs")
_SHOWN = 5
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Finding:
    """What one check has found.

    Attributes:
        what: what was looked at.
        found: what was found, in words.
        ok: whether it is as it should be.
        hint: what to do about it, preferably a command to type.
        blocking: whether it must be mended first, since the rest cannot succeed.
        kind: what it is as an error, if it is blocking.
    """

    what: str
    found: str
    ok: bool = True
    hint: str = ""
    blocking: bool = False
    kind: type[MarfaError] = CloudError

    @property
    def error(self) -> MarfaError:
        """Return it as an error."""
        return self.kind(self.found, where=self.what, hint=self.hint)

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        shown = ("what", "found", "ok", "hint", "blocking")
        return {name: getattr(self, name) for name in shown}


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
) -> Preflight:
    """Look at everything that can be looked at beforehand.

    Args:
        cloud: the account and region.
        settings: what is to be deployed.
        actions: what will be called, as actions or, better, as statements that say on what as well,
            since who may do something to some things only is not allowed it on everything.
        function: the function's name, whose own reservation is free to be made again.

    Returns:
        The findings; never an error of AWS's.
    """
    region = _region(cloud, settings)
    findings = [region, *_sizes(cloud, settings)]
    reservable = 0
    if region.blocking:  # nobody answers there
        return Preflight(findings, reservable)
    who = _credentials(cloud)
    findings.append(who)
    if who.ok:
        copies, reservable = _copies(cloud, settings, function)
        findings.append(copies)
        if settings.target == "endpoint":
            findings.append(_guarded("quota", lambda: _quota(cloud, settings)))
        if settings.target != "lambda":
            findings.append(_guarded("image", lambda: _image(cloud, settings)))
        findings.append(_guarded("permissions", lambda: _permissions(cloud, actions)))
    return Preflight(findings, reservable)


def _guarded(what: str, check: Callable[[], Finding]) -> Finding:
    """Turn a failure of a check into the finding that it could not be made."""
    try:
        return check()
    except SettingsError as error:
        return Finding(what, error.what, False, error.hint, True, SettingsError)
    except MarfaError as error:
        return _unchecked(what, error)


def _unchecked(what: str, why: MarfaError | str) -> Finding:
    reason = why if isinstance(why, str) else str(why)
    return Finding(what, f"could not be checked: {reason}", ok=False)


def _credentials(cloud: Cloud) -> Finding:
    try:
        return Finding("credentials", f"{cloud.caller}, account {cloud.account}")
    except MarfaError as error:
        return Finding("credentials", error.what, False, error.hint, True, type(error))


def _region(cloud: Cloud, settings: CloudSettings) -> Finding:
    needed = [*_NEEDED]
    if settings.target != "lambda":
        needed += ["sagemaker", "sagemaker-runtime"]
    if settings.target == "endpoint" or settings.lease.strip().lower() not in ("", "none"):
        needed.append("scheduler")
    if cloud.region not in known.regions():
        hint = (
            nearest(cloud.region, known.regions()) or "if it is a new one, a newer boto3 knows it"
        )
        message = f"{cloud.region} is no region that boto3 knows"
        return Finding("region", message, False, hint, True, SettingsError)
    absent = [service for service in needed if not cloud.offers(service)]
    if absent:
        message = f"as far as boto3 knows, {cloud.region} has no {', '.join(absent)}"
        hint = "choose another --region if it fails"
        return Finding("region", message, ok=False, hint=hint)
    return Finding("region", f"{cloud.region} has all that is needed")


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
        kind, types = settings.instance_type, known.choices(*known.INSTANCE_TYPES)
        if kind in types:
            yield Finding("instance type", kind)
        else:
            message = f"SageMaker has no {kind!r:.40} for endpoints"
            hint = nearest(kind, types) or "such as ml.t2.medium"
            yield Finding("instance type", message, False, hint, True, SettingsError)


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


def _quota(cloud: Cloud, settings: CloudSettings) -> Finding:
    wanted = f"{settings.instance_type} for endpoint usage"
    for page in cloud.pages("service-quotas", "list_service_quotas", ServiceCode="sagemaker"):
        for quota in page["Quotas"]:
            if quota["QuotaName"] == wanted:
                allowed = quota["Value"] >= 1
                message = f"{quota['Value']:g} {settings.instance_type} allowed"
                hint = (
                    "aws service-quotas request-service-quota-increase --service-code sagemaker "
                    f"--quota-code {quota['QuotaCode']} --desired-value 1 --region {cloud.region}"
                )
                return Finding(
                    "quota", message, allowed, "" if allowed else hint, not allowed, QuotaError
                )
    return _unchecked("quota", f"no quota is named {wanted!r}")


def _image(cloud: Cloud, settings: CloudSettings) -> Finding:
    address = images.address(settings.image, cloud.region, cloud.partition)
    account, region = images.registry(address)
    if region != cloud.region:
        message = f"SageMaker takes containers from ECR in {cloud.region} only, not {address}"
        hint = "push it there, and give that address"
        return Finding("image", message, False, hint, True, SettingsError)
    if account != cloud.account:
        return Finding("image", address)
    repository, _, version = address.partition("/")[2].partition("@")
    wanted = {"imageDigest": version}
    if not version:
        repository, _, tag = repository.partition(":")
        wanted = {"imageTag": tag or "latest"}
    try:
        cloud.call("ecr", "describe_images", repositoryName=repository, imageIds=[wanted])
    except GoneError as error:
        hint = f"docker push {address}"
        return Finding("image", f"{address}: {error.what}", False, hint, True, SettingsError)
    return Finding("image", f"{address} is there")


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


def _permissions(cloud: Cloud, actions: Sequence[str | Statement]) -> Finding:
    what, hint = "permissions", "ask for the rights that --policy prints"
    if permissions.is_root(cloud.caller):
        return Finding(what, "the account's own, which are all")
    principal = permissions.principal_of(cloud, cloud.caller)
    if not principal:
        return _unchecked(what, f"IAM cannot be asked about {cloud.caller}")
    forbidden, lacking = permissions.simulate(cloud, principal, actions)
    if forbidden:
        message = f"forbidden: {_listed(forbidden)}"
        return Finding(what, message, False, hint, True, NotPermittedError)
    if lacking:
        return Finding(what, f"not allowed, as it seems: {_listed(lacking)}", ok=False, hint=hint)
    return Finding(what, f"{principal} may do all that is needed")


def _listed(actions: list[str]) -> str:
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    return ", ".join(actions[:_SHOWN]) + more
