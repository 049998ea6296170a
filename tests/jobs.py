"""Training jobs of a few seconds, as SageMaker would be asked for them."""

import json
import os
import sys
from datetime import UTC, datetime

from marfa import hyperparameters
from marfa.aws import training_job
from marfa.aws.channels import CODE, PROGRAM, Channel
from marfa.aws.job_code import code_zip
from marfa.aws.names import Names
from marfa.recipes import resolve
from marfa.settings import JobSettings

# seconds, and steps enough to be interrupted in
BOTH = {
    "preset": "sample",
    "embedding": 16,
    "hidden": 12,
    "epochs": 4,
    "patience": 0,
    "threads": 1,
    "checkpoint_seconds": 0.0,
}
FLAGS = {
    "sentiment": {**BOTH, "vocabulary": 1500},
    "shakespeare": {**BOTH, "batch_size": 64, "unroll": 48, "layers": 2, "dropout": 0.1},
}


def settings(recipe="sentiment", **flags):
    return resolve(recipe, {**FLAGS[recipe], **flags}, folder=None)


def code(folder):
    """The folder of the channel `code`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM).write_bytes(code_zip(sample=True))
    return folder


def request(recipe="sentiment", given=None, **flags):
    """A request, whose channels' contents nobody looks at."""
    told = given or hyperparameters.write(settings(recipe, **flags))
    job = training_job.Job(
        task="classifier" if recipe == "sentiment" else "generator",
        hyperparameters=told,
        channels=[Channel(CODE, {PROGRAM: b"code"})],
        settings=JobSettings(),
    )
    names = Names("soup", "eu-west-1", "123456789012")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return training_job.request(names, job, bucket="b", image="image", now=now)


def tree(root, given, hosts=("localhost",), current="localhost"):
    """A folder in the place of /opt/ml."""
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (root / "tmp").mkdir()
    (config / "hyperparameters.json").write_text(json.dumps(given))
    resources = {"hosts": list(hosts), "current_host": current}
    (config / "resourceconfig.json").write_text(json.dumps(resources))
    return root


def environ(root, **more):
    """The variables of a job whose /opt/ml is `root`."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    kept |= {n: v for n, v in os.environ.items() if n.startswith(("OPENBLAS", "OMP", "LD_"))}
    return {**kept, "SAGEMAKER_BASE_DIR": str(root), "TMPDIR": str(root / "tmp"), **more}


COMMAND = [sys.executable, "-m", "marfa.container.training"]
