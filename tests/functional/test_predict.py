"""predict: the shell and the Python API."""

import json
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


TEXT = "A <b>wonderful</b> film: I loved it, though the ending was dull."


def test_why_is_told_in_signs_and_bars_the_strongest_first(model_path):
    done = shell(model_path, "--explain", TEXT, "")
    lines = done.stdout.decode().splitlines()
    label = lines[0].split()[0]
    assert lines[1] == f"  + speaks for {label}, - against: what it loses without the word"
    told = [
        line.split()
        for line in lines[2 : lines.index("-  no word is left of the text after cleaning")]
    ]
    weights = [float(weight) for weight, bar, *_ in told if set(bar) <= {"+", "-"}]
    assert weights == sorted(weights, key=abs, reverse=True)
    assert len(weights) >= 1
    for weight, bar, word in told[: len(weights)]:
        assert set(bar) == {weight[0]}
        assert word in TEXT
    assert b"\x1b" not in done.stdout


def test_why_as_a_document_holds_every_word(model_path):
    done = shell(model_path, "--explain", "--json", TEXT)
    (found,) = json.loads(done.stdout)["results"]
    words = found["explanation"]["words"]
    assert len(words) == found["total"] == 11
    assert all(TEXT[word["start"] : word["end"]] == word["text"] for word in words)
    plain = json.loads(shell(model_path, "--json", TEXT).stdout)["results"][0]
    assert "explanation" not in plain


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


def test_a_running_server_says_why(model_path):
    texts = [TEXT] * 9 + [""]  # more than it explains in one request
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        asked = predict("", texts, against=server.url, explain=True)
    (here,) = predict(model_path, [TEXT], engine="numpy", explain=True)
    assert [each.explanation is None for each in asked] == [False] * 9 + [True]
    for one, other in zip(asked[8].explanation.words, here.explanation.words, strict=True):
        assert (one.text, one.start, one.end) == (other.text, other.start, other.end)
        assert one.weight == pytest.approx(other.weight, abs=1e-4)


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
