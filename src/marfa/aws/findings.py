"""What a look at an account has found, and the looks that deployments and jobs have in common.

Every look ends with a finding, whatever AWS answers; what could not be looked at is said to be so, and
stops nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from marfa.aws import images, known, permissions
from marfa.aws.client import Cloud
from marfa.aws.statements import Statement
from marfa.errors import (
    CloudError,
    GoneError,
    MarfaError,
    NotPermittedError,
    QuotaError,
    SettingsError,
)
from marfa.settings.declare import nearest

_SHOWN = 5


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


def guarded(what: str, check: Callable[[], Finding]) -> Finding:
    """Turn a failure of a check into the finding that it could not be made."""
    try:
        return check()
    except SettingsError as error:
        return Finding(what, error.what, False, error.hint, True, SettingsError)
    except MarfaError as error:
        return unchecked(what, error)


def unchecked(what: str, why: MarfaError | str) -> Finding:
    """Say that something could not be looked at, which stops nobody."""
    reason = why if isinstance(why, str) else str(why)
    return Finding(what, f"could not be checked: {reason}", ok=False)


def credentials(cloud: Cloud) -> Finding:
    """Ask whose credentials these are."""
    try:
        return Finding("credentials", f"{cloud.caller}, account {cloud.account}")
    except MarfaError as error:
        return Finding("credentials", error.what, False, error.hint, True, type(error))


def region(cloud: Cloud, needed: Sequence[str]) -> Finding:
    """Look whether a region is one, and has the services that are needed; asks nobody."""
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


def machine(kind: str, listed: tuple[str, str], use: str, usual: str) -> Finding:
    """Look whether SageMaker has a machine for a use; asks nobody.

    Args:
        kind: such as "ml.m5.xlarge".
        listed: the shape that lists the machines of this use.
        use: the use, in words.
        usual: one that it certainly has.
    """
    types = known.choices(*listed)
    if kind in types:
        return Finding("instance type", kind)
    message = f"SageMaker has no {kind!r:.40} for {use}"
    hint = nearest(kind, types) or f"such as {usual}"
    return Finding("instance type", message, False, hint, True, SettingsError)


def quota(cloud: Cloud, machine: str, use: str, wanted: int = 1, instead: str = "") -> Finding:
    """Ask how many machines the account may have for a use.

    Args:
        cloud: the account.
        machine: such as "ml.m5.xlarge".
        use: as Service Quotas calls it, such as "spot training job usage".
        wanted: how many are needed.
        instead: what else could be typed where there are too few.
    """
    name = f"{machine} for {use}"
    found = next(_quotas(cloud, name), None)
    if found is None:
        return unchecked("quota", f"no quota is named {name!r}")
    allowed = found["Value"] >= wanted
    hint = (
        "aws service-quotas request-service-quota-increase --service-code sagemaker "
        f"--quota-code {found['QuotaCode']} --desired-value {wanted} --region {cloud.region}"
    )
    hint += f"; or {instead}" if instead else ""
    message = f"{found['Value']:g} {machine} allowed for {use}"
    return Finding("quota", message, allowed, "" if allowed else hint, not allowed, QuotaError)


def _quotas(cloud: Cloud, name: str) -> Iterator[dict[str, Any]]:
    """Yield what the account is allowed; it lists only what was ever changed, so what all have, too."""
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in cloud.pages("service-quotas", operation, ServiceCode="sagemaker"):
            yield from (each for each in page["Quotas"] if each["QuotaName"] == name)


def image(cloud: Cloud, address: str) -> Finding:
    """Look whether SageMaker can take a container from where it is, and whether it is there."""
    account, where = images.registry(address)
    if where != cloud.region:
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


def permitted(cloud: Cloud, actions: Sequence[str | Statement]) -> Finding:
    """Ask IAM whether all these actions are allowed, as far as it tells."""
    what, hint = "permissions", "ask for the rights that --policy prints"
    if permissions.is_root(cloud.caller):
        return Finding(what, "the account's own, which are all")
    principal = permissions.principal_of(cloud, cloud.caller)
    if not principal:
        return unchecked(what, f"IAM cannot be asked about {cloud.caller}")
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
