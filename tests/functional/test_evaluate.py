"""evaluate: the network beside what needs no network, and the same figures through every door."""

import json
import re

import pytest

from marfa.errors import DataError, NetworkError, SettingsError
from marfa.recipes import resolve
from marfa.settings import ServeSettings
from marfa.stages.evaluate import evaluate
from marfa.stages.evaluate.classifier import NETWORK
from marfa.stages.serve import Running


def test_three_systems_are_measured_on_the_same_texts(trained):
    found = evaluate(trained)
    assert list(found["systems"]) == ["bag of words", "majority class", "network"]
    assert len({measured["n"] for measured in found["systems"].values()}) == 1
    assert found["summary"]["accuracy"] == found["systems"][NETWORK]["accuracy"]
    assert found["verdict"].endswith(".")


def test_a_running_server_gives_the_same_figures(trained, model_path):
    expected = evaluate(trained)["systems"][NETWORK]
    for engine in ("numpy", "onnx"):
        with Running(model_path, ServeSettings(port=0, engine=engine)) as server:
            (found,) = evaluate(trained, against=server.url)["systems"].values()
        for exact in ("accuracy", "confusion", "f1", "n"):
            assert found[exact] == expected[exact]
        assert "log_loss" not in found  # four digits are too few for it
        for close in ("auroc", "brier", "ece"):
            assert found[close] == pytest.approx(expected[close], abs=2e-3)


def test_a_server_is_asked_about_so_many_texts_of_each_label(trained, model_path):
    with Running(model_path, ServeSettings(port=0)) as server:
        (some,) = evaluate(trained, against=server.url, per_label=3)["systems"].values()
        (again,) = evaluate(trained, against=server.url, per_label=3)["systems"].values()
        (whole,) = evaluate(trained, against=server.url, per_label=0)["systems"].values()
    assert some["n"] == 6 < whole["n"]
    assert some == again  # always the same ones


def test_the_report_needs_nothing_but_itself(trained):
    page = (trained.folder / "run" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert page.count("<svg") >= 4


def test_measuring_twice_gives_the_same_bytes(trained):
    path = trained.folder / "run" / "metrics.json"
    before = path.read_bytes()
    path.unlink()
    evaluate(trained)
    assert path.read_bytes() == before
    json.loads(before)


def test_nothing_trained_says_what_to_type(tmp_path):
    with pytest.raises(DataError, match="has not been done"):
        evaluate(resolve("sentiment", {"workdir": str(tmp_path)}))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://x", SettingsError),
        ("127.0.0.1:1", SettingsError),
        ("http://127.0.0.1:1", NetworkError),
    ],
)
def test_an_address_that_does_not_answer(trained, url, error):
    with pytest.raises(error):
        evaluate(trained, against=url)


def test_a_generator_is_measured_beside_n_grams(written):
    found = evaluate(written)
    assert set(found["systems"]) == {"network", "5-gram", "7-gram", "unigram"}
    assert len({measured["n"] for measured in found["systems"].values()}) == 1
    systems = found["systems"]
    assert systems["5-gram"]["loss"] < systems["unigram"]["loss"]
    assert systems["network"]["loss"] < systems["unigram"]["loss"]
    assert [len(sample["text"]) for sample in found["samples"]] == [800] * 3
    assert found["memory"]["prompts"] == len(found["memory"]["agreed"]) == 16


def test_training_and_evaluation_say_the_same_of_the_held_out_part(written):
    """Both ask one function; only the number of characters before the part may differ."""
    best = json.loads((written.run_folder / "config.json").read_text())["best"]
    measured = evaluate(written)["systems"]["network"]["loss"]
    assert measured == pytest.approx(best["validation_loss"], abs=1e-5)


def test_a_generators_report_needs_nothing_but_itself(written):
    page = (written.run_folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "<svg" in page


def test_a_running_generator_is_timed_and_its_memory_tested(written, writer_path):
    expected = evaluate(written)["memory"]["median"]
    with Running(writer_path, ServeSettings(port=0, engine="onnx")) as server:
        (found,) = evaluate(written, against=server.url)["systems"].values()
    assert found["median_memory"] == expected
    assert found["characters_per_second"] > 0
    assert found["first_character_seconds"] < 5
