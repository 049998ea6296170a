"""Deploying to the account of the tests, as a new process on some machine would."""

import pytest
from tests.cloud.aws import account, bed
from tests.cloud.world import World

from marfa.settings import CloudSettings
from marfa.stages.deploy import deploy

__all__ = ["account", "bed", "put", "world"]


@pytest.fixture
def world(bed):
    """What answers at deployed addresses."""
    return World(bed)


@pytest.fixture
def put(bed, world, tmp_path):
    """Deploy a model; by default under the name soup, with numpy from AWS's public layer."""

    def put(model, how="deploy", session=None, **chosen):
        settings = CloudSettings(**{"numpy": "aws", "deployment": "soup", **chosen})
        folder, cloud = str(tmp_path / "work"), bed.cloud(session)
        return deploy(model, settings, workdir=folder, how=how, cloud=cloud, ask=world.ask)

    return put
