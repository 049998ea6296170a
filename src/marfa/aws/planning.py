"""What a deployment will be, before anything of it is: names, parcels, templates, bytes and cents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from marfa import bundle as bundles
from marfa import loading
from marfa.aws import (
    findings,
    images,
    lease,
    pace,
    policies,
    preflight,
    price,
    releases,
    shipment,
    stacks,
    uploads,
)
from marfa.aws.client import Cloud
from marfa.aws.findings import Finding
from marfa.aws.names import Names, suggest
from marfa.aws.pace import Pace
from marfa.aws.parcel import Parcel
from marfa.aws.preflight import Preflight
from marfa.aws.price import Estimate
from marfa.aws.stacks import Stack
from marfa.aws.template import base
from marfa.aws.template.live import Live
from marfa.bundle import Bundle
from marfa.console import Talk
from marfa.errors import CloudError, CredentialsError
from marfa.predictor import Predictor
from marfa.settings import CloudSettings
from marfa.writer import Writer

_NOBODY = "000000000000"
"""Stands for the account in a plan that is made without credentials."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What is known before AWS has been asked.

    Attributes:
        names: what everything will be called.
        settings: what was asked for.
        bundle: the model's.
        model: the model, on the reference engine.
        archive: the model.tar.gz, or the bundle's folder.
        workdir: where wheels and the measured speed of the line are kept.
        image: address of the endpoint's container; empty for the target lambda.
        lease: how long it may live; None for no end.
    """

    names: Names
    settings: CloudSettings
    bundle: Bundle
    model: Predictor | Writer
    archive: Path
    workdir: Path
    image: str
    lease: timedelta | None

    @property
    def is_nobodys(self) -> bool:
        """Return whether no account is known, so that another number stands for its own."""
        return self.names.account == _NOBODY


def draft(
    model: str | Path, settings: CloudSettings, cloud: Cloud, workdir: Path, *, looking: bool
) -> Draft:
    """Find out what can be found out on this machine.

    Args:
        model: a model.tar.gz or a bundle folder.
        settings: what is asked for.
        cloud: the account.
        workdir: the work folder.
        looking: nothing will be made, so that it may be done without credentials.

    Raises:
        BundleError: if the model is incomplete or altered.
        SettingsError: if name, lease, or image cannot be used.
        CredentialsError: if AWS does not know who asks.
    """
    if (where := findings.region(cloud, ())).blocking:  # who asks there is told of their line only
        raise where.error
    bundle = bundles.load(Path(model))
    loaded = loading.of(bundle, "numpy")
    try:
        account = cloud.account
    except CredentialsError:
        if not looking:
            raise
        account = _NOBODY
    names = Names(
        settings.deployment or suggest(loaded.name), cloud.region, account, cloud.partition
    )
    image = ""
    if settings.target != "lambda":
        image = images.address(settings.image, cloud.region, cloud.partition)
        image = preflight.pinned(cloud, image) if account != _NOBODY else image
    return Draft(
        names=names,
        settings=settings,
        bundle=bundle,
        model=loaded,
        archive=Path(model),
        workdir=workdir,
        image=image,
        lease=lease.of(settings.lease, settings.target),
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a deployment will be.

    Attributes:
        draft: what was known before AWS was asked.
        parcels: what must be in the bucket.
        absent: what of it is not there yet.
        checks: what was looked at before anything is sent.
        now: when.
        pace: how fast the line is.
        up: what is live now.
        bucket: the bucket, where there is one already.
    """

    draft: Draft
    parcels: list[Parcel]
    absent: list[Parcel]
    checks: Preflight
    now: datetime
    pace: Pace
    up: Stack | None
    bucket: str

    @property
    def names(self) -> Names:
        """Return what everything will be called."""
        return self.draft.names

    @property
    def settings(self) -> CloudSettings:
        """Return what was asked for."""
        return self.draft.settings

    @property
    def bundle(self) -> Bundle:
        """Return the model's bundle."""
        return self.draft.bundle

    @property
    def workdir(self) -> Path:
        """Return the work folder."""
        return self.draft.workdir

    @property
    def may_be_rounded(self) -> bool:
        """Return whether what answers may use eight-bit weights, as a container of one's own does."""
        return self.settings.target != "lambda" and self.settings.image not in images.IMAGES

    @property
    def leased(self) -> bool:
        """Return whether there will be a lease; a running one is not lost for not being asked for."""
        running = self.up is not None and releases.running_end(self.up) is not None
        return self.draft.lease is not None or (running and not self.settings.lease)

    def end(self, before: Stack | None, now: datetime) -> datetime | None:
        """Return when the lease will end; a running one goes on if none is asked for."""
        if not self.leased:
            return None
        if self.settings.lease and self.draft.lease is not None:
            return lease.end(now, self.draft.lease)
        return releases.next_end(now, before)

    def live(self, bucket: str) -> Live:
        """Return the live stack, its parcels in a bucket."""
        keys = {parcel.key.partition("/")[0]: parcel.key for parcel in self.parcels}
        page = next((k for k in (p.key for p in self.parcels) if k.startswith(base.SITE)), "")
        return Live(
            names=self.names,
            settings=self.settings,
            model=self.bundle.model_id,
            bucket=bucket,
            code=keys["code"],
            layer=keys.get("layers", ""),
            archive=keys.get("models", ""),
            image=self.draft.image,
            page="/".join(page.split("/")[:2]),
            reserved=self.checks.reservable if self.settings.concurrency else 0,
            leased=self.leased,
        )

    @property
    def hindrances(self) -> list[Finding]:
        """Return what keeps it from being deployed; an account is not needed for a plan."""
        found = self.checks.blocked
        return [each for each in found if not issubclass(each.kind, CredentialsError)]

    def refuse_blocked(self) -> None:
        """Refuse to begin what cannot succeed.

        Raises:
            MarfaError: of the kind that fits, with what is wrong and what to type.
        """
        for finding in self.checks.blocked:
            raise finding.error

    def told(self) -> Iterator[str]:
        """Yield what a person should know before it begins."""
        for finding in self.checks.findings:
            if not finding.ok:
                hint = f" ({finding.hint})" if finding.hint else ""
                yield f"! {finding.what}: {finding.found}{hint}"
        if self.settings.target != "lambda":
            warning = images.warning(self.settings.image, self.now.date())
            yield from [f"! {warning}"] if warning else []
        size = sum(parcel.size for parcel in self.absent)
        there = sum(parcel.size for parcel in self.parcels) - size
        yield f"to send: {size:,} bytes, {self.pace.words(size)}; {there:,} are there already"
        yield from self.estimate.lines()
        end = self.end(self.up, self.now)
        if end:
            left = lease.left(self.now, end)
            yield f"lease: until {lease.stamp(end)} ({left}), then all that answers is deleted"
        if self.hindrances:
            yield "! this cannot be deployed as it is"

    @property
    def estimate(self) -> Estimate:
        """Return what it will cost, until the end that will hold."""
        task, region = self.draft.model.task, self.names.region
        end = self.end(self.up, self.now)
        return price.estimate(self.settings, task, end - self.now if end else None, region)

    def document(self) -> dict[str, Any]:
        """Return the plan as a document."""
        live = self.live(self.bucket or f"{self.names.base}-bucket-xxxxxxxxxxxx")
        roots = base.build(self.names)
        made = [
            {"stack": stack, "name": name, "type": one["Type"]}
            for stack, written in ((self.names.base, roots), (self.names.live, live.build()))
            for name, one in written["Resources"].items()
        ]
        size = sum(parcel.size for parcel in self.absent)
        end = self.end(self.up, self.now)
        return {
            "deployment": self.names.deployment,
            "region": self.names.region,
            "account": "" if self.draft.is_nobodys else self.names.account,
            "target": self.settings.target,
            "model": self.bundle.model_id,
            "version": live.version if self.bucket else "",  # which the bucket's name is part of
            "replaces": self.up.outputs.get("Version", "") if self.up else "",
            "resources": made,
            "parcels": [
                {"key": one.key, "bytes": one.size, "there": one not in self.absent}
                for one in self.parcels
            ],
            "bytes": size,
            "seconds": round(pace.estimate(size, self.pace.kbps), 1),
            "kbps": self.pace.kbps,
            "measured": self.pace.measured,
            "lease_end": lease.stamp(end) if end else "",
            "price": self.estimate.document(),
            "told": list(self.told()),
            "exit_code": self.hindrances[0].error.exit_code if self.hindrances else 0,
            "checks": [finding.document() for finding in self.checks.findings],
            "templates": {self.names.base: roots, self.names.live: live.build()},
        }


def complete(made: Draft, cloud: Cloud, talk: Talk, *, sending: bool) -> Plan:
    """Find out the rest: what AWS has already, and whether it would allow it.

    Args:
        made: the draft.
        cloud: the account.
        talk: whom to tell.
        sending: it will be sent, so that what is not on this machine yet has to be fetched.
    """
    parcels = shipment.build(
        made.bundle,
        made.model,
        made.archive,
        made.settings,
        made.workdir,
        talk,
        looking=not sending,
    )
    up = root = None
    if not made.is_nobodys:
        up = stacks.find(cloud, made.names, made.names.live)
        root = stacks.find(cloud, made.names, made.names.base)
    bucket = root.outputs.get("Bucket", "") if root else ""
    absent = uploads.missing(cloud, bucket, parcels) if bucket else list(parcels)
    checks = preflight.preflight(
        cloud,
        made.settings,
        policies.deployer(
            made.names, target=made.settings.target, site=made.settings.site, jobs=False
        ),
        made.names.one,
        beside=up is not None and up.outputs.get("Target") == "endpoint",
    )
    checks.findings.extend(_turned(made, up))
    return Plan(
        draft=made,
        parcels=parcels,
        absent=absent,
        checks=checks,
        now=cloud.now(),
        pace=pace.recall(made.workdir, made.settings.max_kbps),
        up=up,
        bucket=bucket,
    )


def _turned(made: Draft, up: Stack | None) -> Iterator[Finding]:
    """Look whether what is up can be turned into what is asked for."""
    if up is None or up.status not in stacks.GOOD:
        return
    try:
        releases.refuse_turn(made.names, up.outputs.get("Target", ""), made.settings.target)
    except CloudError as error:
        yield Finding("target", error.what, ok=False, hint=error.hint, blocking=True)
