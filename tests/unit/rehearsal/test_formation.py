"""CloudFormation on this machine: the order, the references, and the way back."""

import json

import pytest

from marfa.aws.names import Names
from marfa.aws.template.document import attribute, ref, resource, sub, template
from marfa.errors import CloudError, GoneError
from marfa.rehearsal.formation import Formation, ordered

NAMES = Names("soup", "eu-west-1", "000000000000")
TEMPLATE = template(
    "a soup",
    {
        "Function": resource(
            "AWS::Lambda::Function",
            {
                "FunctionName": "marfa-soup",
                "Code": {"S3Bucket": ref("Bucket")},
                "Until": ref("End"),
            },
            after=["Lease"],
        ),
        "Bucket": resource("AWS::S3::Bucket", {"Tags": [attribute("Lease", "Arn")]}),
        "Lease": resource("AWS::Scheduler::Schedule", {"Input": sub("${AWS::Region}/${End}")}),
    },
    {"Url": sub("https://${Bucket}.${AWS::URLSuffix}/${Function.Arn}")},
    {"End": {"Type": "String"}},
)


class Maker:
    """Makes everything but what it was told not to, and remembers what there is."""

    def __init__(self, fails=""):
        self.fails, self.there, self.log = fails, [], []

    def make(self, resource):
        if resource.logical == self.fails:
            message = "no room"
            raise CloudError(message)
        self.there.append(resource.logical)
        self.log.append(resource)

    def unmake(self, resource):
        self.there.remove(resource.logical)
        self.log.append(resource.logical)


def create(formation, name="marfa-soup-live"):
    parameters = [{"ParameterKey": "End", "ParameterValue": "noon"}]
    given = {"TemplateBody": json.dumps(TEMPLATE), "Parameters": parameters, "Tags": NAMES.tags}
    formation.call("create_stack", {"StackName": name, **given})
    return formation.call("describe_stacks", {"StackName": name})["Stacks"][0]


def test_what_is_needed_is_made_first_and_every_reference_is_replaced():
    maker = Maker()
    stack = create(Formation(NAMES, maker.make, maker.unmake))
    assert maker.there == ["Lease", "Bucket", "Function"]
    lease, bucket, function = maker.log
    assert lease.properties["Input"] == "eu-west-1/noon"
    assert bucket.properties["Tags"][0].startswith("arn:aws:scheduler:eu-west-1:000000000000:")
    assert function.properties == {
        "FunctionName": "marfa-soup", "Code": {"S3Bucket": bucket.name}, "Until": "noon",
    }  # fmt: skip
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    (url,) = stack["Outputs"]
    arn = "arn:aws:lambda:eu-west-1:000000000000:marfa-soup"
    assert url["OutputValue"] == f"https://{bucket.name}.amazonaws.com/{arn}"


def test_a_failure_takes_everything_back_the_last_first_and_says_why():
    maker = Maker(fails="Function")
    formation = Formation(NAMES, maker.make, maker.unmake)
    assert create(formation)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (maker.there, maker.log[2:], formation.left) == ([], ["Bucket", "Lease"], [])
    events = formation.call("describe_stack_events", {"StackName": "marfa-soup-live"})
    assert events["StackEvents"][0]["ResourceStatusReason"] == "no room"


def test_an_interruption_takes_everything_back_too():
    maker = Maker()

    def interrupted(resource):
        if resource.logical == "Function":
            raise KeyboardInterrupt
        maker.make(resource)

    formation = Formation(NAMES, interrupted, maker.unmake)
    with pytest.raises(KeyboardInterrupt):
        create(formation)
    assert (maker.there, formation.left) == ([], [])


def test_a_stack_that_is_deleted_is_gone():
    maker = Maker()
    formation = Formation(NAMES, maker.make, maker.unmake)
    create(formation)
    assert len(formation.left) == 3
    formation.call("delete_stack", {"StackName": "marfa-soup-live"})
    assert (maker.there, formation.left) == ([], [])
    with pytest.raises(GoneError):
        formation.call("describe_stacks", {"StackName": "marfa-soup-live"})


def test_a_circle_is_our_mistake():
    with pytest.raises(AssertionError, match="needs itself"):
        ordered({"a": {"Properties": {"b": ref("b")}}, "b": {"Properties": ref("a")}})
