"""A container: ready or not, it ends when it is told to, and leaves nothing behind."""

import time
import urllib.request

import pytest
from tests.installed import untar

from marfa.rehearsal.container import Container, StuckError, free_port


def test_one_that_is_ready_answers_from_a_folder_as_sagemaker_makes_it(model_path, tmp_path):
    container = Container(model_path, {"MARFA_ENGINE": "numpy"}, tmp_path)
    try:
        container.wait(30)
        assert 0 < container.started < 30
        assert (tmp_path / "opt" / "ml" / "model" / "golden.jsonl").is_file()
        asked = urllib.request.Request(f"{container.url}/invocations", b"good", method="POST")
        asked.add_header("Content-Type", "text/plain")
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 200
    finally:
        container.close()
    assert not container.alive
    assert not (tmp_path / "opt" / "ml").exists()


def test_one_that_answers_elsewhere_is_given_up_and_stopped(model_path, tmp_path):
    container = Container(model_path, {}, tmp_path, listens=free_port())
    began, looks = time.monotonic(), []
    with pytest.raises(StuckError, match="did not pass the ping health check"):
        container.wait(0.5, looks.append)
    assert 0.5 <= time.monotonic() - began < 5
    assert looks
    assert not container.alive


def test_one_that_ends_by_itself_says_its_last_words(model_path, tmp_path):
    broken = tmp_path / "model"
    untar(model_path, broken)
    container = Container(model_path, {"MARFA_ENGINE": "nonsense"}, tmp_path)
    began = time.monotonic()
    with pytest.raises(StuckError, match=r"ended by itself: .*numpy"):
        container.wait(60)
    assert time.monotonic() - began < 30
