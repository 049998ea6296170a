"""rollback: the version before, from any machine."""

from dataclasses import replace

import pytest
from tests.cloud.deploying import account, bed, put, world

from marfa.errors import CheckError, CloudError, GoneError
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


def test_nothing_live_is_said(bed):
    with pytest.raises(GoneError):
        rollback("soup", cloud=bed.cloud())
