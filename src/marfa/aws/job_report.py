"""What `status` says of a deployment's jobs: all that are at work, and of each kind the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from marfa.aws import jobs, price
from marfa.aws.client import Cloud
from marfa.aws.inventory import tagged
from marfa.aws.job_price import SPOT_SHARE, JobPrice
from marfa.aws.jobs import Job
from marfa.aws.names import Names
from marfa.errors import GoneError


def reports(cloud: Cloud, names: Names) -> list[dict[str, Any]]:
    """Look at the jobs of a deployment.

    Args:
        cloud: the account.
        names: the deployment's names.

    Returns:
        A document for each, the newest first.
    """
    found = []
    for kind in jobs.KINDS:
        has_last = False
        for each in jobs.listed(cloud, kind, names):
            under_way = each["Status"] in jobs.UNDER_WAY
            if has_last and not under_way:
                continue
            if not tagged(cloud, names, each["Arn"]):
                continue
            has_last = has_last or not under_way
            try:
                found.append(_report(cloud, jobs.look(cloud, kind, each["Name"])))
            except GoneError:
                continue
    return found


def _report(cloud: Cloud, job: Job) -> dict[str, Any]:
    seconds = job.seconds(cloud.now())
    cost = JobPrice(machine=job.machine, machines=job.machines, region=cloud.region).of(seconds)
    spot = bool(job.told.get("EnableManagedSpotTraining"))
    if cost is not None and spot and job.under_way:  # what is billed of it is known in the end only
        cost *= SPOT_SHARE
    return {
        "job": job.name,
        "kind": job.kind.title,
        "status": job.status,
        "detail": job.detail,
        "machine": job.machine,
        "machines": job.machines,
        "spot": spot,
        "seconds": round(seconds),
        "cost": None if cost is None else float(cost),
        "at_work": job.under_way,
    }


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Say it, and how to go on.

    >>> told = {"job": "a", "kind": "training job", "status": "InProgress", "detail": "Training",
    ...         "machine": "ml.m5.large", "machines": 1, "spot": True, "seconds": 600, "cost": 0.007,
    ...         "at_work": True}
    >>> for line in lines(told):
    ...     print(line)
    ! training job a: Training, 1 ml.m5.large for 10 min, about $0.007 so far
      marfa train --attach a
    """
    cost = price.money(None if report["cost"] is None else Decimal(str(report["cost"])))
    machines = f"{report['machines']} {report['machine']}"
    title = f"{report['kind']} {report['job']}: {report['detail']}"
    spent = f"{machines} for {report['seconds'] / 60:.0f} min"
    if not report["at_work"]:
        yield f"{title}, {spent}, {cost}"
        return
    about = "about " if report["spot"] else ""
    yield f"! {title}, {spent}, {about}{cost} so far"
    if report["kind"] == jobs.TRAINING.title:
        yield f"  marfa train --attach {report['job']}"
