"""status: what is up and at work, until when, what it has cost, and what it costs an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from marfa.aws import job_report, lease, meter, names, price, stacks, versions
from marfa.aws.client import Cloud
from marfa.aws.meter import Endpoint
from marfa.aws.names import TAG, Names
from marfa.aws.stacks import Stack
from marfa.errors import GoneError
from marfa.settings import CloudSettings

_COUNTED = timedelta(days=455)
"""How far back requests are counted: CloudWatch keeps its sums for 15 months."""

_DAY_SECONDS = 86_400


def status(
    deployment: str = "", settings: CloudSettings | None = None, *, cloud: Cloud | None = None
) -> dict[str, Any]:
    """Look at one deployment, or at all of a region.

    Args:
        deployment: its name; all if empty.
        settings: region and profile.
        cloud: the account; made of the settings if not given.

    Returns:
        {"region", "deployments": [...]}, each with its state, address, version, lease and costs.

    Raises:
        GoneError: if there is none of this name.
        CloudError: if AWS refuses.
    """
    settings = settings or CloudSettings()
    if deployment:
        names.check(deployment)
    cloud = cloud or Cloud(settings.region, settings.profile)
    found: dict[str, dict[str, Stack]] = {}
    for stack in _stacks(cloud):
        found.setdefault(stack.tags[TAG], {})[stack.name] = stack
    if deployment and deployment not in found:
        message = f"there is no deployment named {deployment!r} in {cloud.region}"
        raise GoneError(message, hint="marfa status lists what there is; --region looks elsewhere")
    shown = [deployment] if deployment else sorted(found)
    return {
        "region": cloud.region,
        "deployments": [_one(cloud, name, found[name]) for name in shown],
    }


def _stacks(cloud: Cloud) -> Iterator[Stack]:
    """Yield the stacks of all deployments: those with the tag, under the names that go with it."""
    for page in cloud.pages("cloudformation", "describe_stacks"):
        for each in page["Stacks"]:
            stack = stacks.read(each)
            its = f"marfa-{stack.tags.get(TAG, '')}"
            if stack.name in {f"{its}-base", f"{its}-live"} and stack.status != "DELETE_COMPLETE":
                yield stack


def _one(cloud: Cloud, deployment: str, found: dict[str, Stack]) -> dict[str, Any]:
    its = Names(deployment, cloud.region, cloud.account, cloud.partition)
    base, live = found.get(its.base), found.get(its.live)
    document: dict[str, Any] = {
        "deployment": deployment,
        "state": live.status if live else "not live",
        "url": "",
        "site": "",
        "target": "",
        "model": "",
        "version": "",
        "checked": None,
        "lease_end": "",
        "hourly": 0.0,
        "cost": 0.0,
        "requests": 0,
        "jobs": job_report.reports(cloud, its),
        "told": [],
    }
    told = [line for job in document["jobs"] for line in job_report.lines(job)]
    if live is None:
        document["told"] = told or [
            f"only its bucket and roles are left; marfa destroy {deployment}"
        ]
        return document
    for key in ("Url", "Site", "Model", "Version"):
        document[key.lower()] = live.outputs.get(key, "")
    document["lease_end"] = live.parameters.get("LeaseEnd", "")
    bucket = base.outputs.get("Bucket", "") if base else ""
    if bucket and document["version"]:
        document["checked"] = versions.is_checked(cloud, bucket, document["version"])
    document |= _usage(cloud, its, live, meter.endpoint(cloud, its))
    document["told"] = [*_told(document, live, cloud.now(), bool(base)), *told]
    return document


def _usage(cloud: Cloud, its: Names, live: Stack, endpoint: Endpoint | None) -> dict[str, Any]:
    """Return what an hour costs, what has been asked, and what that and the hours have cost."""
    told = live.outputs.get("Target", "")
    target = told or (endpoint.target if endpoint else "")
    machine = endpoint.machine if endpoint else ""
    requests, milliseconds = _asked(cloud, its, live.created)
    cost: Decimal | None = None
    if target:
        cost = price.answered(_sized(live, target, endpoint), requests, milliseconds)
    hourly: Decimal | None = Decimal(0)
    up = None
    if endpoint is not None and (endpoint.target or told) != "serverless":
        up = max(cloud.now() - endpoint.created, timedelta(0))
        hourly, ran = price.ran(machine, timedelta(hours=1)), price.ran(machine, up)
        cost = None if ran is None or cost is None else cost + ran
    elif target == "endpoint":  # it is gone, and how long it ran nobody tells
        cost = None
    elif not (target or live.settled):  # there may be one in a moment
        hourly = None
    return {
        "target": target,
        "hourly": None if hourly is None else float(hourly),
        "cost": None if cost is None else float(cost),
        "requests": requests,
        "up_seconds": None if up is None else round(up.total_seconds()),
        "instance_type": machine,
    }


def _sized(live: Stack, target: str, endpoint: Endpoint | None) -> CloudSettings:
    """Read what decides the price of requests."""
    told, usual = live.outputs, CloudSettings()
    memory = endpoint.memory if endpoint else 0
    return CloudSettings(
        target=target,
        memory=int(told.get("Memory", usual.memory)),
        architecture=told.get("Architecture", usual.architecture),
        serverless_memory=memory or int(told.get("ServerlessMemory", usual.serverless_memory)),
    )


def _asked(cloud: Cloud, its: Names, created: datetime) -> tuple[int, float]:
    """Return how many requests there were, and how many milliseconds they took in all."""
    now = cloud.now()
    since = max(created, now - _COUNTED)
    if since >= now:  # made this very moment
        return 0, 0.0

    def total(metric: str) -> float:
        answer = cloud.call(
            "cloudwatch",
            "get_metric_statistics",
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": its.one}],
            StartTime=since,
            EndTime=now,
            Period=_DAY_SECONDS,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in answer["Datapoints"])

    return int(total("Invocations")), total("Duration")


def _told(document: dict[str, Any], live: Stack, now: datetime, has_base: bool) -> Iterator[str]:
    named = (f"{key} {document[key] or 'not known'}" for key in ("target", "version", "model"))
    yield ", ".join(named)
    ends = f"marfa destroy {document['deployment']} ends it"
    if live.status not in stacks.GOOD:
        yield f"! it is {live.status}; marfa deploy mends it, {ends}"
    if document["checked"] is False:
        yield "! its golden requests have not been asked yet; deploy again does that"
    if not has_base:
        yield "! its bucket and roles are gone; marfa destroy makes them again to delete the rest"
    runs = document["up_seconds"] is not None
    if runs and live.settled and document["target"] != "endpoint":
        yield f"! the endpoint of an earlier version is still there; {ends}"
    if document["lease_end"]:
        left = lease.left(now, lease.read(document["lease_end"]))
        yield f"lease: {left}, until {document['lease_end']}"
    elif runs:
        yield "! it bills by the hour and has no lease"
    yield _hour(document, runs=runs)
    cost = price.money(None if document["cost"] is None else Decimal(str(document["cost"])))
    since = f"in the last {_COUNTED.days} days" if now - live.created > _COUNTED else "so far"
    yield f"{document['requests']:,} requests {since}; cost so far: {cost}"


def _hour(document: dict[str, Any], *, runs: bool) -> str:
    """Say what an hour costs."""
    machine = document["instance_type"]
    if runs and document["hourly"] is not None:
        hours = document["up_seconds"] / 3600
        return f"{machine}: ${document['hourly']:g} an hour, up for {hours:.1f} h"
    if runs and machine:
        return f"! {machine} is paid by the hour, and its price is not known here"
    if runs:
        return "! its endpoint may be paid by the hour: of which machine it is, SageMaker does not tell"
    if document["hourly"] is None:
        return "! what an hour of it costs is not known before more of it is made"
    if document["target"] == "endpoint":
        return "its endpoint is gone: $0 an hour"
    return "while nobody asks: $0 an hour"
