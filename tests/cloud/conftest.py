"""The account that tests of the cloud share."""

import pytest
from tests.cloud.aws import account, bed

__all__ = ["account", "bed"]


@pytest.fixture
def desk(bed):
    """CloudFormation in an empty account, but for a zip for functions."""
    from tests.cloud import sample
    from tests.cloud.desk import Desk

    sample.code(bed.session())
    return Desk(bed)
