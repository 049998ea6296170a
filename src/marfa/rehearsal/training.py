"""SageMaker's side of a training job, on this machine: the folders, the process, the archives.

The request is the one that CreateTrainingJob takes. Its container is a process with another folder in
the place of /opt/ml, and whatever Python marfa runs in; its bucket is a folder for each channel.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marfa import environment, signals
from marfa.console import Talk
from marfa.container.training import FAILURE_LIMIT, ROOT
from marfa.rehearsal import bound

STOP_SECONDS = 120
"""Between the signal to stop and the one that nobody can refuse, as SageMaker has it."""

_HOST = "algo-1"
_POLL_SECONDS = 0.1
_KEPT = ("checkpoints",)
"""What SageMaker puts back into a new container of the same job."""


@dataclass(frozen=True)
class Ended:
    """How a job has ended.

    Attributes:
        status: "Completed", "Failed" or "Stopped", as DescribeTrainingJob says it.
        reason: why it failed, or was stopped; empty otherwise.
        model: model.tar.gz, where something was left in /opt/ml/model.
        output: output.tar.gz, where something was left in /opt/ml/output/data.
        seconds: how long it ran.
    """

    status: str
    reason: str
    model: Path | None
    output: Path | None
    seconds: float


def run_training(
    request: Mapping[str, Any],
    channels: Mapping[str, Path],
    root: Path,
    talk: Talk,
    *,
    environ: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Ended:
    """Run a training job as a process, and wait for it.

    Args:
        request: as CreateTrainingJob takes it.
        channels: the folder that each channel's files are in, by the channel's name.
        root: where the job's folders are made; checkpoints that an earlier call left are put back.
        talk: whom to tell, a line of the job's log each time.
        environ: further variables of its environment.
        stop: set by whoever wants it to stop, as AWS does with a spot machine.
        clock: seconds, for the longest time that it may run.

    Returns:
        How it has ended; the archives are in `root`, as SageMaker puts them into the bucket.

    Raises:
        StoppedError: after SIGTERM or Ctrl-C, which the job has been told as well; all is saved.
        OSError: if the folders cannot be made.
    """
    ml = _lay_out(request, channels, root)
    began, limit = clock(), request["StoppingCondition"]["MaxRuntimeInSeconds"]
    wanted, overdue = stop or threading.Event(), False
    with signals.caught() as asked, _Process(request, ml, root, environ or {}, talk) as process:
        while process.runs():
            overdue = clock() - began > limit
            if asked.signal_number or wanted.is_set() or overdue:
                process.stop()
    seconds = clock() - began
    if asked.signal_number:
        message = "the job was stopped; its checkpoints are kept"
        raise asked.error(message, "run the same command again to go on")
    status, reason = _judged(process.code, ml, stopped=wanted.is_set(), overdue=overdue)
    return Ended(
        status,
        reason,
        _packed(ml / "model", root / "model.tar.gz"),
        _packed(ml / "output" / "data", root / "output.tar.gz"),
        seconds,
    )


def _judged(code: int, ml: Path, *, stopped: bool, overdue: bool) -> tuple[str, str]:
    if overdue:
        return "Stopped", "MaxRuntimeExceeded"
    if stopped:
        return "Stopped", ""
    if code == 0:
        return "Completed", ""
    try:
        told = (ml / "output" / "failure").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    return "Failed", told[:FAILURE_LIMIT] or f"the process ended with exit code {code}"


def _lay_out(request: Mapping[str, Any], channels: Mapping[str, Path], root: Path) -> Path:
    """Make the folders as they are in a new container."""
    ml = root / "ml"
    for each in ml.glob("*") if ml.is_dir() else []:
        if each.name not in _KEPT:
            shutil.rmtree(each)
    for folder in ("checkpoints", "model", "output/data", "input/config", "input/data", "tmp"):
        (ml / folder).mkdir(parents=True, exist_ok=True)
    for name, sent in channels.items():
        shutil.copytree(sent, ml / "input" / "data" / name)
    machine = request["ResourceConfig"]["InstanceType"]
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": machine,
        "hosts": [_HOST],
    }
    documents = {
        "hyperparameters": request.get("HyperParameters", {}),
        "inputdataconfig": {
            each["ChannelName"]: {
                "TrainingInputMode": each.get("InputMode", "File"),
                "S3DistributionType": each["DataSource"]["S3DataSource"].get(
                    "S3DataDistributionType", "FullyReplicated"
                ),
                "RecordWrapperType": "None",
            }
            for each in request.get("InputDataConfig", [])
        },
        "resourceconfig": {
            "current_host": _HOST,
            "hosts": [_HOST],
            "network_interface_name": "lo",
            "current_instance_type": machine,
            "current_group_name": group["instance_group_name"],
            "instance_groups": [group],
        },
    }
    for kind, document in documents.items():
        text = json.dumps(document)
        (ml / "input" / "config" / f"{kind}.json").write_text(text, encoding="utf-8")
    return ml


class _Process:
    """The first process of the container."""

    def __init__(
        self,
        request: Mapping[str, Any],
        ml: Path,
        root: Path,
        environ: Mapping[str, str],
        talk: Talk,
    ) -> None:
        name = str(request["TrainingJobName"])
        algorithm = request["AlgorithmSpecification"]
        words = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", [])]
        self._command = [
            sys.executable if word == "python" else word.replace(str(ROOT), str(ml))
            for word in words
        ]
        self._environ = {
            **environment.inherited(),
            **request.get("Environment", {}),
            **environ,
            "TRAINING_JOB_NAME": name,
            "TRAINING_JOB_ARN": f"arn:aws:sagemaker:local:000000000000:training-job/{name}",
            "SAGEMAKER_BASE_DIR": str(ml),
            "TMPDIR": str(ml / "tmp"),
        }
        self._ml, self._log, self._talk = ml, root / "log.txt", talk
        self._stopping = 0.0
        self.code = 0

    def __enter__(self) -> _Process:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(bound.__file__)), *self._command],
            cwd=self._ml,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for whoever started it, who tells it
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self) -> None:
        assert self._process.stdout is not None
        with open(self._log, "ab") as log:
            for line in self._process.stdout:
                log.write(line)
                log.flush()
                self._talk.say(line.decode("utf-8", "replace").rstrip())

    def runs(self) -> bool:
        """Wait a moment; say whether it still runs."""
        try:
            self.code = self._process.wait(_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def stop(self) -> None:
        """Ask it to stop, and end it if it does not in time."""
        if not self._stopping:
            self._stopping = time.monotonic()
            self._process.terminate()
        elif time.monotonic() - self._stopping > STOP_SECONDS:
            self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):  # all of its processes: torchrun has some of its own
            os.killpg(self._process.pid, signal.SIGKILL)

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _packed(folder: Path, archive: Path) -> Path | None:
    """Pack what a job has left, as SageMaker does; nothing where it has left nothing."""
    archive.unlink(missing_ok=True)
    found = sorted(folder.iterdir())
    if not found:
        return None
    with tarfile.open(archive, "w:gz") as packed:
        for each in found:
            packed.add(each, each.name)
    return archive
