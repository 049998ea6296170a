"""rollback: the version before, from any machine."""

import io
from dataclasses import replace

import pytest
from botocore.response import StreamingBody
from tests.cloud.deploying import account, bed, put, world

from marfa.errors import CheckError, CloudError, GoneError, NetworkError
from marfa.stages.rollback import rollback
from marfa.stages.status import status

__all__ = ["account", "bed", "put", "world"]


def live(bed):
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    return one["version"]


@pytest.mark.parametrize("target", ["lambda", "endpoint"])
def test_the_version_before_is_live_again(bed, put, model_path, target):
    first = put(model_path, target=target)["version"]
    second = put(model_path, target=target, rate=7)["version"]
    assert live(bed) == second
    result = rollback("soup", cloud=bed.cloud())
    assert (result["version"], result["replaced"]) == (first, second)
    assert live(bed) == first


def test_back_through_three_versions_and_no_further(bed, put, model_path):
    made = [put(model_path, rate=rate)["version"] for rate in (5, 6, 7)]
    for expected in (made[1], made[0]):
        rollback("soup", cloud=bed.cloud())
        assert live(bed) == expected
    with pytest.raises(CloudError, match="no earlier version"):
        rollback("soup", cloud=bed.cloud())
    assert live(bed) == made[0]


def test_a_version_that_never_answered_as_it_should_is_passed_over(bed, world, put, model_path):
    first = put(model_path)["version"]
    world.spoil = lambda response: replace(response, status=418)
    with pytest.raises(CheckError):
        put(model_path, rate=6)
    world.spoil = None
    third = put(model_path, rate=7)["version"]
    assert live(bed) == third
    rollback("soup", cloud=bed.cloud())
    assert live(bed) == first


def test_a_first_version_has_nothing_before_it(bed, put, model_path):
    put(model_path)
    with pytest.raises(CloudError, match="no earlier version"):
        rollback("soup", cloud=bed.cloud())


def test_the_lease_goes_on_as_it_is(bed, put, model_path):
    put(model_path, target="endpoint", lease="3d")
    end = put(model_path, target="endpoint", rate=7)["lease_end"]
    rollback("soup", cloud=bed.cloud())
    assert status("soup", cloud=bed.cloud())["deployments"][0]["lease_end"] == end


class Cutting:
    """Cuts the line while the body of an answer of S3's comes."""

    def __init__(self, session):
        session.events.register("after-call.s3.GetObject", self._answered)

    def _answered(self, parsed, **_):
        parsed["Body"] = StreamingBody(io.BytesIO(b"{"), content_length=100)


def test_a_line_that_drops_while_a_record_comes_is_one(bed, put, model_path):
    put(model_path)
    second = put(model_path, rate=6)["version"]
    session = bed.session()
    Cutting(session)
    with pytest.raises(NetworkError):
        rollback("soup", cloud=bed.cloud(session))
    assert live(bed) == second


@pytest.mark.parametrize(
    ("was", "then", "words"),
    [
        ("serverless", "endpoint", "SageMaker turns no endpoint"),
        ("endpoint", "serverless", "no way back from that"),
    ],
)
def test_no_way_back_between_a_machine_and_none(bed, put, model_path, was, then, words):
    put(model_path, target=was)
    put(model_path, target="lambda")
    between = live(bed)
    put(model_path, target=then)
    s3 = bed.session().client("s3")  # the function never answered rightly, so it is passed over
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    s3.delete_object(Bucket=bucket, Key=f"versions/{between}.checked")
    with pytest.raises(CloudError, match=words) as caught:
        rollback("soup", cloud=bed.cloud())
    assert "marfa destroy soup" in caught.value.hint


def test_nothing_live_is_said(bed):
    with pytest.raises(GoneError):
        rollback("soup", cloud=bed.cloud())
