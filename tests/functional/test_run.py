"""run: everything with one command, nothing twice, and the line between failing and falling back."""

import json
import subprocess
import sys

import pytest
from tests.conftest import SMALL

from marfa.errors import SettingsError
from marfa.recipes import resolve
from marfa.stages.run import run


def shell(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "marfa", "run", *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=cwd,
    )  # fmt: skip


def test_from_texts_to_a_server_that_answers(trained):
    found = run(trained)
    assert [check["status"] for check in found["checks"]] == [200] * 4
    assert list(found["stages"]) == ["fetch", "prepare", "train", "evaluate", "package"]


def test_it_stops_where_it_is_told(tmp_path):
    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path)})
    assert list(run(settings, until="prepare")["stages"]) == ["fetch", "prepare"]
    assert not (settings.folder / "run").exists()
    with pytest.raises(SettingsError, match="is no stage"):
        run(settings, until="lunch")


def test_the_command_prints_one_document(trained, tmp_path):
    flags = [f"--{k}={v}" for k, v in SMALL.items()]
    done = shell(*flags, "--workdir", trained.place.workdir, "--json", "--no-serve")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema_version"], document["command"]) == (1, "run")
    assert "nothing has changed" in done.stderr


def test_imdb_from_nowhere_is_exit_4_with_a_way_out(tmp_path):
    done = shell("sentiment", "--offline", cwd=tmp_path)
    assert done.returncode == 4
    assert "--mirror" in done.stderr
    assert "Traceback" not in done.stderr


def test_equal_runs_in_two_folders_package_equal_bytes(trained, model_path, tmp_path):
    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path)})
    found = run(settings, serve=False)
    with open(found["stages"]["package"]["file"], "rb") as file:
        assert file.read() == model_path.read_bytes()
