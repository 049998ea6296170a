"""Jobs: their names, their requests, their logs, what they cost."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.cloud import model
from tests.cloud.aws import START, account, bed

from marfa.aws import jobs, logs, transform_job
from marfa.aws.channels import Channel
from marfa.aws.job_price import JobPrice
from marfa.aws.names import Names
from marfa.aws.parcel import pack
from marfa.aws.transform_job import Scoring
from marfa.settings import JobSettings

__all__ = ["account", "bed"]

NAMES = Names("a-name-of-20-letters", "eu-west-1", "123456789012")
SCORING = Scoring(
    model=pack("models", b"model", ".tar.gz"),
    rows=Channel("rows", {"rows.jsonl.gz": b"rows"}),
    image="i",
    settings=JobSettings(),
)


def test_scoring_is_asked_for_as_boto3_sends_it():
    name = jobs.name(NAMES, SCORING.hash, START)
    made = transform_job.request(NAMES, SCORING, name=name, bucket="b")
    model.check("sagemaker", "create_transform_job", made)
    model.check("sagemaker", "create_model", transform_job.model_request(NAMES, SCORING, "b"))
    assert jobs.is_name(NAMES, name)
    assert made["MaxPayloadInMB"] * made["MaxConcurrentTransforms"] <= 100  # says AWS
    limit = model.shape("sagemaker", "ModelName").metadata["max"]
    assert len(transform_job.model_name(NAMES, SCORING)) <= limit
    assert made["TransformOutput"]["S3OutputPath"] == f"s3://b/scored/{SCORING.hash}/"


def test_a_name_says_whose_a_job_is():
    name = jobs.name(NAMES, "0a1b2c3d4e5f", START)
    assert jobs.deployment_of(name) == NAMES.deployment
    for other in ("marfa-soup", "marfa--20270101120000-0a1b2c3", "", "x" * 99):
        assert jobs.deployment_of(other) == ""


@pytest.mark.parametrize(
    ("price", "most", "words"),
    [
        (JobPrice(machine="ml.m5.xlarge", machines=2, limit=timedelta(hours=2)), "0.92", "2 h"),
        (JobPrice(machine="ml.m5.xlarge", limit=timedelta(minutes=90)), "0.345", "1 h 30 min"),
        (JobPrice(machine="ml.z9.huge", limit=timedelta(hours=2)), None, "not known here"),
        (JobPrice(machine="ml.m5.xlarge"), None, "$0.23 an hour"),
    ],
)
def test_the_most_that_a_job_costs_is_told(price, most, words):
    assert price.most == (None if most is None else Decimal(most))
    assert any(words in line for line in price.lines())


@pytest.fixture
def log(bed):
    client = bed.session().client("logs")
    client.create_log_group(logGroupName="g")

    def log(stream, *lines):
        named = {"logGroupName": "g", "logStreamName": stream}
        if stream not in logs.streams(bed.cloud(), "g", stream.split("/")[0]):
            client.create_log_stream(**named)
        now = int(time.time() * 1000)
        client.put_log_events(
            **named, logEvents=[{"timestamp": now, "message": line} for line in lines]
        )

    return log


def test_lines_are_read_once_and_those_of_several_machines_say_whose_they_are(bed, log):
    places = {}
    log("job/algo-1-17", "one", "two")
    log("job-2/algo-1-17", "of another job")
    assert list(logs.news(bed.cloud(), "g", "job", places)) == ["one", "two"]
    assert list(logs.news(bed.cloud(), "g", "job", places)) == []
    log("job/algo-1-17", "three\nfour")
    log("job/algo-2-18", "five")
    assert list(logs.news(bed.cloud(), "g", "job", places)) == [
        *("algo-1: three", "algo-1: four", "algo-2: five"),
    ]


def test_a_word_of_cloudwatchs_that_has_grown_old_begins_anew(bed, log):
    log("job/algo-1-17", "one")
    places = {"job/algo-1-17": "x/not-a-place"}
    assert list(logs.news(bed.cloud(), "g", "job", places)) == ["one"]


def test_only_a_jobs_own_streams_are_deleted(bed, log):
    for stream in ("job/algo-1-17", "job/algo-1-18", "job-2/algo-1-17", "jobs/algo-1-17"):
        log(stream, "one")
    assert logs.forget(bed.cloud(), "g", "job") == 2
    assert logs.streams(bed.cloud(), "g", "job-2")
    assert logs.streams(bed.cloud(), "g", "jobs")
    assert list(logs.news(bed.cloud(), "no-such-group", "job", {})) == []
