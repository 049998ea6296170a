"""A person at a desk who works with CloudFormation, for the tests of the bed itself."""

import pytest
from botocore.exceptions import ClientError
from tests.cloud import sample


class Desk:
    """CloudFormation, and what a person does with it.

    Args:
        bed: the account.
    """

    def __init__(self, bed):
        self.bed, self.session = bed, bed.session()
        self.client = self.session.client("cloudformation")

    def look(self, name="soup"):
        return self.client.describe_stacks(StackName=name)["Stacks"][0]

    def wait(self, name="soup"):
        self.bed.settle()
        return self.look(name)

    def make(self, template, **parameters):
        self.client.create_stack(**sample.wanted(template, **parameters))
        return self.wait()

    def change(self, template, **parameters):
        self.client.update_stack(**sample.wanted(template, **parameters))
        return self.wait()

    def remove(self, name="soup"):
        arn = self.look(name)["StackId"]
        self.client.delete_stack(StackName=name)
        return self.wait(arn)

    def events(self, name="soup"):
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]]

    def reasons(self, name="soup"):
        return [
            f"{each['LogicalResourceId']}: {each['ResourceStatusReason']}"
            for each in self.events(name)
            if each["ResourceStatus"].endswith("_FAILED")
        ]

    def of(self, service, operation, **parameters):
        return getattr(self.session.client(service), operation)(**parameters)


def refusal(call, *positional, **named):
    """Return the words with which AWS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call(*positional, **named)
    return caught.value.response["Error"]["Message"]
