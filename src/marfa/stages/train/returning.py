"""From a job that may still be at work to its model on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from marfa import files
from marfa.aws import downloads, following, leaving, price
from marfa.aws.bucket import Bucket
from marfa.aws.client import Cloud
from marfa.aws.following import Told
from marfa.aws.job_price import JobPrice
from marfa.aws.jobs import TRAINING, Job
from marfa.aws.names import Names
from marfa.console import Talk
from marfa.errors import BundleError, GoneError, JobError, MarfaError
from marfa.recipes import Settings
from marfa.stages.train import bringing

_TOLD = "told.json"
_OUTPUT = "output.tar.gz"


def bring(
    cloud: Cloud, names: Names, name: str, folder: Path, settings: Settings, talk: Talk
) -> dict[str, Any]:
    """Follow a job until it is over, and bring what it has made.

    Args:
        cloud: the account.
        names: the deployment's names.
        name: the job's.
        folder: where what it has made is put.
        settings: profile and work folder, for what is told to type.
        talk: whom to tell.

    Returns:
        What is known of the job and of its model.

    Raises:
        JobError: if it has ended without a model.
        BundleError: if its model is not whole.
        NetworkError: if the line fails for good; the same command goes on.
    """
    place = settings.cloud, settings.place.workdir
    attaching = leaving.attaching(name, names.region, *place)
    stopping = leaving.stopping(TRAINING, name, names.region, settings.cloud)
    try:
        job = following.follow(
            cloud, TRAINING, name, talk, _told(folder, name), _keep(folder, name)
        )
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or SIGTERM, of which the shell makes an exit
        talk.warn(f"the job goes on. To follow it again: {attaching}; to stop it: {stopping}")
        raise
    except GoneError:  # which does not go on
        raise
    except MarfaError as error:
        told = f"the job goes on: {attaching}; to stop it: {stopping}"
        error.hint = f"{error.hint}; {told}".removeprefix("; ")
        raise
    if job.status != "Completed":
        raise _unfinished(job)
    return _fetched(cloud, names, job, folder, talk)


def is_there(cloud: Cloud, job: Job) -> bool:
    """Say whether the model that a job has made is still in its bucket."""
    bucket, key = _address(job)
    if not key:
        return False
    try:
        Bucket(cloud, bucket).call("head_object", Key=key)
    except GoneError:
        return False
    return True


def _unfinished(job: Job) -> JobError:
    """Say why there is no model, and what to type."""
    again = "the same command begins a new job, which goes on from the checkpoints of this one"
    if job.status == "Failed":
        return JobError(following.reason(job), where=job.name, hint=again)
    if job.detail == "MaxRuntimeExceeded":
        limit = job.told.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 0)
        message = f"it has computed for its {limit / 60:g} minutes, and was not done"
        return JobError(message, where=job.name, hint=f"{again}; a longer --max-runtime")
    if job.detail == "MaxWaitTimeExceeded":
        message = "AWS had no machines to spare for long enough, within its longest time"
        return JobError(message, where=job.name, hint=f"{again}; a longer --max-wait, or --no-spot")
    return JobError("it was stopped before it was done", where=job.name, hint=again)


def _fetched(cloud: Cloud, names: Names, job: Job, folder: Path, talk: Talk) -> dict[str, Any]:
    name, (bucket, key) = job.name, _address(job)
    place = Bucket(cloud, bucket)
    archive = bringing.place(folder, bringing.MODEL)
    if not key or not downloads.fetch(place, key, archive, talk):
        message = "it is done, and its model is not in the bucket any more"
        raise JobError(message, where=name, hint="the same command begins a new job")
    try:
        found = bringing.model(folder, archive)
    except BundleError:
        _spoil(folder, name)
        raise
    output = bringing.place(folder, _OUTPUT)
    made = []
    if downloads.fetch(place, key.replace(bringing.MODEL, _OUTPUT), output, talk):
        made = bringing.results(folder, output)
    told = {
        "job": name,
        "region": names.region,
        "deployment": names.deployment,
        "on": "sagemaker",
        "model": found.model_id,
        **_spent(cloud, job),
        "sent": bringing.state(folder).get("sent", 0),
    }
    (folder / _TOLD).unlink(missing_ok=True)
    return bringing.write(folder, job.place.rstrip("/").rpartition("/")[2], made, told)


def _spent(cloud: Cloud, job: Job) -> dict[str, Any]:
    """Return what the job took, what is billed of it, and what that costs."""
    took = float(job.told.get("TrainingTimeInSeconds", 0))
    billed = job.seconds(cloud.now())
    cost = JobPrice(machine=job.machine, machines=job.machines, region=cloud.region).of(billed)
    saved = 1 - billed / took if took else 0.0
    return {
        "machine": job.machine,
        "machines": job.machines,
        "seconds": took,
        "billed_seconds": billed,
        "saved": round(max(saved, 0.0), 4),
        "cost": None if cost is None else float(cost.quantize(Decimal("0.000001"))),
        "cost_words": price.money(cost),
    }


def _address(job: Job) -> tuple[str, str]:
    """Return the bucket and the key of a job's model."""
    address = str(job.told.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""))
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _told(folder: Path, name: str) -> Told:
    """Return what has been printed of this job before, on this machine."""
    try:
        match files.read_json(folder / _TOLD):
            case {"job": str(job), "places": dict(places), "transitions": int(transitions)}:
                if job == name:
                    return Told({str(k): str(v) for k, v in places.items()}, transitions)
    except MarfaError:
        pass
    return Told()


def _keep(folder: Path, name: str) -> Any:
    def keep(told: Told) -> None:
        document: Mapping[str, Any] = {
            "job": name,
            "places": told.places,
            "transitions": told.transitions,
        }
        files.write_json(folder / _TOLD, document)

    return keep


def _spoil(folder: Path, name: str) -> None:
    """Note that a job's model is no good, so that the same command begins a new one."""
    known = bringing.state(folder)
    spoilt = sorted({*known.get("spoilt", []), name})
    files.write_json(folder / bringing.STATE, {**known, "spoilt": spoilt})
