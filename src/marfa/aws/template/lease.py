"""The lease: a schedule that deletes the stack it stands in, and does not give up.

It begins when the lease ends and repeats as long as it is there, which it is until the endpoint is gone:
deleting again what is being deleted does nothing, and a deletion that failed is tried again.
"""

from __future__ import annotations

from marfa.aws.names import Names
from marfa.aws.template.document import Resources, ref, resource, sub

NAME = "Lease"
EVERY = "rate(5 minutes)"


def resources(names: Names, end: str) -> Resources:
    """Write the schedule.

    Args:
        names: the deployment's names.
        end: the parameter that says when the lease ends.
    """
    return {
        NAME: resource(
            "AWS::Scheduler::Schedule",
            {
                "Name": names.one,
                "Description": names.mark,
                "GroupName": "default",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "ScheduleExpression": EVERY,
                "StartDate": ref(end),
                "Target": {
                    "Arn": f"arn:{names.partition}:scheduler:::aws-sdk:cloudformation:deleteStack",
                    "RoleArn": names.role_arn("scheduler"),
                    # by its id, so that it can never be a later stack of the same name
                    "Input": sub('{"StackName":"${AWS::StackId}"}'),
                    # the next five minutes are the retry: one kept for later could end a renewed lease
                    "RetryPolicy": {"MaximumRetryAttempts": 0},
                },
            },
        )
    }
