"""IAM is asked about the right principal, and its answers are not read for more than they say."""

import pytest
from tests.cloud import model

from marfa.aws import permissions
from marfa.aws.statements import allow
from marfa.errors import GoneError, NotPermittedError

USER = "arn:aws:iam::123456789012:user/team/ann"
ROLE = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_1"


class Iam:
    """An account whose IAM decides by a table: (action, resource) -> decision."""

    def __init__(self, decide=lambda action, resource: "allowed", role=ROLE, missing=()):
        self.decide, self.role, self.missing, self.asked = decide, role, missing, []

    def call(self, service, operation, **params):
        model.check(service, operation, params)
        if isinstance(self.role, Exception):
            raise self.role
        return {"Role": {"Arn": self.role}}

    def pages(self, service, operation, **params):
        model.check(service, operation, params)
        self.asked.append(params)
        for action in params["ActionNames"]:  # a page each
            yield {"EvaluationResults": [self.result(action, params["ResourceArns"])]}

    def result(self, action, resources):
        found = {"EvalActionName": action, "EvalDecision": self.decide(action, resources[0])}
        if self.missing:
            found["MissingContextValues"] = list(self.missing)
        if len(resources) > 1:
            found["ResourceSpecificResults"] = [
                {
                    "EvalResourceName": resource,
                    "EvalResourceDecision": self.decide(action, resource),
                    "MissingContextValues": list(self.missing),
                }
                for resource in resources
            ]
        return found


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (USER, USER),
        ("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_1/ann@example.org", ROLE),
        ("arn:aws:sts::123456789012:federated-user/ann", ""),
    ],
)
def test_a_session_is_asked_about_as_the_role_behind_it(caller, principal):
    assert permissions.principal_of(Iam(), caller) == principal


def test_a_role_that_may_not_be_looked_up_is_taken_to_have_no_path():
    iam = Iam(role=NotPermittedError("no"))
    caller = "arn:aws-cn:sts::123456789012:assumed-role/deployer/session"
    assert permissions.principal_of(iam, caller) == "arn:aws-cn:iam::123456789012:role/deployer"


def test_allowed_lacking_and_forbidden_are_told_apart():
    table = {
        "s3:PutObject": "allowed",
        "s3:GetObject": "implicitDeny",
        "iam:GetRole": "explicitDeny",
    }
    iam = Iam(lambda action, resource: table[action])
    assert permissions.simulate(iam, USER, sorted(table)) == (["iam:GetRole"], ["s3:GetObject"])
    assert iam.asked[0]["ResourceArns"] == ["*"]


def test_a_statement_is_asked_about_with_its_resources_and_its_condition():
    role = "arn:aws:iam::123456789012:role/r"
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    iam = Iam(lambda action, resource: "allowed" if resource == role else "implicitDeny")
    assert permissions.simulate(iam, USER, [allow(["iam:PassRole"], role, condition)]) == ([], [])
    assert iam.asked[0]["ContextEntries"] == [
        {
            "ContextKeyName": "iam:PassedToService",
            "ContextKeyValues": ["lambda.amazonaws.com"],
            "ContextKeyType": "string",
        }
    ]


def test_an_action_is_allowed_if_it_is_on_one_of_the_resources():
    bucket, objects = "arn:aws:s3:::b", "arn:aws:s3:::b/*"
    iam = Iam(lambda action, resource: "allowed" if resource == objects else "implicitDeny")
    wanted = [allow(["s3:PutObject"], [bucket, objects])]
    assert permissions.simulate(iam, USER, wanted) == ([], [])
    iam = Iam(lambda action, resource: "explicitDeny" if resource == objects else "allowed")
    assert permissions.simulate(iam, USER, wanted) == (["s3:PutObject"], [])


@pytest.mark.parametrize("resources", ["*", ["arn:aws:s3:::a", "arn:aws:s3:::b"]])
@pytest.mark.parametrize("decision", ["implicitDeny", "explicitDeny"])
def test_what_hangs_on_something_untold_is_not_held_against_anybody(decision, resources):
    iam = Iam(lambda action, resource: decision, missing=["aws:MultiFactorAuthPresent"])
    assert permissions.simulate(iam, USER, [allow(["s3:PutObject"], resources)]) == ([], [])


def test_a_failure_of_iam_is_passed_on():
    class Broken(Iam):
        def pages(self, service, operation, **params):
            raise GoneError("no such role")

    with pytest.raises(GoneError):
        permissions.simulate(Broken(), USER, ["s3:PutObject"])
