"""Training on SageMaker: a job is found or made, followed, and what it has made is brought home.

AWS runs the job; this machine only looks. So whatever happens here, the same command finds the job again
by the hash of what it computes, and a job that was stopped is gone on with by a new one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marfa import files, record
from marfa.aws import following, images, jobs, launch, training_job, uploads
from marfa.aws.client import Cloud
from marfa.aws.following import Told
from marfa.aws.job_policies import asking
from marfa.aws.job_preflight import place as look_at_place
from marfa.aws.job_preflight import preflight, unasked
from marfa.aws.job_price import JobPrice
from marfa.aws.jobs import TRAINING
from marfa.aws.names import Names, suggest
from marfa.aws.training_job import LOCAL, Job
from marfa.console import Talk
from marfa.errors import GoneError, SettingsError
from marfa.recipes import Settings, job_folder_of
from marfa.stages.train import bringing, rehearsed, returning, work


def train(settings: Settings, talk: Talk, cloud: Cloud | None) -> dict[str, Any]:
    """Do what `train` says, on SageMaker.

    Args:
        settings: of the run.
        talk: whom to tell.
        cloud: the account; made of the settings if not given.

    Returns:
        What is known of the job and of its model.
    """
    if settings.job.machine == LOCAL:
        rehearsed.check(settings.job)
    folder, job = settings.job_folder, work.job(settings)
    training_job.wait(job.settings)  # a time that is none is refused before anything is done
    with files.lock(folder):
        is_local = job.settings.machine == LOCAL
        if bringing.is_done(folder, job.hash, rehearsed=is_local):
            known = bringing.state(folder)
            where = "on this machine" if known.get("on") == LOCAL else "on SageMaker"
            kept = f"{folder / bringing.MODEL} is kept, which {known['job']} has made {where}"
            talk.say(f"train: nothing has changed, {kept}")
            return known
        if is_local:
            return rehearsed.train(settings, job, talk)
        cloud = cloud or Cloud(settings.cloud.region, settings.cloud.profile)
        # before anybody is asked who this is: a region that is none has nobody who would answer
        launch.refuse_blocking(unasked(cloud, TRAINING, job.settings))
        name = settings.cloud.deployment or suggest(settings.run_name)
        names = Names(name, cloud.region, cloud.account, cloud.partition)
        found = _found(cloud, names, job, folder, talk) or _begun(cloud, names, job, settings, talk)
        return returning.bring(cloud, names, found, folder, settings, talk)


def attach(name: str, settings: Settings, talk: Talk, cloud: Cloud | None) -> dict[str, Any]:
    """Follow a job that was begun anywhere, and bring what it has made.

    Args:
        name: the job's.
        settings: region, profile and work folder.
        talk: whom to tell.
        cloud: the account; made of the settings if not given.

    Returns:
        What is known of the job and of its model.

    Raises:
        SettingsError: if no job of marfa's has such a name.
        GoneError: if there is none of this name.
    """
    deployment = jobs.deployment_of(name)
    if not deployment:
        message = f"{name!r:.80} is no job of marfa's"
        hint = "marfa status lists them, such as marfa-sentiment-20261124223501-0a1b2c"
        raise SettingsError(message, where="attach", hint=hint)
    cloud = cloud or Cloud(settings.cloud.region, settings.cloud.profile)
    launch.refuse_blocking([look_at_place(cloud)])
    names = Names(deployment, cloud.region, cloud.account, cloud.partition)
    try:
        job = jobs.look(cloud, TRAINING, name)
    except GoneError:
        message = f"there is no such job in {cloud.region}"
        hint = "marfa status lists them; --region looks elsewhere"
        raise GoneError(message, where=name, hint=hint) from None
    folder = Path(settings.place.workdir) / _home(job.told.get("HyperParameters", {}), deployment)
    with files.lock(folder):
        return returning.bring(cloud, names, name, folder, settings, talk)


def _home(hyperparameters: Mapping[str, str], deployment: str) -> Path:
    """Return the folder, within the work folder, that the command which began a job uses."""
    run, sample = str(hyperparameters.get("name", "")), str(hyperparameters.get("sample", ""))
    if not run or run != Path(run).name or run in {".", ".."}:
        run = deployment
    return Path(run) / job_folder_of(int(sample) if re.fullmatch("[0-9]{1,18}", sample) else 0)


def _found(cloud: Cloud, names: Names, job: Job, folder: Path, talk: Talk) -> str:
    """Return the job that computes the same already, or has; empty where there is none."""
    bucket = launch.bucket_of(cloud, names)
    if not bucket:
        return ""
    place = training_job.kept(bucket, job)
    known = bringing.state(folder)
    found = jobs.newest(cloud, TRAINING, names, job.hash, place)
    if found is None and known.get("hash") == job.hash:  # a list may be a moment behind
        try:
            found = jobs.look(cloud, TRAINING, str(known.get("job")))
        except GoneError:
            return ""
    if found is None or found.place != place or found.name in known.get("spoilt", []):
        return ""
    if found.under_way:
        talk.say(f"{found.name} computes this already; nothing else is begun")
        return found.name if found.status == "InProgress" else _over(cloud, found.name, talk)
    if found.status == "Completed" and returning.is_there(cloud, found):
        talk.say(f"{found.name} has computed this already; its model is fetched")
        return found.name
    talk.say(f"{found.name}: {found.detail}; a new job goes on from its checkpoints")
    return ""


def _over(cloud: Cloud, name: str, talk: Talk) -> str:
    """Wait for a job that is being stopped: two at one place for checkpoints would be one too many."""
    ended = following.follow(cloud, TRAINING, name, talk, Told(), log=False)
    return name if ended.status == "Completed" else ""


def _begun(cloud: Cloud, names: Names, job: Job, settings: Settings, talk: Talk) -> str:
    """Begin a job, and return its name."""
    image = training_job.image(job.settings, cloud.region, cloud.partition)
    line = launch.Line(Path(settings.place.workdir), settings.cloud.max_kbps)
    parcels = [parcel for channel in job.channels for parcel in channel.parcels]
    launch.refuse(preflight(cloud, TRAINING, job.settings, image, asking(names)), talk)
    if warning := images.warning(training_job.chosen(job.settings), cloud.now().date()):
        talk.warn(warning)
    cost = JobPrice(
        machine=job.settings.machine,
        machines=job.settings.machines,
        limit=training_job.runtime(job.settings),
        spot=job.settings.spot,
        region=cloud.region,
    )
    absent = uploads.missing(cloud, launch.bucket_of(cloud, names), parcels)
    launch.tell(cloud, cost, absent, line, talk)
    bucket, sent = launch.prepare(cloud, names, parcels, line, talk)
    made = training_job.request(names, job, bucket=bucket, image=image, now=cloud.now())
    name = str(made["TrainingJobName"])
    folder = settings.job_folder
    known = bringing.state(folder)
    record.forget(folder, bringing.STAGE)
    files.write_json(
        folder / bringing.STATE,
        {
            "job": name,
            "region": names.region,
            "deployment": names.deployment,
            "hash": job.hash,
            "spoilt": known.get("spoilt", []) if known.get("hash") == job.hash else [],
            "sent": sent.size,
        },
    )
    place = training_job.kept(bucket, job)
    launch.create(
        cloud,
        "create_training_job",
        made,
        lambda: jobs.look(cloud, TRAINING, name).place == place,
    )
    talk.say(f"{name} has begun in {names.region}")
    return name
