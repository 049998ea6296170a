"""What all tests share: no home folder, no network, and one small trained model."""

import os
from pathlib import Path

# before numpy and torch come in: two busy thread pools on two cores stand still for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")
# matplotlib writes its font list to the home folder when it is imported; here, once, beside pytest's own
os.environ.setdefault("MPLCONFIGDIR", f"{Path(__file__).parents[1]}/.pytest_cache/matplotlib")

import pytest
from hypothesis import settings

from marfa.recipes import resolve

settings.register_profile("marfa", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("marfa")

SMALL = {
    "preset": "sample",
    "vocabulary": 1500,
    "embedding": 16,
    "hidden": 12,
    "epochs": 4,
    "threads": 1,
}


@pytest.fixture(autouse=True)
def no_home(monkeypatch, tmp_path_factory):
    """No test reads or writes the user's folders, or sees the user's settings."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp() / "home"))
    for name in list(os.environ):
        if name.startswith("MARFA_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def small_settings(tmp_path_factory):
    """Settings of a run that takes seconds."""
    return resolve("sentiment", {**SMALL, "workdir": str(tmp_path_factory.mktemp("work"))})


@pytest.fixture(scope="session")
def trained(small_settings):
    """A work folder in which everything up to `package` has been done."""
    import marfa

    for stage in (marfa.prepare, marfa.train, marfa.evaluate, marfa.package):
        stage(small_settings)
    return small_settings


@pytest.fixture(scope="session")
def model_path(trained) -> Path:
    """A packaged model."""
    return trained.folder / "model.tar.gz"


WRITING = {
    "preset": "sample",
    "embedding": 16,
    "hidden": 12,
    "layers": 2,
    "batch_size": 8,
    "epochs": 2,
    "learning_rate": 0.02,
    "threads": 1,
    "sample": 40_000,
}


@pytest.fixture(scope="session")
def writer_settings(tmp_path_factory):
    """Settings of a generator's run that takes seconds."""
    return resolve("shakespeare", {**WRITING, "workdir": str(tmp_path_factory.mktemp("writing"))})


@pytest.fixture(scope="session")
def written(writer_settings):
    """A work folder in which everything up to `package` has been done for a generator."""
    import marfa

    for stage in (marfa.prepare, marfa.train, marfa.evaluate, marfa.package):
        stage(writer_settings)
    return writer_settings


@pytest.fixture(scope="session")
def writer_path(written) -> Path:
    """A packaged generator."""
    return written.model_file
