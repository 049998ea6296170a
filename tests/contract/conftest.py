"""A model that writes, for what is said of it over HTTP."""

import pytest
from tests.contract import tiny


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("tiny") / "model.tar.gz")
