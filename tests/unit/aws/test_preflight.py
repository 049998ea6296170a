"""What cannot succeed is found before anything is sent; what cannot be looked at stops nobody."""

import pytest
from tests.cloud import model

from marfa.aws.preflight import preflight
from marfa.errors import CredentialsError, GoneError, NetworkError, NotPermittedError
from marfa.settings import CloudSettings

ACCOUNT = "123456789012"
OWN = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/marfa/serve"
DIGEST = "sha256:" + "0a" * 32


class Account:
    """An account in which all is well, but for what a test says."""

    partition = "aws"

    def __init__(self, region="eu-west-1", caller=f"arn:aws:iam::{ACCOUNT}:user/ann", **answers):
        self.region, self._caller, self.asked = region, caller, []
        self.answers = {
            "get_account_settings": limits(1000, 1000),
            "list_service_quotas": [quotas(("ml.m5.large", 0), ("ml.t2.medium", 2))],
            "list_aws_default_service_quotas": [],
            "describe_images": {"imageDetails": [{}]},
            "simulate_principal_policy": [decided("allowed")],
            **answers,
        }
        self.absent = ()

    @property
    def caller(self):
        if isinstance(self._caller, Exception):
            raise self._caller
        return self._caller

    @property
    def account(self):
        return self.caller.split(":")[4]

    def offers(self, service):
        return service not in self.absent

    def call(self, service, operation, **params):
        model.check(service, operation, params)
        self.asked.append((operation, params))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            assert set(answer) <= model.members(service, operation)
        return answer

    def pages(self, service, operation, **params):
        for page in self.call(service, operation, **params):
            assert set(page) <= model.members(service, operation)
            yield page


def limits(whole, free):
    return {"AccountLimit": {"ConcurrentExecutions": whole, "UnreservedConcurrentExecutions": free}}


def quotas(*values):
    listed = [("ml.t2.medium for training job usage", 0)]
    listed += [(f"{kind} for endpoint usage", value) for kind, value in values]
    return {
        "Quotas": [
            {"QuotaName": name, "QuotaCode": f"L-{i}", "Value": float(value)}
            for i, (name, value) in enumerate(listed)
        ]
    }


def decided(decision):
    return {"EvaluationResults": [{"EvalActionName": "s3:PutObject", "EvalDecision": decision}]}


def look(account, **chosen):
    """Return the findings by what was looked at, and how many copies may be reserved."""
    found = preflight(account, CloudSettings(**chosen), ["s3:PutObject"])
    by_name = {finding.what: finding for finding in found.findings}
    assert len(by_name) == len(found.findings)
    assert found.blocked == [f for f in found.findings if f.blocking and not f.ok]
    return by_name, found.reservable


TARGETS = {
    "lambda": ["region", "credentials", "reserved copies", "permissions"],
    "serverless": [
        *("region", "serverless memory", "credentials", "reserved copies", "image"),
        "permissions",
    ],
    "endpoint": [
        *("region", "instance type", "credentials", "reserved copies", "quota", "image"),
        "permissions",
    ],
}


@pytest.mark.parametrize("target", TARGETS)
def test_where_all_is_well_every_check_says_so(target):
    found, reservable = look(Account(), target=target)
    assert list(found) == TARGETS[target]
    assert all(finding.ok and not finding.hint for finding in found.values())
    assert not any(finding.blocking for finding in found.values())
    assert reservable == 5


@pytest.mark.parametrize(
    "error", [CredentialsError("none", hint="aws configure"), NetworkError("x")]
)
def test_without_credentials_only_what_needs_none_is_looked_at(error):
    found, reservable = look(Account(caller=error), target="endpoint")
    assert list(found) == ["region", "instance type", "credentials"]
    assert (found["credentials"].ok, found["credentials"].blocking) == (False, True)
    assert found["credentials"].hint == error.hint
    assert reservable == 0


@pytest.mark.parametrize(
    ("region", "hint"), [("eu-wset-1", "did you mean 'eu-west-1'?"), ("mars", "a newer boto3")]
)
def test_a_region_that_does_not_exist_blocks_before_anybody_is_asked(region, hint):
    account = Account(region=region)
    found, _ = look(account)
    assert found["region"].blocking
    assert hint in found["region"].hint
    assert account.asked == []


@pytest.mark.parametrize(
    ("chosen", "service"),
    [
        ({}, "apigatewayv2"),
        ({"target": "serverless"}, "sagemaker-runtime"),
        ({"target": "endpoint"}, "scheduler"),
        ({"lease": "2h"}, "scheduler"),
    ],
)
def test_a_service_that_boto3_does_not_know_there_is_told_and_stops_nobody(chosen, service):
    account = Account()
    account.absent = (service,)
    found, _ = look(account, **chosen)
    assert service in found["region"].found
    assert (found["region"].ok, found["region"].blocking) == (False, False)


@pytest.mark.parametrize("lease", ["", "none"])
def test_a_service_that_is_not_needed_may_be_absent(lease):
    account = Account()
    account.absent = ("scheduler", "sagemaker")
    assert look(account, lease=lease)[0]["region"].ok


def test_a_quota_of_nothing_blocks_with_the_words_to_type():
    found, _ = look(Account(), target="endpoint", instance_type="ml.m5.large")
    assert found["quota"].blocking
    assert found["quota"].found == "0 ml.m5.large allowed for endpoint usage"
    assert found["quota"].hint == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker "
        "--quota-code L-1 --desired-value 1 --region eu-west-1"
    )


def test_a_quota_is_found_on_any_page_and_may_be_on_none():
    pages = [quotas(("ml.c5.large", 0)), quotas(("ml.t2.medium", 1))]
    assert look(Account(list_service_quotas=pages), target="endpoint")[0]["quota"].ok
    found, _ = look(Account(list_service_quotas=[]), target="endpoint")
    assert (found["quota"].ok, found["quota"].blocking) == (False, False)
    assert "no quota is named 'ml.t2.medium for endpoint usage'" in found["quota"].found


@pytest.mark.parametrize(("allowed", "ok"), [(2, True), (1, False)])
def test_an_update_of_an_endpoint_needs_a_second_machine_and_says_so(allowed, ok):
    account = Account(list_service_quotas=[quotas(("ml.t2.medium", allowed))])
    settings = CloudSettings(target="endpoint")
    asked = preflight(account, settings, ["s3:PutObject"], beside=True)
    (found,) = [each for each in asked.findings if each.what == "quota"]
    assert (found.ok, found.blocking) == (ok, False)
    assert ok or "needs 2, for the minutes of the change" in found.found
    assert ok or "--desired-value 2" in found.hint


def test_a_quota_that_was_never_changed_is_what_all_accounts_have():
    usual = {
        "list_service_quotas": [],
        "list_aws_default_service_quotas": [quotas(("ml.m5.large", 0))],
    }
    found, _ = look(Account(**usual), target="endpoint", instance_type="ml.m5.large")
    assert found["quota"].blocking


@pytest.mark.parametrize(
    ("machine", "image", "told"),
    [
        ("ml.c7g.large", "pytorch-2.6", True),
        ("ml.g5.xlarge", "pytorch-2.6", False),
        ("ml.c7g.large", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/marfa:arm", False),
    ],
)
def test_a_container_of_another_processor_is_told_and_stops_nobody(machine, image, told):
    found, _ = look(Account(), target="endpoint", instance_type=machine, image=image)
    assert ("processor" in found) == told
    assert not told or (found["processor"].ok, found["processor"].blocking) == (False, False)


def test_an_instance_type_that_does_not_exist_has_the_nearest_as_a_hint():
    found, _ = look(Account(), target="endpoint", instance_type="ml.t2.medum")
    assert found["instance type"].blocking
    assert found["instance type"].hint == "did you mean 'ml.t2.medium'?"


@pytest.mark.parametrize(
    ("memory", "hint"), [(1024, ""), (6144, ""), (1500, "--serverless-memory 1024 or 2048")]
)
def test_a_serverless_endpoint_comes_in_steps(memory, hint):
    found, _ = look(Account(), target="serverless", serverless_memory=memory)
    assert found["serverless memory"].hint == hint
    assert found["serverless memory"].ok == (not hint)


@pytest.mark.parametrize(
    ("free", "wanted", "reservable"),
    [(1000, 5, 5), (105, 5, 5), (104, 5, 0), (10, 1, 0), (1000, 0, 0)],
)
def test_copies_are_reserved_only_where_a_hundred_stay_free(free, wanted, reservable):
    account = Account(get_account_settings=limits(1000, free))
    found, reserved = look(account, concurrency=wanted)
    assert reserved == reservable
    assert found["reserved copies"].ok == (reservable == wanted)
    assert not found["reserved copies"].blocking


def test_where_no_copies_are_wanted_nobody_is_asked_for_any():
    account = Account()
    assert look(account, concurrency=0)[0]["reserved copies"].found == "none wanted"
    assert "get_account_settings" not in dict(account.asked)


def test_a_new_account_is_told_that_nothing_is_reserved():
    found, _ = look(Account(get_account_settings=limits(10, 10)))
    assert "of the account's 10 copies 10 are free" in found["reserved copies"].found
    assert "none is reserved" in found["reserved copies"].found


@pytest.mark.parametrize(
    ("tail", "wanted"),
    [
        ("", {"imageTag": "latest"}),
        (":1.0", {"imageTag": "1.0"}),
        (f"@{DIGEST}", {"imageDigest": DIGEST}),
    ],
)
def test_a_container_of_ones_own_is_looked_up(tail, wanted):
    account = Account()
    assert look(account, target="serverless", image=OWN + tail)[0]["image"].ok
    asked = dict(account.asked)["describe_images"]
    assert asked == {"repositoryName": "marfa/serve", "imageIds": [wanted]}


def test_a_container_that_is_not_there_blocks():
    account = Account(describe_images=GoneError("The image does not exist"))
    found, _ = look(account, target="endpoint", image=f"{OWN}:1")
    assert found["image"].blocking
    assert found["image"].hint == f"docker push {OWN}:1"


@pytest.mark.parametrize(
    "image", [OWN.replace("eu-west-1", "us-east-1"), "public.ecr.aws/marfa/serve:1"]
)
def test_a_container_from_elsewhere_blocks(image):
    found, _ = look(Account(), target="serverless", image=image)
    assert found["image"].blocking
    assert "from ECR in eu-west-1 only" in found["image"].found


def test_a_container_that_is_not_known_blocks_with_the_nearest():
    found, _ = look(Account(), target="endpoint", image="pytorch-2.7")
    assert found["image"].blocking
    assert found["image"].hint == "did you mean 'pytorch-2.6'?"


def test_a_container_of_aws_is_not_looked_up():
    account = Account()
    look(account, target="endpoint")
    assert "describe_images" not in dict(account.asked)


@pytest.mark.parametrize(
    ("decision", "ok", "blocking"),
    [("allowed", True, False), ("implicitDeny", False, False), ("explicitDeny", False, True)],
)
def test_only_what_is_forbidden_outright_blocks(decision, ok, blocking):
    found, _ = look(Account(simulate_principal_policy=[decided(decision)]))
    assert (found["permissions"].ok, found["permissions"].blocking) == (ok, blocking)
    assert ("s3:PutObject" in found["permissions"].found) == (not ok)


def test_the_account_itself_may_do_everything():
    account = Account(caller=f"arn:aws:iam::{ACCOUNT}:root")
    assert look(account)[0]["permissions"].ok
    assert "simulate_principal_policy" not in dict(account.asked)


def test_somebody_whom_iam_does_not_know_is_not_asked_about():
    found, _ = look(Account(caller=f"arn:aws:sts::{ACCOUNT}:federated-user/ann"))
    assert "could not be checked: IAM cannot be asked about" in found["permissions"].found
    assert not found["permissions"].blocking


def test_many_actions_are_not_all_listed():
    many = [decided("implicitDeny")]
    many[0]["EvaluationResults"] = [
        {"EvalActionName": f"s3:A{i}", "EvalDecision": "implicitDeny"} for i in range(8)
    ]
    found, _ = look(Account(simulate_principal_policy=many))
    assert "s3:A0, s3:A1, s3:A2, s3:A3, s3:A4 and 3 more" in found["permissions"].found


@pytest.mark.parametrize("error", [NotPermittedError("you may not"), NetworkError("busy")])
@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("list_service_quotas", "quota"),
        ("describe_images", "image"),
        ("simulate_principal_policy", "permissions"),
    ],
)
def test_what_cannot_be_looked_at_is_said_and_stops_nobody(operation, what, error):
    account = Account(**{operation: error})
    found, reservable = look(account, target="endpoint", image=f"{OWN}:1")
    assert f"could not be checked: {error}" in found[what].found
    assert (found[what].ok, found[what].blocking) == (False, False)
    assert reservable == 5


@pytest.mark.parametrize("operation", ["get_account_settings", "get_function_concurrency"])
@pytest.mark.parametrize("error", [NotPermittedError("you may not"), NetworkError("busy")])
def test_a_bound_that_cannot_be_looked_at_is_not_silently_left_out(operation, error):
    usual = {"get_function_concurrency": GoneError("none yet")}
    account = Account(**{**usual, operation: error})
    found = preflight(account, CloudSettings(), ["s3:GetObject"], "marfa-soup")
    (blocked,) = found.blocked
    assert type(blocked.error) is type(error)
    assert "--concurrency 0" in blocked.hint


@pytest.mark.parametrize(
    ("held", "free", "expected"),
    [
        ({"ReservedConcurrentExecutions": 5}, 100, 5),
        ({}, 100, 0),
        (GoneError("no such function"), 104, 0),
        (GoneError("no such function"), 105, 5),
    ],
)
def test_what_the_version_before_has_reserved_may_be_reserved_again(held, free, expected):
    account = Account(get_account_settings=limits(105, free), get_function_concurrency=held)
    found = preflight(account, CloudSettings(), ["s3:GetObject"], "marfa-soup")
    assert found.reservable == expected


@pytest.mark.parametrize(
    ("origins", "good"),
    [
        ("https://a.example", True),
        ("https://a.example, http://localhost:3000", True),
        ("*", True),
        ("*, https://a.example", False),
        ("a.example", False),
        ("https://a.example/page", False),
        ("javascript:1", False),
    ],
)
def test_an_origin_that_is_none_is_refused_before_anything_is_sent(origins, good):
    found = preflight(Account(), CloudSettings(allow_origin=origins, concurrency=0), [])
    assert (found.blocked == []) == good
