"""A limit of the account's that AWS names only while a stack is made: what is told to type."""

import pytest
from tests.cloud.deploying import account, bed, put, world

from marfa.errors import CloudError

__all__ = ["account", "bed", "put", "world"]

LOOKING = "aws service-quotas list-service-quotas --service-code"


@pytest.mark.parametrize(
    ("target", "failing", "reason", "hint"),
    [
        (
            *("lambda", "AWS::Lambda::Function", "Code storage limit exceeded."),
            f"{LOOKING} lambda --region eu-west-1",
        ),
        (
            *("endpoint", "AWS::SageMaker::Endpoint", "The account-level service limit is 0."),
            f"{LOOKING} sagemaker --region eu-west-1; or another --instance-type",
        ),
    ],
)
def test_another_machine_is_told_of_only_where_a_machine_was_refused(
    bed, put, model_path, target, failing, reason, hint
):
    bed.conduct.fail(failing, reason=reason)
    with pytest.raises(CloudError, match="AWS could not make it") as caught:
        put(model_path, target=target)
    assert caught.value.hint == hint
