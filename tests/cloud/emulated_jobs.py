"""SageMaker's jobs in moto's server: states that take time, logs, archives in the bucket, spot machines.

moto's own are done at once and leave nothing. What a container does is a body of `job_bodies`; how AWS
behaves around it is `JOBS`, which each test may set.
"""

import json
import threading
from datetime import timedelta
from itertools import count

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import SagemakerClientError
from moto.sagemaker.responses import SageMakerResponse
from tests.cloud import job_bodies, model
from tests.cloud.conduct import CONDUCT, hands
from tests.cloud.templates import Refused

OVER = {"Completed", "Failed", "Stopped"}
_LOCK = threading.RLock()


class Jobs:
    """How jobs behave in one test.

    Attributes:
        body: what the container of a training job does.
        interruptions: how often AWS takes a spot machine back, in the midst of its work.
        seconds: how long a training job computes.
        no_machines: there are none to be had.
        broken_reason: why every job fails before its container begins; empty for no such reason.
        unseen: how often a role that was just made is not known yet.
        spoil: changes the archive of a model on its way to the bucket; None for no change.
        hurry: let everything that takes time happen whenever somebody looks.
        all: every job that there is, by kind and name.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        """Behave as at first, and have no jobs."""
        self.body = job_bodies.fake
        self.interruptions = 0
        self.seconds = 120
        self.no_machines = False
        self.broken_reason = ""
        self.unseen = 0
        self.spoil = None
        self.hurry = False
        self.all = {"Training": {}, "Transform": {}}

    def of(self, kind="Training"):
        """Return the jobs of a kind, in the order in which they were begun."""
        return list(self.all[kind].values())


JOBS = Jobs()


class Job:
    """One job."""

    def __init__(self, kind, request, where):
        self.kind, self.request, self.where = kind, request, where
        self.name = request[f"{kind}JobName"]
        resource = f"{kind.lower()}-job/{self.name}"
        self.arn = f"arn:aws:sagemaker:{where.region}:{where.account}:{resource}"
        self.created = self.until = CONDUCT.now()
        self.status, self.detail, self.reason = "InProgress", "", ""
        self.started = self.ended = None
        self.transitions, self.billed, self.checkpoints = [], 0.0, {}
        self.stopping = self.has_model = False
        self._life = self._train() if kind == "Training" else self._transform()

    @property
    def spot(self):
        return self.request.get("EnableManagedSpotTraining", False)

    def advance(self):
        """Go on as far as the time has."""
        while self.status not in OVER and (JOBS.hurry or CONDUCT.now() >= self.until):
            try:
                detail, seconds = next(self._life)
            except StopIteration:
                return
            if detail:
                self._enter(detail)
            if self.status in OVER:
                self.ended = self.until
                return
            self.until += timedelta(seconds=seconds)

    def stop(self):
        """Be asked to stop: two minutes at most for whoever is at work to save itself."""
        if self.status != "InProgress":
            raise refused(f"The request was rejected because the job is in status {self.status}")
        self.status, self.until = "Stopping", CONDUCT.now()
        self._life = self._stop("Stopped")

    def _stop(self, detail):
        self.status = "Stopping"
        yield "Stopping", 20
        self.status = "Stopped"
        yield detail, 0

    def _enter(self, detail):
        self.detail = detail
        if self.transitions:
            self.transitions[-1]["EndTime"] = self.until
        self.transitions.append({"Status": detail, "StartTime": self.until})

    def _fail(self, reason):
        self.status, self.reason = "Failed", reason
        yield "Failed", 0

    def _train(self):
        limits = self.request["StoppingCondition"]
        yield "Starting", 30
        if JOBS.no_machines:
            yield "", limits["MaxWaitTimeInSeconds"]
            yield from self._stop("MaxWaitTimeExceeded")
            return
        if JOBS.broken_reason:
            yield from self._fail(JOBS.broken_reason)
            return
        for attempt in count(1):
            yield "Downloading", 20
            interrupted = (
                attempt <= JOBS.interruptions and self.request["EnableManagedSpotTraining"]
            )
            channels = job_bodies.download(self)
            if channels is None:
                yield from self._fail("ClientError: No S3 objects found under S3 URL given")
                return
            self.started = self.started or self.until
            self._enter("Training")
            outcome = JOBS.body(self, channels, interrupted)
            half = len(outcome.lines) // 2
            job_bodies.log(self, f"algo-1-{self._stamp()}", outcome.lines[:half])
            seconds = min(outcome.seconds or JOBS.seconds, limits["MaxRuntimeInSeconds"])
            yield "", seconds / 2
            job_bodies.log(self, f"algo-1-{self._stamp()}", outcome.lines[half:])
            yield "", seconds / 2
            self.billed += seconds
            job_bodies.keep(self, outcome)
            if seconds < (outcome.seconds or JOBS.seconds):
                yield from self._stop("MaxRuntimeExceeded")
                return
            if not interrupted:
                break
            yield "Interrupted", 60
            yield "Starting", 30
        if outcome.failure:
            yield from self._fail(f"AlgorithmError: {outcome.failure}, exit code: 1")
            return
        yield "Uploading", 10
        job_bodies.upload(self, outcome, JOBS.spoil)
        self.has_model = True
        self.status = "Completed"
        yield "Completed", 0

    def _stamp(self):
        return int(self.created.timestamp()) + sum(
            each["Status"] == "Interrupted" for each in self.transitions
        )

    def _transform(self):
        yield "", 60
        if JOBS.broken_reason:
            yield from self._fail(JOBS.broken_reason)
            return
        self.started = self.until
        failure = job_bodies.transform(self)
        yield "", 60
        if failure:
            yield from self._fail(failure)
            return
        self.status = "Completed"
        yield "Completed", 0

    def summary(self):
        told = {
            f"{self.kind}JobName": self.name,
            f"{self.kind}JobArn": self.arn,
            "CreationTime": self.created,
            f"{self.kind}JobStatus": self.status,
        }
        return {**told, f"{self.kind}EndTime": self.ended} if self.ended else told

    def description(self):
        told = {**self.request, **self.summary()}
        told.pop("Tags", None)
        if self.started:
            told[f"{self.kind}StartTime"] = self.started
        if self.reason:
            told["FailureReason"] = self.reason
        if self.kind == "Training":
            told |= {
                "SecondaryStatus": self.detail or "Starting",
                "SecondaryStatusTransitions": self.transitions,
                "ModelArtifacts": {
                    "S3ModelArtifacts": f"{job_bodies.home(self)}/output/model.tar.gz"
                },
            }
            if not self.has_model:
                del told["ModelArtifacts"]
            if self.ended and self.started:
                told["TrainingTimeInSeconds"] = round(self.billed)
                told["BillableTimeInSeconds"] = round(self.billed * (0.3 if self.spot else 1))
        return told


def refused(message, code="ValidationException"):
    """Return what SageMaker answers to a request that it does not take."""
    return SagemakerClientError(code, message)


def install():
    """Take the place of moto's jobs, for this process."""
    own_tags = SageMakerResponse.list_tags

    def list_tags(self):
        arn = self._get_param("ResourceArn")
        with _LOCK:
            for kind in JOBS.all.values():
                for job in kind.values():
                    if job.arn == arn:
                        return ActionResult({"Tags": job.request.get("Tags", [])})
        if "-job/" in arn:
            raise refused("Could not find resource")
        return own_tags(self)

    SageMakerResponse.list_tags = list_tags
    for kind in ("Training", "Transform"):
        for verb, make in _VERBS.items():
            end = "s" if verb == "list" else ""
            setattr(SageMakerResponse, f"{verb}_{kind.lower()}_job{end}", make(kind))
    del SageMakerResponse.delete_transform_job  # AWS has no such thing


def _create(kind):
    shape = {
        "Training": ("TrainingInstanceType", "ResourceConfig"),
        "Transform": ("TransformInstanceType", "TransformResources"),
    }[kind]

    def create(self):
        request = json.loads(self.body)
        where = hands(self.current_account, self.region)
        with _LOCK:
            _check(kind, request, where, *shape)
            job = Job(kind, request, where)
            JOBS.all[kind][job.name] = job
        return ActionResult({f"{kind}JobArn": job.arn})

    return create


def _check(kind, request, where, listed, resources):
    model.check("sagemaker", f"create_{kind.lower()}_job", request)
    if request[f"{kind}JobName"] in JOBS.all[kind]:
        message = f"{kind} job names must be unique within an AWS account and region"
        raise refused(message, "ResourceInUse")
    machine = request[resources]["InstanceType"]
    if machine not in model.shape("sagemaker", listed).enum:
        raise refused(f"1 validation error detected: Value '{machine}' is not in the enum set")
    if kind == "Transform":
        where.call("sagemaker", "describe_model", ModelName=request["ModelName"])
        return
    if JOBS.unseen:
        JOBS.unseen -= 1
        raise refused(
            f"Could not assume role {request['RoleArn']}. Please ensure that the role exists"
        )
    try:
        where.check_role(request["RoleArn"])
    except Refused:
        raise refused(f"Could not assume role {request['RoleArn']}") from None


def _find(self, kind):
    job = JOBS.all[kind].get(self._get_param(f"{kind}JobName"))
    if job is None or job.where.region != self.region:
        raise refused("Requested resource not found.")
    job.advance()
    return job


def _describe(kind):
    def describe(self):
        with _LOCK:
            return ActionResult(_find(self, kind).description())

    return describe


def _stop(kind):
    def stop(self):
        with _LOCK:
            _find(self, kind).stop()
        return EmptyResult()

    return stop


def _delete(kind):
    def delete(self):
        with _LOCK:
            job = _find(self, kind)
            if job.status not in OVER:
                raise refused(f"The job is in status {job.status} and cannot be deleted")
            del JOBS.all[kind][job.name]
        return EmptyResult()

    return delete


def _list(kind):
    def listed(self):
        part = self._get_param("NameContains") or ""
        with _LOCK:
            found = [job for job in JOBS.of(kind) if part in job.name]
            found = [job for job in found if job.where.region == self.region]
            for job in found:
                job.advance()
            found.sort(
                key=lambda job: job.created, reverse=self._get_param("SortOrder") != "Ascending"
            )
            return ActionResult({f"{kind}JobSummaries": [job.summary() for job in found]})

    return listed


_VERBS = {
    "create": _create, "describe": _describe, "stop": _stop, "delete": _delete, "list": _list,
}  # fmt: skip
