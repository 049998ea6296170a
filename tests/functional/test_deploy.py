"""deploy: from a file to an address, in place from version to version, and never a wrong answer."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from tests.cloud.deploying import account, bed, put, world
from tests.cloud.inventory import everything
from tests.cloud.recorder import Recorder

from marfa.aws import lease
from marfa.container.messages import Response
from marfa.errors import CheckError, CloudError, NetworkError, SettingsError
from marfa.settings import CloudSettings
from marfa.stages.deploy import deploy
from marfa.stages.status import status

__all__ = ["account", "bed", "put", "world"]

TARGETS = ("lambda", "serverless", "endpoint")


@pytest.mark.parametrize("target", TARGETS)
def test_a_model_goes_live_and_has_answered_its_golden_requests(
    bed, world, put, model_path, target
):
    result = put(model_path, target=target)
    assert result["url"].startswith("https://")
    assert result["url"].endswith(".execute-api.eu-west-1.amazonaws.com/")
    assert world.asked > 20
    kinds = {line.split()[0] for line in everything(bed.session())}
    assert {"stack", "bucket", "function", "api", "role"} <= kinds
    assert ("endpoint" in kinds) == (target != "lambda")


def test_a_writer_goes_live_too(put, writer_path):
    assert put(writer_path)["url"]


def test_the_same_again_sends_nothing_and_changes_nothing(bed, put, model_path):
    first = put(model_path)
    before = everything(bed.session())
    again = put(model_path)
    assert first.pop("sent")["bytes"] > 100_000
    assert again.pop("sent") == {"bytes": 0, "seconds": 0.0}
    assert again == first
    assert everything(bed.session()) == before


def test_another_setting_sends_nothing_of_the_model_again(bed, put, model_path):
    put(model_path)
    plan = put(model_path, how="plan", memory=2048)
    assert plan["bytes"] == 0
    assert put(model_path, memory=2048)["replaced"]


def test_a_new_version_is_put_in_the_place_of_the_old_one(put, model_path, writer_path):
    first, second = put(model_path), put(writer_path)
    assert second["url"] == first["url"]
    assert second["replaced"] == first["version"]
    assert second["model"] != first["model"]


def wrong(response):
    return replace(response, body=response.body + b" ") if response.status == 200 else response


def test_a_version_that_answers_wrongly_is_taken_back(world, put, model_path, writer_path):
    first = put(model_path)
    world.spoil = wrong
    with pytest.raises(CheckError, match=f"version {first['version']} is live again"):
        put(writer_path)
    world.spoil = None
    assert put(model_path)["version"] == first["version"]


def test_a_first_version_that_answers_wrongly_does_not_stay(bed, world, put, model_path):
    world.spoil = wrong
    with pytest.raises(CheckError, match="nothing was live before it"):
        put(model_path)
    assert not [line for line in everything(bed.session()) if line.startswith("function")]


@pytest.mark.parametrize("failing", [None, "AWS::Lambda::Function"])
def test_what_could_not_be_taken_back_is_said_to_bill(bed, world, put, model_path, failing):
    world.spoil = wrong
    if failing:  # it is not even made, and then cannot be deleted
        bed.conduct.fail(failing)
    bed.conduct.fail("AWS::SageMaker::Endpoint", "delete", reason="Not today", times=99)
    with pytest.raises(
        CloudError, match=r"deleted: Endpoint: Not today; it may still bill"
    ) as caught:
        put(model_path, target="endpoint")
    assert caught.value.hint == "marfa destroy soup"
    assert "nothing is now" not in caught.value.what
    assert bed.session().client("sagemaker").list_endpoints()["Endpoints"]


class Denying:
    """Lets a session do anything but delete stacks."""

    def __init__(self, session):
        session.events.register("before-call.cloudformation.DeleteStack", self._refuse)

    def _refuse(self, **_):
        words = {"Code": "AccessDenied", "Message": "not you"}
        raise ClientError({"Error": words, "ResponseMetadata": {}}, "DeleteStack")


@pytest.mark.parametrize("failing", [None, "AWS::Lambda::Function"])
def test_what_may_not_be_taken_back_is_said_to_bill(bed, world, put, model_path, failing):
    world.spoil = wrong
    if failing:
        bed.conduct.fail(failing)
    session = bed.session()
    Denying(session)
    with pytest.raises(CloudError, match=r"could not be deleted: .*not you; it may still bill"):
        put(model_path, target="endpoint", session=session)


def test_a_line_that_fails_takes_nothing_back(bed, world, put, model_path):
    asked = world.ask

    def unreachable(url, request):
        message = "no answer"
        raise NetworkError(message, where=url)

    world.ask = unreachable
    with pytest.raises(NetworkError, match="could not be asked from here"):
        put(model_path)
    world.ask = asked
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert (one["state"], one["checked"]) == ("CREATE_COMPLETE", False)
    put(model_path)
    (one,) = status("soup", cloud=bed.cloud())["deployments"]
    assert one["checked"]


class Bucket:
    """The throttle of a stage before what answers: a token a request, and so many a second.

    Args:
        bed: whose clock it goes by.
        ask: asks what is behind it.
        rate: tokens a second.
        burst: tokens when it is full.
    """

    def __init__(self, bed, ask, rate, burst):
        self._now, self._ask, self._rate, self.burst = bed.clock, ask, rate, burst
        self._there, self._when = burst, None

    @property
    def there(self):
        """Tokens that are there now."""
        now = self._now().timestamp()
        self._there += (now - (self._when or now)) * self._rate
        self._there, self._when = min(self.burst, self._there), now
        return self._there

    def ask(self, url, request):
        if self.there < 0.999:
            return Response(429, "application/json", b'{"message":"Too Many Requests"}')
        self._there -= 1
        return self._ask(url, request)


@pytest.mark.parametrize(("rate", "burst"), [(1, 1), (10, 20)])
def test_the_throttle_is_no_wrong_answer_and_is_open_when_it_is_live(
    bed, world, put, model_path, rate, burst
):
    world.ask = Bucket(bed, world.ask, rate, burst).ask
    throttle = world.ask.__self__
    assert put(model_path, rate=rate, burst=burst)["url"]
    assert throttle.there >= burst - 1.01  # what has flowed in since is no whole number


@pytest.mark.parametrize("code", [429, 503])
def test_an_address_that_stays_busy_takes_nothing_back(bed, world, put, model_path, code):
    world.ask = lambda url, request: Response(code, "application/json", b"{}")
    with pytest.raises(NetworkError, match=f"no other answer than {code}") as caught:
        put(model_path)
    assert "could not be asked" in str(caught.value)
    assert status_of(bed) == "CREATE_COMPLETE"


def status_of(bed):
    (one,) = status(cloud=bed.cloud())["deployments"]
    return one["state"]


def test_a_base_that_cannot_be_deleted_is_said(bed, put, model_path):
    put(model_path)
    destroyed = bed.session().client("cloudformation")
    for name in ("marfa-soup-live", "marfa-soup-base"):  # its bucket is not empty
        destroyed.delete_stack(StackName=name)
        bed.settle()
    with pytest.raises(CloudError, match="DELETE_FAILED") as caught:
        put(model_path)
    assert caught.value.hint == "marfa destroy soup"


def test_a_plan_makes_nothing(bed, put, model_path):
    with_nothing = everything(bed.session())
    plan = put(model_path, how="plan", target="endpoint")
    assert everything(bed.session()) == with_nothing
    assert {each["type"] for each in plan["resources"]} >= {
        "AWS::SageMaker::Endpoint", "AWS::Scheduler::Schedule", "AWS::S3::Bucket",
    }  # fmt: skip
    assert plan["bytes"] == sum(each["bytes"] for each in plan["parcels"]) > 0
    assert plan["price"]["hourly"] == 0.056
    assert plan["lease_end"]


def test_a_plan_reckons_until_the_end_that_will_hold(bed, put, model_path):
    assert put(model_path, how="plan", target="endpoint")["price"]["lease_total"] == 0.112
    put(model_path, target="endpoint", lease="7d")
    plan = put(model_path, how="plan", target="endpoint")
    assert 9.3 < plan["price"]["lease_total"] < 0.056 * (24 * 7 + 0.1)
    told = "\n".join(plan["told"])
    assert f"until the lease ends: about ${plan['price']['lease_total']:.1f}" in told
    assert "5 minutes late" in told
    shorter = put(model_path, how="plan", target="endpoint", lease="1h")
    assert 0.056 <= shorter["price"]["lease_total"] < 0.06


def test_what_a_plan_would_send_is_what_is_sent(bed, put, model_path):
    plan = put(model_path, how="plan")
    put(model_path)
    after = put(model_path, how="plan")
    assert plan["bytes"] > 0 == after["bytes"]
    assert [each["key"] for each in plan["parcels"]] == [each["key"] for each in after["parcels"]]


def test_a_plan_calls_nothing_that_creates(bed, put, model_path):
    session = bed.session()
    recorder = Recorder(session)
    put(model_path, how="plan", session=session)
    verbs = {call.operation.split("_")[0] for call in recorder.calls}
    assert verbs <= {"get", "list", "describe", "head", "simulate"}


def test_a_plan_needs_no_account(bed, put, model_path, monkeypatch):
    from marfa.aws.client import Cloud

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    settings = CloudSettings(numpy="aws", deployment="soup")
    plan = deploy(model_path, settings, how="plan", cloud=Cloud("eu-west-1"))
    assert any("credentials" in line for line in plan["told"])
    assert plan["bytes"] > 0


def test_after_an_update_that_failed_the_old_settings_are_live_as_they_were(bed, put, model_path):
    first = put(model_path, target="serverless")["version"]
    bed.conduct.fail("AWS::Lambda::Function", "update")
    with pytest.raises(CloudError, match="UPDATE_ROLLBACK_COMPLETE"):
        put(model_path, target="serverless", log_days=30, rate=9, serverless_memory=3072, burst=7,
            architecture="x86_64")  # fmt: skip
    assert put(model_path, target="serverless")["version"] == first


def test_serverless_does_not_turn_into_a_machine(put, model_path):
    put(model_path, target="serverless")
    with pytest.raises(CloudError, match="no way back from that") as caught:
        put(model_path, target="endpoint")
    assert "marfa destroy soup" in caught.value.hint
    assert put(model_path, target="lambda")["target"] == "lambda"


def test_a_machine_does_not_turn_into_serverless(put, model_path):
    put(model_path, target="endpoint")
    plan = put(model_path, how="plan", target="serverless")
    assert plan["told"][-1] == "! this cannot be deployed as it is"
    assert plan["exit_code"] == 5
    with pytest.raises(CloudError, match="SageMaker turns no endpoint"):
        put(model_path, target="serverless")


def test_an_endpoint_has_a_lease_and_may_not_have_none(bed, put, model_path):
    result = put(model_path, target="endpoint")
    assert result["lease_end"].startswith("2027-01-01T14:0")
    with pytest.raises(SettingsError, match="paid by the hour"):
        put(model_path, target="endpoint", lease="none")


def test_a_lease_that_was_not_asked_for_again_is_not_cut_short(put, model_path):
    long = put(model_path, target="endpoint", lease="3d")["lease_end"]
    assert put(model_path, target="endpoint")["lease_end"] == long
    assert put(model_path, target="endpoint", lease="1h")["lease_end"] < long


def test_a_leased_function_keeps_its_lease_when_none_is_asked_for(bed, put, model_path):
    end = put(model_path, lease="1h")["lease_end"]
    assert put(model_path, rate=7)["lease_end"] == end
    bed.clock.sleep(50 * 60)  # too little is left for an update
    assert put(model_path, rate=8)["lease_end"] > end
    assert put(model_path, rate=8, lease="none")["lease_end"] == ""


def test_the_lease_is_counted_from_when_it_begins(bed, put, model_path, world):
    session = bed.session()

    def slow(**_):
        bed.clock.sleep(600)  # each request to S3 takes ten minutes

    session.events.register("before-send.s3", slow)
    end = put(model_path, target="endpoint", lease="15m", session=session)["lease_end"]
    assert lease.read(end) > bed.clock()


def test_another_image_of_the_same_tag_is_another_version(bed, put, model_path):
    ecr = bed.session().client("ecr")
    ecr.create_repository(repositoryName="own")
    address = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"

    def push(number):
        manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "x", "size": number, "digest": f"sha256:{number:064d}"},
            "layers": [{"mediaType": "x", "size": 1, "digest": f"sha256:{number:064d}"}],
        }  # fmt: skip
        ecr.put_image(repositoryName="own", imageManifest=json.dumps(manifest), imageTag="1")

    push(1)
    first = put(model_path, target="serverless", image=address)["version"]
    assert put(model_path, target="serverless", image=address)["version"] == first
    push(2)
    assert put(model_path, target="serverless", image=address)["version"] != first


def test_when_the_lease_ends_nothing_that_answers_or_bills_is_left(bed, put, model_path):
    put(model_path, target="endpoint", lease="15m")
    bed.clock.sleep(17 * 60)
    assert bed.lapse() == [("cloudformation:delete_stack", "")]
    bed.settle()
    kinds = {line.split()[0] for line in everything(bed.session())}
    assert kinds == {"stack", "bucket", "object", "role"} & kinds
    assert put(model_path, target="endpoint")["url"]


def test_a_stack_of_somebody_else_is_left_alone(bed, put, model_path):
    session = bed.session()
    template = {
        "Resources": {"A": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "a"}}}
    }
    session.client("cloudformation").create_stack(
        StackName="marfa-soup-base", TemplateBody=json.dumps(template)
    )
    bed.settle()
    before = everything(session)
    with pytest.raises(CloudError, match="marfa has not made"):
        put(model_path)
    assert everything(session) == before


def test_a_bucket_bearing_plan_with_a_site_sends_the_page(put, model_path):
    result = put(model_path, site=True)
    assert result["site"].startswith("https://")
    plan = put(model_path, how="plan", site=True)
    keys = [each["key"] for each in plan["parcels"]]
    assert any(key.endswith("/index.html") for key in keys)


@pytest.mark.parametrize(
    "name", ["Soup", "a" * 21, "soup-", "-soup", "so--up", "soup/..", "süp", ""]
)
def test_a_name_that_aws_would_refuse_is_refused_first(put, model_path, name):
    if name:
        with pytest.raises(SettingsError, match="no name for a deployment"):
            put(model_path, deployment=name)
    else:
        assert put(model_path, deployment=name)["deployment"] == "sentiment-sample"


def test_the_policy_is_one(put, model_path):
    policy = put(model_path, how="policy")
    assert policy["Version"] == "2012-10-17"
    assert all("*" not in action for each in policy["Statement"] for action in each["Action"])
