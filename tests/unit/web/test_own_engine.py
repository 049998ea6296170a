"""The page's own engine in node, where there is one; tests/browser asks the same of Chromium."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests import untrained
from tests.own import claims

import marfa

OWN, WEB = Path(claims.__file__).parent, Path(marfa.__file__).parent / "web"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node; `make test-browser` asks Chromium")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    for file in (*WEB.glob("*.js"), OWN / "runner.js", OWN / "node.mjs"):
        shutil.copy(file, folder)
    (folder / "package.json").write_text('{"type": "module"}')

    def ask(model, jobs):
        (folder / "jobs.json").write_text(json.dumps(jobs))
        (folder / "model.bin").write_bytes(model)
        name = "model.bin" if model else "-"
        command = [NODE, "node.mjs", name, "jobs.json"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_judges_as_python_with_networks_of_every_shape(engine, name):
    claims.judges_as_python(engine, untrained.judge(*claims.SHAPES[name]), 400)


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_declines_as_python(engine, name):
    kinds = claims.declines_as_python(engine, untrained.judge(*claims.SHAPES[name]), 400)
    assert kinds == {"", "empty", "unknown_words", "script", "short"}


@pytest.mark.parametrize("name", claims.SHAPES)
def test_it_explains_as_python_with_networks_of_every_shape(engine, name):
    claims.explains_as_python(engine, untrained.judge(*claims.SHAPES[name]), 200)


def test_it_takes_late_words_for_rare_as_python(engine):
    claims.takes_late_words_for_rare_as_python(engine)


def test_it_judges_as_python_with_a_trained_model(engine, model_path):
    claims.judges_as_python(engine, model_path, 400)


def test_it_explains_as_python_with_a_trained_model(engine, model_path):
    claims.explains_as_python(engine, model_path, 200)


def test_it_answers_the_golden_requests(engine, model_path, writer_path):
    claims.answers_golden_requests(engine, model_path)
    claims.answers_golden_requests(engine, writer_path)


@pytest.mark.parametrize("name", claims.WRITERS)
def test_it_writes_as_python_with_networks_of_every_shape(engine, name):
    claims.writes_as_python(engine, untrained.writer(claims.WRITERS[name]), 20)


def test_it_writes_as_python_with_a_trained_model(engine, writer_path):
    claims.writes_as_python(engine, writer_path, 20)


def test_a_text_that_was_stopped_ends_as_one_that_was_not(engine, writer_path):
    claims.goes_on_as_unbroken(engine, writer_path)


def test_it_draws_as_python(engine):
    claims.draws_as_python(engine)


def test_it_stems_as_snowball(engine):
    claims.stems_as_snowball(engine)


def test_it_cleans_as_python(engine):
    claims.cleans_as_python(engine)


def test_its_unicode_is_pythons_as_far_as_python_knows_it(engine):
    assert claims.knows_unicode_as_python(engine) == []
