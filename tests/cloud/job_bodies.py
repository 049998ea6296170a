"""What the containers of jobs do, and what SageMaker carries to them and away from them."""

import gzip
import io
import json
import tarfile
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError
from tests.installed import untar

from marfa import bundle
from marfa.console import Silence
from marfa.container import handler
from marfa.errors import MarfaError


@dataclass
class Outcome:
    """What a container has done.

    Attributes:
        lines: what it has said.
        model: the files that it has left in /opt/ml/model.
        output: the files that it has left in /opt/ml/output/data.
        checkpoints: the files that are in /opt/ml/checkpoints now.
        failure: what it has written to /opt/ml/output/failure.
        seconds: how long that took; as long as usual if None.
    """

    lines: list = field(default_factory=list)
    model: dict = field(default_factory=dict)
    output: dict = field(default_factory=dict)
    checkpoints: dict = field(default_factory=dict)
    failure: str = ""
    seconds: float | None = None


MODEL = {"path": None}
"""The model.tar.gz that a body which does not really train leaves."""

EPOCHS = 4


def fake(job, channels, interrupted):
    """Say what training says, keep a checkpoint, and leave a model that was made before."""
    done = int(job.checkpoints.get("epoch", b"0"))
    until = done + 1 if interrupted else EPOCHS
    lines = [f"going on after epoch {done}"] if done else ["beginning"]
    lines += [f"epoch {n}: loss 0.{9 - n}000" for n in range(done + 1, until + 1)]
    outcome = Outcome([*lines, "asked to stop" if interrupted else "done"])
    outcome.checkpoints = {"epoch": str(until).encode()}
    if not interrupted and MODEL["path"]:
        outcome.model = dict(bundle.load(Path(MODEL["path"])).members)
        outcome.output = dict.fromkeys(("report.html", "metrics.json", "history.jsonl"), b"{}")
    return outcome


def failing(job, channels, interrupted):
    """Fail as a program does that nobody has taught to fail well."""
    return Outcome(["beginning", "Traceback (most recent call last):"], failure=(
        'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no such column\n'
    ))  # fmt: skip


def real(job, channels, interrupted):
    """Run the request as a process on this machine; take the machine back after its first epoch."""
    from marfa.rehearsal.training import run_training

    stop, lines = threading.Event(), []

    class Listener(Silence):
        def say(self, message):
            lines.append(message)
            if interrupted and message.startswith("epoch 1:"):
                stop.set()

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        places = {}
        for name, files in channels.items():
            places[name] = root / "channels" / name
            places[name].mkdir(parents=True)
            for file, content in files.items():
                (places[name] / file).write_bytes(content)
        kept = root / "machine" / "ml" / "checkpoints"
        kept.mkdir(parents=True)
        _write(kept, job.checkpoints)
        ended = run_training(job.request, places, root / "machine", Listener(), stop=stop)
        found = next((root / "machine").rglob("checkpoints"))
        return Outcome(
            lines,
            _unpacked(ended.model),
            _unpacked(ended.output),
            {p.relative_to(found).as_posix(): p.read_bytes() for p in found.rglob("*") if p.is_file()},
            ended.reason if ended.status == "Failed" else "",
            ended.seconds,
        )  # fmt: skip


def _write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _unpacked(path):
    if path is None:
        return {}
    with tarfile.open(path) as tar:
        return {
            each.name.removeprefix("./"): tar.extractfile(each).read()
            for each in tar
            if each.isfile()
        }


def home(job):
    """Return the address under which a training job's archives are put."""
    return job.request["OutputDataConfig"]["S3OutputPath"] + job.name


def download(job):
    """Bring the channels and the checkpoints; None where there is nothing under a prefix."""
    channels = {}
    for each in job.request.get("InputDataConfig", []):
        files = _read(job.where, each["DataSource"]["S3DataSource"]["S3Uri"])
        if not files:
            return None
        channels[each["ChannelName"]] = files
    if "CheckpointConfig" in job.request:
        job.checkpoints = _read(job.where, job.request["CheckpointConfig"]["S3Uri"])
    return channels


def _read(where, address):
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    s3 = where.client("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {
        each["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=each["Key"])[
            "Body"
        ].read()
        for each in found
    }


def _put(where, address, content):
    bucket, _, key = address.removeprefix("s3://").partition("/")
    where.call("s3", "put_object", Bucket=bucket, Key=key, Body=content)


def keep(job, outcome):
    """Put the checkpoints into the bucket, and take away there what is not here any more."""
    address = job.request["CheckpointConfig"]["S3Uri"]
    for name in set(job.checkpoints) - set(outcome.checkpoints):
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        job.where.call("s3", "delete_object", Bucket=bucket, Key=prefix + name)
    for name, content in outcome.checkpoints.items():
        _put(job.where, address + name, content)
    job.checkpoints = outcome.checkpoints


def upload(job, outcome, spoil):
    """Pack what was left, as SageMaker does: folders, names that begin with a dot, times."""
    packed = pack(outcome.model)
    _put(job.where, f"{home(job)}/output/model.tar.gz", spoil(packed) if spoil else packed)
    if outcome.output:
        _put(job.where, f"{home(job)}/output/output.tar.gz", pack(outcome.output))


def pack(files):
    """Return a tar.gz as SageMaker makes it."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), files)
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
            tar.add(folder, ".")
        return whole.getvalue()


def log(job, stream, lines):
    """Say lines in the job's stream, which is made if it is not there."""
    where = job.where
    group = f"/aws/sagemaker/{job.kind}Jobs"
    stream = f"{job.name}/{stream}"
    for operation, named in (
        ("create_log_group", {"logGroupName": group}),
        ("create_log_stream", {"logGroupName": group, "logStreamName": stream}),
    ):
        try:
            where.call("logs", operation, **named)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    if events:
        where.call(
            "logs", "put_log_events", logGroupName=group, logStreamName=stream, logEvents=events
        )


def transform(job):
    """Ask the model of a transform job about every record, and put the answers together.

    Returns:
        Why that failed; empty where it did not.
    """
    made = job.where.call("sagemaker", "describe_model", ModelName=job.request["ModelName"])
    address = made["PrimaryContainer"]["ModelDataUrl"]
    wanted, taken = job.request["TransformOutput"], job.request["TransformInput"]
    assert (taken["SplitType"], wanted["AssembleWith"]) == ("Line", "Line")
    assert job.request["BatchStrategy"] == "SingleRecord"
    limit = job.request["MaxPayloadInMB"] * 1_000_000
    job_log = []
    with tempfile.TemporaryDirectory() as folder:
        archive, place = Path(folder) / "model.tar.gz", Path(folder) / "model"
        bucket, _, key = address.removeprefix("s3://").partition("/")
        archive.write_bytes(
            job.where.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        )
        untar(archive, place)
        loaded = handler.model_fn(str(place))
        for name, content in _read(job.where, taken["DataSource"]["S3DataSource"]["S3Uri"]).items():
            if taken["CompressionType"] == "Gzip":
                content = gzip.decompress(content)
            answers = []
            for record in content.splitlines(keepends=True):
                if len(record) > limit:
                    return "ClientError: a record is larger than MaxPayloadInMB"
                try:
                    asked = handler.input_fn(record, taken["ContentType"])
                    body, _ = handler.output_fn(handler.predict_fn(asked, loaded), wanted["Accept"])
                except MarfaError as error:
                    job_log.append(str(error))
                    log(job, "i-0123456789", job_log)
                    return "AlgorithmError: See job logs for more information"
                answers.append(body + b"\n")
            _put(job.where, f"{wanted['S3OutputPath']}{name}.out", b"".join(answers))
    log(job, "i-0123456789", [json.dumps({"model": loaded.model_id})])
    return ""
