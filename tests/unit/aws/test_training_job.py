"""What a training job is asked of AWS: against AWS's own description, and the lines of real training."""

import re
from datetime import UTC, datetime

import pytest
from tests.cloud import model
from tests.cloud.aws import START

import marfa
from marfa.aws import jobs, training_job
from marfa.aws.channels import Channel
from marfa.aws.names import Names
from marfa.aws.training_job import Job
from marfa.errors import SettingsError
from marfa.recipes import resolve
from marfa.settings import JobSettings

NAMES = Names("a-name-of-20-letters", "eu-west-1", "123456789012")
CODE = Channel("code", {"marfa.zip": b"zip"})
RAW = Channel("raw", {"a.csv": b"text,label\n"})


def job(task="classifier", channels=(CODE,), hyperparameters=None, **chosen):
    return Job(
        task=task, hyperparameters=hyperparameters or {"epochs": "2"}, channels=channels,
        settings=JobSettings(**chosen),
    )  # fmt: skip


def request(made, now=START):
    return training_job.request(NAMES, made, bucket="b", image="i", now=now)


@pytest.mark.parametrize("task", ["classifier", "generator"])
@pytest.mark.parametrize("spot", [True, False])
def test_it_is_a_request_that_boto3_sends(task, spot):
    made = request(job(task, (CODE, RAW), spot=spot))
    model.check("sagemaker", "create_training_job", made)
    limit = model.shape("sagemaker", "TrainingJobName").metadata
    assert len(made["TrainingJobName"]) <= limit["max"]
    assert re.fullmatch(limit["pattern"], made["TrainingJobName"])
    assert jobs.is_name(NAMES, made["TrainingJobName"])
    assert ("MaxWaitTimeInSeconds" in made["StoppingCondition"]) is spot
    folders = [
        each["DataSource"]["S3DataSource"]["S3Uri"] for each in made["InputDataConfig"]
    ] + [made["CheckpointConfig"]["S3Uri"], made["OutputDataConfig"]["S3OutputPath"]]  # fmt: skip
    assert all(re.fullmatch(r"s3://b/[a-z0-9/]+/", folder) for folder in folders)
    assert [each["ChannelName"] for each in made["InputDataConfig"]] == ["code", "raw"]
    for each in made["AlgorithmSpecification"]["MetricDefinitions"]:
        assert len(each["Regex"]) <= model.shape("sagemaker", "MetricRegex").metadata["max"]


def test_the_hash_is_of_what_decides_the_result_and_of_nothing_else():
    first = job()
    later = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    cheap = {"machine": "ml.m5.large", "machines": 2, "spot": False, "max_runtime": "2h"}
    assert job(**cheap).hash == first.hash
    assert request(first, later)["CheckpointConfig"] == request(first)["CheckpointConfig"]
    assert request(first, later)["TrainingJobName"] != request(first)["TrainingJobName"]
    others = [
        job(hyperparameters={"epochs": "3"}), job(channels=(CODE, RAW)),
        job(channels=(Channel("code", {"marfa.zip": b"another"}),)), job(job_image="pytorch-2.12"),
        job(channels=(CODE, Channel("raw", {"b.csv": b"text,label\n"}))),
    ]  # fmt: skip
    assert len({each.hash for each in (first, *others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("machine", "image", "found"),
    [
        ("ml.m5.xlarge", "", "pytorch:2.13-cpu-amzn2023-sagemaker"),
        ("ml.g4dn.xlarge", "", "pytorch:2.13-cu133-amzn2023-sagemaker"),
        ("ml.g4dn.xlarge", "pytorch-2.12-gpu", "pytorch:2.12-cu130-amzn2023-sagemaker"),
    ],
)
def test_the_container_fits_the_machine(machine, image, found):
    settings = JobSettings(machine=machine, job_image=image)
    assert training_job.image(settings, "eu-west-1").endswith(f"/{found}")


@pytest.mark.parametrize(
    ("chosen", "where"),
    [
        ({"max_runtime": "soon"}, "max-runtime"),
        ({"max_runtime": ""}, "max-runtime"),
        ({"max_runtime": "29d"}, "max-runtime"),
        ({"max_runtime": "2h", "max_wait": "1h"}, "max-wait"),
        ({"max_wait": "0m"}, "max-wait"),
    ],
)
def test_times_that_are_none_are_refused(chosen, where):
    with pytest.raises(SettingsError, match=where):
        request(job(**chosen))


def test_an_image_that_does_not_train_is_refused():
    with pytest.raises(SettingsError, match="does not train"):
        training_job.image(JobSettings(job_image="pytorch-2.6"), "eu-west-1")


class Notes:
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)

    warn = say

    def bar(self, *_):
        from marfa.console import Silence

        return Silence().bar("", None)


@pytest.mark.parametrize(
    ("recipe", "chosen"),
    [
        ("sentiment", {"vocabulary": 300, "embedding": 4, "hidden": 4}),
        ("shakespeare", {"embedding": 4, "hidden": 4, "sample": 5000}),
    ],
)
def test_the_figures_of_every_epoch_are_read_out_of_what_training_says(tmp_path, recipe, chosen):
    settings = resolve(
        recipe,
        {"preset": "sample", "epochs": 2, "workdir": str(tmp_path), **chosen},
    )
    notes = Notes()
    marfa.prepare(settings)
    found = marfa.train(settings, notes)
    keys = {
        "train:loss": "train_loss", "validation:loss": "validation_loss",
        "validation:accuracy": "validation_accuracy", "train:bits": "train_bits",
        "validation:bits": "validation_bits",
    }  # fmt: skip
    log = "\n".join(notes.lines)
    for metric, regex in training_job.METRICS[settings.task].items():
        read = [float(number) for number in re.findall(regex, log)]
        meant = [round(epoch[keys[metric]], 4) for epoch in found["epochs"]]
        assert read == pytest.approx(meant, abs=1e-4), metric
