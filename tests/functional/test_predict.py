"""predict: the shell and the Python API."""

import subprocess
import sys

import numpy as np
import pytest

import marfa
from marfa.errors import RequestError
from marfa.settings import ServeSettings
from marfa.stages.predict import predict
from marfa.stages.serve import Running


def shell(*arguments, stdin=b""):
    return subprocess.run(
        [sys.executable, "-m", "marfa", "predict", *map(str, arguments)],
        input=stdin, capture_output=True, check=False,
    )  # fmt: skip


def test_each_text_gets_a_line(model_path):
    done = shell(model_path, "A wonderful film.", "", "Quatsch mit Soße")
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) == 3
    assert lines[0].split()[0] in {"positive", "negative"}
    assert lines[1] == "-  no word is left of the text after cleaning"


@pytest.mark.parametrize("text", ["", "<br />", "?!", "Это было прекрасно"])
def test_nothing_to_judge_is_exit_3(model_path, text):
    done = shell(model_path, text)
    assert done.returncode == 3
    assert b"no text could be judged" in done.stderr


def test_an_engine_that_does_not_exist_is_exit_2(model_path):
    assert shell(model_path, "good", "--engine", "bogus").returncode == 2


def test_a_text_can_be_piped(model_path):
    assert shell(model_path, stdin="فيلم رائع".encode()).returncode == 0
    assert shell(model_path, "-", stdin=b"good").returncode == 0
    done = shell(model_path, stdin=b"\xff")
    assert done.returncode == 3
    assert b"not UTF-8" in done.stderr


def test_a_missing_model_is_exit_3_and_says_how_to_make_one(tmp_path):
    done = shell(tmp_path / "none.tar.gz", "good")
    assert done.returncode == 3
    assert b"marfa run sentiment" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_api_gives_labels_and_probabilities(model_path):
    model = marfa.load(model_path)
    texts = ["A wonderful film.", "", "dull " * 5000]
    labels, probabilities = model.predict(texts), model.predict_proba(texts)
    assert labels[1] is None
    assert probabilities.shape == (3, len(model.labels))
    assert np.isnan(probabilities[1]).all()
    np.testing.assert_allclose(probabilities[[0, 2]].sum(axis=1), 1)
    assert labels[0] == model.labels[int(probabilities[0].argmax())]
    assert model.predict([]) == []
    assert model.predict_proba([]).shape == (0, 2)


def test_one_text_instead_of_a_list_is_said(model_path):
    with pytest.raises(RequestError, match="a list of texts"):
        marfa.load(model_path).predict("good")


def test_engines_agree(model_path):
    texts = ["A wonderful film.", "It broke within a week.", "فيلم رائع", "Très bon livre"]
    for one, other in zip(
        predict(model_path, texts, engine="numpy"),
        predict(model_path, texts, engine="onnx"),
        strict=True,
    ):
        assert one.label == other.label
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_running_server_says_the_same(model_path):
    texts = ["A wonderful film.", "", "qzxjv wvkqz", "فيلم رائع"]
    with Running(model_path, ServeSettings(port=0)) as server:
        asked = predict("", texts, against=server.url)
        done = shell("--against", server.url, "A wonderful film.", "- not a flag")
    here = predict(model_path, texts)
    assert [each.label for each in asked] == [each.label for each in here]
    assert [each.reason for each in asked] == [each.reason for each in here]
    for one, other in zip(asked, here, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("against", "code", "words"),
    [
        ("http://127.0.0.1:9", 4, "cannot be reached"),
        ("127.0.0.1:8080", 2, "a URL begins with http"),
        ("ftp://x", 2, "no http address"),
    ],
)
def test_a_server_that_does_not_answer_is_said(against, code, words):
    done = shell("--against", against, "good")
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr.decode()


def test_no_model_at_all_is_said():
    done = shell()
    assert done.returncode == 2
    assert b"no model is named" in done.stderr
