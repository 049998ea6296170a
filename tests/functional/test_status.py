"""status: what is up, until when, what it has cost, and what it costs an hour."""

import json

import pytest
from tests.cloud.aws import ACCOUNT, REGION
from tests.cloud.deploying import account, bed, put, world
from tests.cloud.lookalikes import lookalikes
from tests.cloud.recorder import Recorder

from marfa.aws.names import Names
from marfa.errors import CloudError, GoneError, SettingsError
from marfa.stages.destroy import destroy
from marfa.stages.status import status

__all__ = ["account", "bed", "put", "world"]


def test_an_empty_region_is_empty(bed):
    assert status(cloud=bed.cloud()) == {"region": REGION, "deployments": []}


def test_all_of_a_region_or_one(bed, put, model_path):
    put(model_path)
    put(model_path, deployment="stew", target="serverless")
    found = status(cloud=bed.cloud())["deployments"]
    assert [(one["deployment"], one["target"]) for one in found] == [
        ("soup", "lambda"), ("stew", "serverless"),
    ]  # fmt: skip
    (one,) = status("stew", cloud=bed.cloud())["deployments"]
    assert one == found[1]
    assert all(each["checked"] for each in found)
    json.dumps(found)


def test_an_endpoint_says_what_it_costs_and_until_when(bed, put, model_path):
    result = put(model_path, target="endpoint", instance_type="ml.m5.large")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["hourly"] == 0.115
    assert one["lease_end"] == result["lease_end"]
    assert any(line.startswith("lease: ") and " h" in line for line in one["told"])


def test_a_machine_without_a_known_price_is_not_guessed(bed, put, model_path):
    put(model_path, target="endpoint", instance_type="ml.c5.xlarge")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["hourly"] is one["cost"] is None
    assert any("not known" in line for line in one["told"])


def asked(bed, deployment="soup", **sums):
    """Count what a function has been asked, as Lambda does."""
    bed.session().client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "FunctionName", "Value": f"marfa-{deployment}"}],
                "Timestamp": bed.clock(),
                "Value": value,
            }
            for name, value in sums.items()
        ],
    )


def test_requests_are_counted(bed, put, model_path):
    put(model_path)
    asked(bed, Invocations=1000.0, Duration=50_000.0)
    bed.clock.sleep(60)
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["requests"] == 1000
    assert 0.0012 < one["cost"] < 0.0030


def test_requests_are_counted_from_the_first_day_on(bed, put, model_path):
    put(model_path, memory=1024)
    asked(bed, Invocations=1000.0, Duration=50_000.0)
    bed.clock.sleep(40 * 86_400)
    asked(bed, Invocations=500.0, Duration=25_000.0)
    bed.clock.sleep(60)
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["requests"] == 1500
    assert "1,500 requests so far; cost so far: $" in one["told"][-1]


def test_the_processor_of_the_function_decides_its_price_before_an_endpoint_too(
    bed, put, model_path
):
    costs = {}
    for name, architecture in (("soup", "arm64"), ("stew", "x86_64")):
        put(model_path, deployment=name, target="serverless", architecture=architecture)
        asked(bed, name, Invocations=1.0, Duration=3_600_000.0)
    bed.clock.sleep(60)
    for one in status(cloud=bed.cloud())["deployments"]:
        costs[one["deployment"]] = one["cost"]
    assert costs["soup"] < costs["stew"]


class Until:
    """Goes on making a stack until something is there, as far as that takes."""

    def __init__(self, bed):
        self._bed = bed
        bed.conduct.pace = 1

    def there(self, cut, found):
        with pytest.raises(KeyboardInterrupt):
            cut()
        for _ in range(200):
            (one,) = status("soup", cloud=self._bed.cloud())["deployments"]
            if found(one):
                return one
        raise AssertionError(one)


class Cut:
    """Presses Ctrl-C once the live stack has been asked for."""

    def __init__(self):
        self._is_made = False

    def __call__(self, call):
        if self._is_made:
            raise KeyboardInterrupt
        name = call.params.get("StackName", "")
        self._is_made = call.operation == "create_stack" and name.endswith("-live")


def endpoints(bed):
    return bed.session().client("sagemaker").list_endpoints()["Endpoints"]


@pytest.mark.parametrize(
    ("chosen", "target", "hourly", "words"),
    [
        ({"target": "endpoint"}, "endpoint", 0.056, "ml.t2.medium: $0.056 an hour"),
        ({"target": "endpoint", "instance_type": "ml.c5.xlarge"}, "endpoint", None, "not known"),
        ({"target": "serverless"}, "serverless", 0.0, "$0 an hour"),
    ],
)
def test_an_endpoint_bills_while_its_stack_is_still_being_made(
    bed, put, model_path, chosen, target, hourly, words
):
    session = bed.session()
    Recorder(session, Cut())
    until = Until(bed)
    one = until.there(lambda: put(model_path, session=session, **chosen), lambda _: endpoints(bed))
    one = one if one["target"] else status("soup", cloud=bed.cloud())["deployments"][0]
    assert (one["state"], one["target"]) == ("CREATE_IN_PROGRESS", target)
    assert one["hourly"] == hourly
    told = "\n".join(one["told"])
    assert "! it is CREATE_IN_PROGRESS; marfa deploy mends it, marfa destroy soup ends it" in told
    assert words in told


def test_before_anything_is_made_nothing_is_promised(bed, put, model_path):
    session = bed.session()
    Recorder(session, Cut())
    cut = lambda: put(model_path, session=session, target="endpoint")  # noqa: E731
    one = Until(bed).there(cut, lambda _: True)
    assert (one["hourly"], one["cost"]) == (None, None)
    assert any("not known" in line and line.startswith("!") for line in one["told"])


def test_an_endpoint_bills_that_a_failed_stack_has_left(bed, put, model_path):
    bed.conduct.fail("AWS::Lambda::Function")
    bed.conduct.fail("AWS::SageMaker::Endpoint", "delete", times=99)
    session = bed.session()
    Recorder(session, Cut())
    failed = Until(bed).there(
        lambda: put(model_path, session=session, target="endpoint"),
        lambda one: one["state"] == "ROLLBACK_FAILED",
    )
    with pytest.raises(CloudError):
        put(model_path, target="endpoint")
    (left,) = status("soup", cloud=bed.cloud())["deployments"]
    assert left["state"] == "DELETE_FAILED"
    for one in (failed, left):
        assert (one["target"], one["hourly"], one["url"]) == ("endpoint", 0.056, "")
        assert (
            f"! it is {one['state']}; marfa deploy mends it, marfa destroy soup ends it"
            in (one["told"])
        )


def test_an_endpoint_that_an_update_could_not_delete_still_bills(bed, put, model_path):
    put(model_path, target="endpoint")
    bed.conduct.fail("AWS::SageMaker::Endpoint", "delete", times=99)
    put(model_path, target="lambda")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert (one["target"], one["hourly"]) == ("lambda", None)  # its configuration is gone
    assert any("may be paid by the hour" in each for each in one["told"])
    assert any("earlier version is still there; marfa destroy soup" in each for each in one["told"])


def test_an_endpoint_that_is_gone_bills_no_more(bed, put, model_path):
    put(model_path, target="endpoint")
    bed.session().client("sagemaker").delete_endpoint(EndpointName="marfa-soup")
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert (one["target"], one["hourly"], one["cost"]) == ("endpoint", 0.0, None)
    assert "its endpoint is gone: $0 an hour" in one["told"]


def test_others_are_not_counted_in(bed, put, model_path):
    lookalikes(bed.session(), Names("soup", REGION, ACCOUNT))
    before = [one["deployment"] for one in status(cloud=bed.cloud())["deployments"]]
    assert "soup" not in before
    put(model_path)
    after = [one["deployment"] for one in status(cloud=bed.cloud())["deployments"]]
    assert sorted([*before, "soup"]) == after


def test_looking_changes_nothing(bed, put, model_path):
    put(model_path, target="endpoint")
    session = bed.session()
    recorder = Recorder(session)
    status(cloud=bed.cloud(session))
    assert {call.operation.split("_")[0] for call in recorder.calls} <= {
        "get", "describe", "head", "list",
    }  # fmt: skip


def test_what_the_lease_has_ended_says_so(bed, put, model_path):
    put(model_path, target="endpoint", lease="15m")
    bed.clock.sleep(17 * 60)
    bed.lapse()
    bed.settle()
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["state"] == "not live"
    assert "marfa destroy soup" in one["told"][0]


def test_a_name_that_is_not_there(bed, put, model_path):
    put(model_path)
    destroy("soup", cloud=bed.cloud())
    with pytest.raises(GoneError, match="no deployment named 'soup'"):
        status("soup", cloud=bed.cloud())
    with pytest.raises(SettingsError):
        status("SOUP", cloud=bed.cloud())
