"""renew: a lease ends later, or sooner, and nothing else changes."""

import pytest
from tests.cloud.deploying import account, bed, put, world

from marfa.errors import CloudError, GoneError, SettingsError
from marfa.settings import CloudSettings
from marfa.stages.renew import renew
from marfa.stages.status import status

__all__ = ["account", "bed", "put", "world"]


def test_the_lease_ends_so_long_from_now(bed, put, model_path):
    put(model_path, target="endpoint")
    version = status("soup", cloud=bed.cloud())["deployments"][0]["version"]
    later = renew("soup", CloudSettings(lease="3d"), cloud=bed.cloud())
    assert later["left"].startswith("3 d")
    sooner = renew("soup", CloudSettings(lease="20m"), cloud=bed.cloud())
    assert sooner["lease_end"] < later["lease_end"]
    found = bed.session().client("scheduler").get_schedule(Name="marfa-soup", GroupName="default")
    assert found["StartDate"].strftime("%Y-%m-%dT%H:%M:%S.000Z") == sooner["lease_end"]
    (after,) = status("soup", cloud=bed.cloud())["deployments"]
    assert (after["version"], after["lease_end"]) == (version, sooner["lease_end"])


@pytest.mark.parametrize("target", ["lambda", "serverless", "endpoint"])
def test_the_function_is_told_of_the_new_end(bed, put, model_path, target):
    def told():
        found = bed.session().client("lambda").get_function_configuration(FunctionName="marfa-soup")
        return found["Environment"]["Variables"]["MARFA_LEASE_END"]

    first = put(model_path, target=target, lease="1h")["lease_end"]
    assert told() == first
    later = renew("soup", CloudSettings(lease="3d"), cloud=bed.cloud())["lease_end"]
    assert told() == later > first


def test_a_renewal_that_fails_at_the_function_is_none_at_all(bed, put, model_path):
    end = put(model_path, target="endpoint")["lease_end"]
    bed.conduct.fail("AWS::Lambda::Function", "update")
    with pytest.raises(CloudError):
        renew("soup", CloudSettings(lease="3d"), cloud=bed.cloud())
    found = bed.session().client("scheduler").get_schedule(Name="marfa-soup", GroupName="default")
    assert found["StartDate"].strftime("%Y-%m-%dT%H:%M:%S.000Z") == end
    (after,) = status("soup", cloud=bed.cloud())["deployments"]
    assert after["lease_end"] == end


def test_without_a_time_it_is_two_hours(bed, put, model_path):
    put(model_path, lease="1h")
    assert renew("soup", cloud=bed.cloud())["left"].startswith(("2 h", "1 h 59"))


def test_who_names_no_time_does_not_ask_for_less(bed, put, model_path):
    end = put(model_path, lease="3d")["lease_end"]
    assert renew("soup", cloud=bed.cloud())["lease_end"] == end


def test_what_has_no_lease_says_how_to_get_one(bed, put, model_path):
    put(model_path)
    with pytest.raises(SettingsError, match="no lease"):
        renew("soup", cloud=bed.cloud())


def test_what_is_gone_cannot_be_renewed(bed):
    with pytest.raises(GoneError, match="nothing of 'soup' is live"):
        renew("soup", cloud=bed.cloud())


def test_a_stack_in_which_nothing_can_be_changed_says_so(bed, put, model_path):
    put(model_path, target="endpoint")
    bed.conduct.fail("AWS::Lambda::Function", "delete", times=99)
    bed.session().client("cloudformation").delete_stack(StackName="marfa-soup-live")
    bed.settle()
    with pytest.raises(CloudError, match="it is DELETE_FAILED") as caught:
        renew("soup", cloud=bed.cloud())
    assert "marfa destroy soup" in caught.value.hint


@pytest.mark.parametrize("lease", ["none", "5m", "8d", "soon", "-2h"])
def test_a_time_that_is_none_is_refused(bed, put, model_path, lease):
    with pytest.raises(SettingsError):
        renew("soup", CloudSettings(lease=lease), cloud=bed.cloud())
