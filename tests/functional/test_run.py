"""run: everything with one command, nothing twice, and the line between failing and falling back."""

import json
import os
import subprocess
import sys
from random import Random

import pytest
from tests.conftest import SMALL, WRITING

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


def test_from_one_text_to_a_server_that_writes(written):
    found = run(written)
    assert [check["status"] for check in found["checks"]] == [200] * 3
    assert len(found["checks"][-1]["answer"]) == 120


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


@pytest.mark.job
@pytest.mark.parametrize("recipe", ["sentiment", "shakespeare"])
def test_killed_again_and_again_it_ends_with_the_same_bytes(
    recipe, model_path, writer_path, tmp_path
):
    """Wherever the kills fall: in prepare, train, evaluate or package."""
    chosen = {"sentiment": SMALL, "shakespeare": WRITING}[recipe]
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in chosen.items()]
    flags += ["--no-serve", "--workdir", tmp_path]
    command = [sys.executable, "-m", "marfa", "run", recipe, *flags]
    random = Random(1)
    for _ in range(8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = {"sentiment": model_path, "shakespeare": writer_path}[recipe]
    (made,) = tmp_path.rglob("model.tar.gz")
    assert made.read_bytes() == expected.read_bytes()
    assert list(tmp_path.rglob("*.tmp")) == []


def test_a_proxy_is_not_asked_for_this_machine(trained, tmp_path):
    flags = [f"--{k}={v}" for k, v in SMALL.items()]
    done = subprocess.run(
        [sys.executable, "-m", "marfa", "run", *flags, "--workdir", trained.place.workdir],
        capture_output=True, text=True, check=False,
        env={**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for stage in ("prepare", "train", "evaluate", "package", "serve"):
        assert f"\n{stage}\n" in done.stdout


def test_equal_runs_in_two_folders_package_equal_bytes(trained, model_path, tmp_path):
    settings = resolve("sentiment", {**SMALL, "workdir": str(tmp_path)})
    found = run(settings, serve=False)
    with open(found["stages"]["package"]["file"], "rb") as file:
        assert file.read() == model_path.read_bytes()


def test_equal_runs_of_a_generator_package_equal_bytes(writer_path, tmp_path):
    settings = resolve("shakespeare", {**WRITING, "workdir": str(tmp_path)})
    found = run(settings, serve=False)
    with open(found["stages"]["package"]["file"], "rb") as file:
        assert file.read() == writer_path.read_bytes()
