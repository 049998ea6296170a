"""status: what is up and at work, until when, what it has cost, and what it costs an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from marfa.aws import job_report, lease, names, price, stacks, versions
from marfa.aws.client import Cloud
from marfa.aws.names import TAG, Names
from marfa.aws.stacks import Stack
from marfa.errors import GoneError
from marfa.settings import CloudSettings

_COUNTED = timedelta(days=30)
"""How far back requests are counted."""

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
    for key in ("Url", "Site", "Target", "Model", "Version"):
        document[key.lower()] = live.outputs.get(key, "")
    document["lease_end"] = live.parameters.get("LeaseEnd", "")
    bucket = base.outputs.get("Bucket", "") if base else ""
    if bucket and document["version"]:
        document["checked"] = versions.is_checked(cloud, bucket, document["version"])
    usage = _usage(cloud, its, live)
    document |= usage
    document["told"] = [*_told(document, usage, cloud.now(), bool(base)), *told]
    return document


def _usage(cloud: Cloud, its: Names, live: Stack) -> dict[str, Any]:
    """Return what an hour costs, what has been asked, and what that and the hours have cost."""
    sized = _sized(live)
    requests, milliseconds = _asked(cloud, its, live.created)
    cost: Decimal | None = price.answered(sized, requests, milliseconds)
    hourly: Decimal | None = Decimal(0)
    up = None
    if sized.target == "endpoint":
        up = _up(cloud, its)
        hourly = price.ran(sized.instance_type, timedelta(hours=1))
        ran = price.ran(sized.instance_type, up or timedelta(0))
        cost = None if ran is None or cost is None else cost + ran
    return {
        "hourly": None if hourly is None else float(hourly),
        "cost": None if cost is None else float(cost),
        "requests": requests,
        "up_seconds": None if up is None else round(up.total_seconds()),
        "instance_type": sized.instance_type if sized.target == "endpoint" else "",
    }


def _sized(live: Stack) -> CloudSettings:
    """Read what decides the price from what the stack tells of itself."""
    told, usual = live.outputs, CloudSettings()
    return CloudSettings(
        target=told.get("Target", usual.target),
        memory=int(told.get("Memory", usual.memory)),
        architecture=told.get("Architecture", usual.architecture),
        serverless_memory=int(told.get("ServerlessMemory", usual.serverless_memory)),
        instance_type=told.get("InstanceType", usual.instance_type),
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


def _up(cloud: Cloud, its: Names) -> timedelta | None:
    """Return how long the endpoint has been there; None where there is none."""
    try:
        found = cloud.call("sagemaker", "describe_endpoint", EndpointName=its.one)
    except GoneError:
        return None
    created: datetime = found["CreationTime"]
    return max(cloud.now() - created, timedelta(0))


def _told(
    document: dict[str, Any], usage: dict[str, Any], now: datetime, has_base: bool
) -> Iterator[str]:
    yield f"target {document['target']}, version {document['version']}, model {document['model']}"
    if document["checked"] is False:
        yield "! its golden requests have not been asked yet; deploy again does that"
    if not has_base:
        yield "! its bucket and roles are gone; marfa destroy makes them again to delete the rest"
    if document["lease_end"]:
        left = lease.left(now, lease.read(document["lease_end"]))
        yield f"lease: {left}, until {document['lease_end']}"
    elif usage["instance_type"]:
        yield "! it bills by the hour and has no lease"
    if usage["up_seconds"] is not None and usage["hourly"] is not None:
        hours = usage["up_seconds"] / 3600
        machine = usage["instance_type"]
        yield f"{machine}: ${usage['hourly']:g} an hour, up for {hours:.1f} h"
    elif usage["instance_type"] and usage["hourly"] is None:
        yield f"{usage['instance_type']} is paid by the hour, and its price is not known here"
    else:
        yield "while nobody asks: $0 an hour"
    cost = price.money(None if usage["cost"] is None else Decimal(str(usage["cost"])))
    days = _COUNTED.days
    yield f"{usage['requests']:,} requests in the last {days} days; cost so far: {cost}"
