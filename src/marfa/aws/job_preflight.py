"""What can be found wrong with a job in seconds, before anything is sent or made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from marfa.aws import known
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
from marfa.aws.jobs import TRAINING, Kind
from marfa.aws.statements import Statement
from marfa.errors import SettingsError
from marfa.settings import JobSettings

_NEEDED = ("cloudformation", "s3", "iam", "logs", "sagemaker")
_USUAL = "ml.m5.large"


def unasked(cloud: Cloud, kind: Kind, settings: JobSettings) -> list[Finding]:
    """Look at what boto3 knows by itself, for which neither credentials nor a line are needed.

    Args:
        cloud: the account and region.
        kind: which kind of job.
        settings: its machines.

    Returns:
        The findings.
    """
    listed = known.TRAINING_TYPES if kind is TRAINING else known.TRANSFORM_TYPES
    return [place(cloud), machine(settings.machine, listed, f"{kind.title}s", _USUAL)]


def place(cloud: Cloud) -> Finding:
    """Look whether a job can be in a region; asks nobody."""
    where = region(cloud, _NEEDED)
    if where.ok:
        return where
    # without SageMaker there is no job, whatever else there is
    hint = where.hint.replace(" if it fails", "")
    return replace(where, blocking=True, kind=SettingsError, hint=hint)


def preflight(
    cloud: Cloud,
    kind: Kind,
    settings: JobSettings,
    address: str,
    actions: Sequence[Statement],
) -> list[Finding]:
    """Look at everything that can be looked at beforehand.

    Args:
        cloud: the account and region.
        kind: which kind of job.
        settings: its machines.
        address: of its container.
        actions: what will be called, and on what.

    Returns:
        The findings; never an error of AWS's.
    """
    findings = unasked(cloud, kind, settings)
    if findings[0].blocking:  # nobody answers there
        return findings
    who = credentials(cloud)
    findings.append(who)
    if who.ok:
        findings.append(guarded("quota", lambda: _quota(cloud, kind, settings)))
        findings.append(guarded("image", lambda: image(cloud, address)))
        findings.append(guarded("permissions", lambda: permitted(cloud, actions)))
    return findings


def _quota(cloud: Cloud, kind: Kind, settings: JobSettings) -> Finding:
    """Ask how many machines the account may have: new accounts often may have no spot machines."""
    if kind is not TRAINING:
        return quota(cloud, settings.machine, "transform job usage", 1, "another --machine")
    instead = "--no-spot, or another --machine" if settings.spot else "another --machine"
    use = "spot training job usage" if settings.spot else "training job usage"
    return quota(cloud, settings.machine, use, settings.machines, instead)
