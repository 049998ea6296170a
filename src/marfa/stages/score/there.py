"""Scoring on SageMaker: rows go up once, a transform job judges them, judgements come back in order."""

from __future__ import annotations

import contextlib
import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from marfa import bundle as bundles
from marfa.aws import (
    downloads,
    following,
    images,
    jobs,
    launch,
    leaving,
    logs,
    preflight,
    price,
    shipment,
    transform_job,
    uploads,
)
from marfa.aws.bucket import Bucket
from marfa.aws.channels import Channel
from marfa.aws.client import Cloud
from marfa.aws.following import Told
from marfa.aws.job_policies import asking
from marfa.aws.job_preflight import preflight as look_before
from marfa.aws.job_preflight import unasked
from marfa.aws.job_price import JobPrice
from marfa.aws.jobs import TRANSFORM, Job
from marfa.aws.names import Names, suggest
from marfa.aws.parcel import pack
from marfa.aws.transform_job import FILE, ROWS, Scoring
from marfa.console import Talk
from marfa.container.messages import DEFAULT_LIMITS
from marfa.data.rows import Row
from marfa.errors import DataError, GoneError, JobError, MarfaError
from marfa.loading import predictor
from marfa.settings import CloudSettings, JobSettings

_LEVEL = 6
_SHOWN = 10
"""Lines of a failed job's log that are told."""


@dataclass(frozen=True)
class Place:
    """Where scoring takes place.

    Attributes:
        job: the machine.
        cloud: region, container, deployment.
        workdir: where the measured speed of the line is kept.
    """

    job: JobSettings
    cloud: CloudSettings
    workdir: Path


def judge(
    model: Path, rows: Iterable[Row], target: Path, place: Place, talk: Talk, cloud: Cloud | None
) -> dict[str, Any]:
    """Let a transform job judge rows.

    Args:
        model: a model.tar.gz or a bundle folder.
        rows: the rows.
        target: where to put what comes back: a line for each row, in order.
        place: the machine and the account.
        talk: whom to tell.
        cloud: the account; made of the settings if not given.

    Returns:
        What the job took, and how many rows there were; nothing is begun where there are none.

    Raises:
        DataError: if a row is longer than a container takes.
        JobError: if the job fails or is stopped.
        CloudError: if AWS refuses.
        NetworkError: if the line fails; the same command goes on.
    """
    name = predictor(model, "numpy").name
    with tempfile.TemporaryDirectory(prefix="marfa-") as folder:
        packed = Path(folder) / FILE
        count = _pack(rows, packed)
        if not count:
            return {"rows": 0}
        cloud = cloud or Cloud(place.cloud.region, place.cloud.profile)
        # before anybody is asked who this is: a region that is none has nobody who would answer
        launch.refuse_blocking(unasked(cloud, TRANSFORM, place.job))
        deployment = place.cloud.deployment or suggest(name)
        names = Names(deployment, cloud.region, cloud.account, cloud.partition)
        image = images.address(place.cloud.image, cloud.region, cloud.partition)
        scoring = Scoring(
            model=pack("models", shipment.archived(bundles.load(model), model), ".tar.gz"),
            rows=Channel(ROWS, {FILE: packed}),
            image=preflight.pinned(cloud, image),
            settings=place.job,
        )
        found = _found(cloud, names, scoring, talk) or _begun(cloud, names, scoring, place, talk)
    job = _followed(cloud, names, found, place, talk)
    with contextlib.suppress(GoneError):
        model_name = transform_job.model_name(names, scoring)
        cloud.call("sagemaker", "delete_model", ModelName=model_name)
    if job.status != "Completed":
        raise _unfinished(cloud, job, talk)
    bucket = Bucket(cloud, launch.bucket_of(cloud, names))
    key = transform_job.result(bucket, scoring)
    if not key or not downloads.fetch(bucket, key, target, talk):
        message = "it is done, and what it has made is not in the bucket"
        raise JobError(message, where=job.name, hint="run the same command again")
    return {"rows": count, **_spent(cloud, names, job)}


def judgements(path: Path, count: int) -> Iterator[bytes]:
    """Yield the judgements that have come back, a line each, and make sure that none is missing.

    Args:
        path: what has come back.
        count: how many rows there were.

    Raises:
        DataError: if there are more or fewer.
    """
    found = 0
    if count:
        with open(path, "rb") as lines:
            for line in transform_job.judged(lines):
                found += 1
                yield line + b"\n"
    if found != count:
        message = f"{found} judgements came back for {count} rows"
        raise DataError(message, where=str(path), hint="run the same command again")


def _pack(rows: Iterable[Row], path: Path) -> int:
    """Write rows as JSON Lines, packed, and return how many there are."""
    count = 0
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:
        for row in rows:
            line = _line(row.text)
            if len(line) > DEFAULT_LIMITS.max_body_bytes:
                message = (
                    f"a text of {len(line):,} bytes; a container takes "
                    f"{DEFAULT_LIMITS.max_body_bytes:,} at most"
                )
                hint = "score it on this machine, without --on sagemaker"
                raise DataError(message, where=row.origin, hint=hint)
            packed.write(line)
            count += 1
    return count


def _line(text: str) -> bytes:
    document = {"text": text}
    try:
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a character, which JSON can write and UTF-8 cannot
        return json.dumps(document).encode() + b"\n"


def _found(cloud: Cloud, names: Names, scoring: Scoring, talk: Talk) -> str:
    """Return the job that judges the same already, or has; empty where there is none."""
    bucket = launch.bucket_of(cloud, names)
    if not bucket:
        return ""
    place = f"s3://{bucket}/{scoring.folder}"
    found = jobs.newest(cloud, TRANSFORM, names, scoring.hash, place)
    if found is None:
        return ""
    if found.status == "InProgress":
        talk.say(f"{found.name} judges this already; nothing else is begun")
        return found.name
    if found.status == "Completed" and transform_job.result(Bucket(cloud, bucket), scoring):
        talk.say(f"{found.name} has judged this already; what it has made is fetched")
        return found.name
    return ""


def _begun(cloud: Cloud, names: Names, scoring: Scoring, place: Place, talk: Talk) -> str:
    """Begin a job, and return its name."""
    line = launch.Line(place.workdir, place.cloud.max_kbps)
    launch.refuse(look_before(cloud, TRANSFORM, place.job, scoring.image, asking(names)), talk)
    if warning := images.warning(place.cloud.image, cloud.now().date()):
        talk.warn(warning)
    cost = JobPrice(machine=place.job.machine, region=cloud.region)
    absent = uploads.missing(cloud, launch.bucket_of(cloud, names), scoring.parcels)
    launch.tell(cloud, cost, absent, line, talk)
    bucket, _ = launch.prepare(cloud, names, scoring.parcels, line, talk)
    made = transform_job.model_request(names, scoring, bucket)
    launch.create(cloud, "create_model", made, lambda: True)  # its name says what it is made of
    name = jobs.name(names, scoring.hash, cloud.now())
    launch.create(
        cloud,
        "create_transform_job",
        transform_job.request(names, scoring, name=name, bucket=bucket),
        lambda: jobs.look(cloud, TRANSFORM, name).name == name,
    )
    talk.say(f"{name} has begun in {names.region}")
    return name


def _followed(cloud: Cloud, names: Names, name: str, place: Place, talk: Talk) -> Job:
    stopping = leaving.stopping(TRANSFORM, name, names.region, place.cloud)
    told = f"the job goes on; the same command fetches what it makes; to stop it: {stopping}"
    try:
        return following.follow(cloud, TRANSFORM, name, talk, Told(), log=False)
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or SIGTERM, of which the shell makes an exit
        talk.warn(told)
        raise
    except GoneError:  # which does not go on
        raise
    except MarfaError as error:
        error.hint = f"{error.hint}; {told}".removeprefix("; ")
        raise


def _unfinished(cloud: Cloud, job: Job, talk: Talk) -> JobError:
    if job.status == "Stopped":
        message = "it was stopped before it was done"
        return JobError(message, where=job.name, hint="the same command begins a new job")
    for line in list(logs.news(cloud, TRANSFORM.log, job.name, {}))[-_SHOWN:]:
        talk.say(line)
    hint = "the last lines of its log stand above; then the same command begins a new job"
    return JobError(following.reason(job), where=job.name, hint=hint)


def _spent(cloud: Cloud, names: Names, job: Job) -> dict[str, Any]:
    seconds = job.seconds(cloud.now())
    cost = JobPrice(machine=job.machine, region=cloud.region).of(seconds)
    return {
        "job": job.name,
        "region": names.region,
        "deployment": names.deployment,
        "machine": job.machine,
        "seconds": round(seconds),
        "cost": None if cost is None else float(cost.quantize(Decimal("0.000001"))),
        "cost_words": price.money(cost),
    }
