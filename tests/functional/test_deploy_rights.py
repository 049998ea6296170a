"""deploy asks for the rights that it needs, and for no others; and says what rights can become."""

import pytest
from tests.cloud import rights
from tests.cloud.deploying import account, bed, put, world

from marfa.console import Silence
from marfa.errors import NotPermittedError
from marfa.settings import CloudSettings
from marfa.stages.deploy import deploy

__all__ = ["account", "bed", "put", "world"]


@pytest.fixture
def forbidden(bed):
    """Actions that something denies whoever deploys."""
    yield rights.FORBIDDEN
    rights.FORBIDDEN.clear()


def test_a_right_that_is_not_needed_holds_nothing_up(bed, put, model_path, forbidden):
    forbidden |= {
        *("sagemaker:CreateTrainingJob", "sagemaker:CreateTransformJob"),
        *("cloudfront:UpdateDistribution", "sagemaker:DeleteModel", "ecr:DescribeImages"),
    }
    assert put(model_path)["url"]
    with pytest.raises(NotPermittedError, match=r"forbidden: .*sagemaker:DeleteModel") as caught:
        put(model_path, target="endpoint", deployment="stew")
    assert "CreateTrainingJob" not in str(caught.value)
    with pytest.raises(NotPermittedError, match="forbidden: cloudfront:UpdateDistribution"):
        put(model_path, site=True)


def test_who_is_shown_the_rights_is_told_what_they_can_become(bed, model_path, tmp_path):
    told = []

    class Listening(Silence):
        def say(self, line):
            told.append(line)

    deploy(
        model_path, CloudSettings(deployment="soup"), Listening(), how="policy",
        workdir=str(tmp_path), cloud=bed.cloud(),
    )  # fmt: skip
    assert "for every target, --site, and jobs" in told[0]
    assert "as strong as an administrator" in told[1]
