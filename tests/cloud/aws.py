"""An account of AWS's on this machine: moto behind real HTTP, CloudFormation as AWS describes it.

moto answers for every service but one. Its CloudFormation drops types that it does not know, makes
everything at once, and has no rollback; `cloudformation.py` stands in its place in the same server.
"""

import json
import logging
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.retries import quota, standard

from marfa.aws.client import Cloud

ACCOUNT = "123456789012"
REGION = "eu-west-1"
START = datetime(2027, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that goes on only while somebody waits."""

    def __init__(self, moment=START):
        self.moment = moment
        self.slept = []

    def __call__(self):
        return self.moment

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Session(boto3.Session):
    """A boto3 session whose clients all go to one address, and do not sleep before they try again."""

    def __init__(self, url, region=REGION):
        core = botocore.session.get_session()
        core.register_component("data_loader", _models())
        super().__init__("marfa", "not-a-secret", region_name=region, botocore_session=core)
        self._url = url
        self._plain = {}

    def client(self, service_name, *positional, **named):
        plain = not positional and not named
        if plain and service_name in self._plain:
            return self._plain[service_name]
        made = super().client(service_name, *positional, **{"endpoint_url": self._url, **named})
        _hurry(made)
        if plain:  # of these, one will do: they are slow to make
            self._plain[service_name] = made
        return made


@cache
def _models():
    """botocore's descriptions of the services, read once for all sessions: they are long."""
    return Loader(include_default_search_paths=True)


def _hurry(client):
    """Let a client try again as it always does, but at once: botocore sleeps by the wall clock."""
    service = client.meta.service_model.service_id.hyphenize()
    retries = client.meta.config.retries or {}
    if retries.get("mode") not in {None, "standard"}:
        return
    adapter = standard.RetryEventAdapter()
    detector = standard.ThrottlingErrorDetector(adapter)
    handler = standard.RetryHandler(
        standard.RetryPolicy(
            standard.StandardRetryConditions(retries.get("total_max_attempts", 3)),
            standard.ExponentialBackoff(max_backoff=0, throttling_detector=detector),
        ),
        adapter,
        standard.RetryQuotaChecker(quota.RetryQuota(), detector),
    )
    event, name = f"needs-retry.{service}", f"retry-config-{service}"
    client.meta.events.unregister(event, unique_id=name)
    client.meta.events.register(event, handler.needs_retry, unique_id=name)


@dataclass
class Bed:
    """An empty account; make sessions and clouds of it as often as a person would start marfa.

    Attributes:
        url: where the account answers.
        clock: tells the time to marfa and to CloudFormation; `clock.moment` may be set.
        conduct: how CloudFormation behaves: its pace, its order, and what fails.
        quotas: what the account may have at most.
        jobs: how SageMaker's jobs behave.
    """

    url: str
    conduct: object
    quotas: object
    jobs: object
    clock: Clock = field(default_factory=Clock)

    def session(self, region=REGION):
        """Return a fresh session, as a new process would have it."""
        return Session(self.url, region)

    def cloud(self, session=None, *, attempts=2, region=REGION):
        """Return marfa's door to this account."""
        return Cloud(
            session=session or self.session(region),
            now=self.clock,
            sleep=self.clock.sleep,
            attempts=attempts,
        )

    def settle(self):
        """Let the time pass that CloudFormation needs for all it has begun."""
        from tests.cloud import cloudformation

        cloudformation.settle()

    def lapse(self, region=REGION):
        """Let every schedule whose time has come do what it is for, once.

        Returns:
            What was called, and the word that AWS refused it with, empty where it did not.
        """
        session = self.session(region)
        scheduler = session.client("scheduler")
        done = []
        for each in scheduler.list_schedules()["Schedules"]:
            found = scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
            begins = found.get("StartDate")
            if found["State"] == "ENABLED" and (begins is None or begins <= self.clock()):
                done.append(_fire(session, found["Target"]))
        return done

    def reset(self):
        """Empty the account, and behave as at first."""
        self.conduct.reset(self.clock)
        self.quotas.reset()
        self.jobs.reset()
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request).close()


def _fire(session, target):
    """Do what a schedule's universal target says: arn:aws:scheduler:::aws-sdk:SERVICE:OPERATION."""
    service, operation = target["Arn"].split(":")[-2:]
    operation = xform_name(operation[:1].upper() + operation[1:])
    try:
        getattr(session.client(service), operation)(**json.loads(target.get("Input") or "{}"))
    except ClientError as error:
        return f"{service}:{operation}", error.response["Error"]["Code"]
    return f"{service}:{operation}", ""


@pytest.fixture(scope="session")
def account():
    """The address of the one server of a test run."""
    from moto.server import ThreadedMotoServer
    from tests.cloud import cloudformation, emulated_jobs, quotas, rights

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request
    cloudformation.install()
    quotas.install()
    rights.install()
    emulated_jobs.install()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    cloudformation.CONDUCT.url = f"http://{host}:{port}"
    yield cloudformation.CONDUCT.url
    server.stop()


@pytest.fixture
def bed(account, monkeypatch, tmp_path):
    """An empty account, and an environment in which boto3 finds that one and nothing else."""
    from tests.cloud import cloudformation, emulated_jobs, quotas

    nowhere = str(Path(tmp_path) / "no-aws-configuration")
    for name, value in {
        "AWS_ENDPOINT_URL": account,
        "AWS_ACCESS_KEY_ID": "marfa",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        quotas.CONCURRENCY: "1000",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    made = Bed(account, cloudformation.CONDUCT, quotas.QUOTAS, emulated_jobs.JOBS)
    made.reset()
    return made
