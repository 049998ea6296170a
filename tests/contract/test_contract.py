"""One table of requests, every door: the pure function, the handler, the HTTP server."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.doors import assert_handled_as_the_contract_does

from marfa.container import contract, golden
from marfa.container.contract import EVENTS, JSON, LINES, PROBLEM, TEXT, Limits, Request, respond
from marfa.errors import BundleError
from marfa.loading import load
from marfa.settings import ServeSettings

REVIEW = "A wonderful film, I loved it and I recommend it."


@pytest.fixture(scope="module")
def model(model_path):
    return load(model_path, engine="numpy")


def ask(model, body, content_type=TEXT, accept="", path="/invocations", method="POST"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return respond(model, Request(method, path, content_type, accept, body))


def test_plain_text_in_and_the_tutorials_single_value_out(model):
    response = ask(model, REVIEW.encode(), TEXT, TEXT)
    assert (response.status, response.content_type) == (200, "text/plain; charset=utf-8")
    assert response.body in {b"0", b"1"}
    label = json.loads(ask(model, REVIEW.encode()).body)["label"]
    assert model.labels[int(response.body)] == label


def test_an_answer_says_what_and_how_sure_and_what_was_known(model):
    answer = json.loads(ask(model, {"text": REVIEW + " Zorblax!"}, JSON).body)
    assert list(answer) == ["label", "score", "probabilities", "known_words", "model"]
    assert answer["label"] in model.labels
    assert answer["score"] == max(answer["probabilities"].values())
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=2e-4)
    assert answer["known_words"]["total"] == 11
    assert "zorblax" in answer["known_words"]["unknown"]
    assert answer["model"] == model.model_id


def test_why_a_label_is_told_of_each_word_where_it_stands_in_the_text_as_it_was_sent(model):
    text = "\U0001f3ac A <b>wonderful</b> caf&eacute; film, I loved it."
    answer = json.loads(ask(model, {"text": text, "explain": True}, JSON).body)
    assert list(answer)[-1] == "explanation"
    assert answer["explanation"]["label"] == answer["label"]
    words = answer["explanation"]["words"]
    pieces = ["A", "wonderful", "caf&eacute;", "film", "I", "loved", "it"]
    assert [word["text"] for word in words] == pieces
    assert all(text[word["start"] : word["end"]] == word["text"] for word in words)
    assert all(list(word) == ["text", "start", "end", "weight"] for word in words)
    assert any(word["weight"] for word in words)
    without = text.replace("wonderful", "")
    other = json.loads(ask(model, {"text": without}, JSON).body)["probabilities"]
    lost = answer["score"] - other[answer["label"]]
    assert words[1]["weight"] == pytest.approx(lost, abs=2.1e-4)


def test_only_what_is_asked_for_and_has_a_label_is_explained(model):
    plain = json.loads(ask(model, {"text": REVIEW, "explain": False}, JSON).body)
    assert "explanation" not in plain
    found = json.loads(ask(model, {"texts": [REVIEW, ""], "explain": True}, JSON).body)["results"]
    assert ["explanation" in each for each in found] == [True, False]
    rows = [{"text": REVIEW, "explain": True}, {"text": REVIEW}, {"text": REVIEW, "explain": 1}]
    body = b"\n".join(json.dumps(row).encode() for row in rows)
    lines = [json.loads(line) for line in ask(model, body, LINES).body.splitlines()]
    assert lines[0].pop("explanation") == found[0]["explanation"]
    assert lines[:2] == [plain, plain]
    assert lines[2]["error"]["detail"] == "explain must be true or false"
    response = ask(model, {"text": REVIEW, "explain": True}, JSON, TEXT)
    assert response.body == str(model.labels.index(plain["label"])).encode()


class Counting:
    """An engine that counts its calls."""

    def __init__(self, engine):
        self.engine, self.calls = engine, 0
        self.name, self.at_once = engine.name, engine.at_once

    def probabilities(self, tokens_BT, lengths_B):
        self.calls += 1
        return self.engine.probabilities(tokens_BT, lengths_B)


def test_an_explanation_is_made_a_call_at_a_time_and_sent_as_a_whole(model_path):
    model = load(model_path, engine="numpy")
    model.engine = engine = Counting(model.engine)
    body = json.dumps({"text": REVIEW * 60, "explain": True}).encode()
    parts, calls = [], []
    for part in contract.ask(model, Request("POST", "/invocations", JSON, JSON, body)).parts:
        parts.append(part)
        calls.append(engine.calls)
    assert calls[0] == 1  # what has judged it
    assert calls[-1] > 50
    assert set(np.diff(calls)) <= {0, 1}
    assert [part.body for part in parts[:-1]] == [b""] * (len(parts) - 1)
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(json.loads(parts[-1].body)["explanation"]["words"]) == 600


def test_many_texts_are_answered_as_each_alone(model):
    texts = [REVIEW, "dull", "", "qzx", REVIEW * 30]
    results = json.loads(ask(model, {"texts": texts}, JSON).body)["results"]
    for text, found in zip(texts, results, strict=True):
        alone = ask(model, {"text": text}, JSON)
        if alone.status == 200:
            assert golden._alike(found, json.loads(alone.body), 0)
        else:
            assert found["label"] is None
            assert found["reason"] in json.loads(alone.body)["detail"]


def test_lines_answer_line_by_line_and_a_bad_one_spoils_no_other(model):
    body = b'{"text": "wonderful"}\n{"text": 1}\r\nnonsense\n\n{"text": ""}\n'
    response = ask(model, body, LINES)
    assert response.content_type == LINES
    answers = [json.loads(line) for line in response.body.splitlines()]
    assert [("error" in answer) for answer in answers] == [False, True, True, True, False]
    assert answers[1]["error"]["status"] == 400
    assert answers[4]["label"] is None


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", TEXT, 422),
        (b" \n\t", TEXT, 422),
        (b"<br /><!-- x --><p></p>", TEXT, 422),
        ("؟!…".encode(), TEXT, 422),
        (b"qzxv wvqk zzzt", TEXT, 422),
        ("Это было прекрасно".encode(), TEXT, 422),
        (b"\xff\xfe\x00", TEXT, 400),
        (b"\xc3\x28", JSON, 400),
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"null", JSON, 400),
        (b"[]", JSON, 400),
        (b"{}", JSON, 400),
        (b'{"text": null}', JSON, 400),
        (b'{"text": NaN}', JSON, 400),
        (b'{"text": "a", "x": Infinity}', JSON, 400),
        (b'{"text": "good", "extra": 1}', JSON, 400),
        (b'{"text": "good", "explain": 1}', JSON, 400),
        (b'{"text": "good", "explain": "extra"}', JSON, 400),
        (b'{"texts": ["good"], "explain": null}', JSON, 400),
        (b'{"explain": true}', JSON, 400),
        (json.dumps({"texts": ["a"] * 9, "explain": True}).encode(), JSON, 413),
        (b'{"text": "a", "explain": true}\n' * 9, LINES, 413),
        (b'{"text": "a", "texts": ["b"]}', JSON, 400),
        (b'{"texts": "good"}', JSON, 400),
        (b'{"texts": [1]}', JSON, 400),
        (b'{"texts": []}', JSON, 400),
        (b'{"a":' * 100_000, JSON, 400),
        (b'{"text": ' + b"9" * 10_000 + b"}", JSON, 400),
        (b"", LINES, 400),
        (json.dumps({"texts": ["a"] * 257}).encode(), JSON, 413),
        (b"{}\n" * 257, LINES, 413),
        (b"x" * ((1 << 20) + 1), TEXT, 413),
        (b"good", "", 415),
        (b"good", "image/png", 415),
        (b"good", "text/plain; charset=latin-1", 415),
        (b"good", "text/csv", 415),
    ],
)
def test_bad_input_gets_its_4xx_and_none_of_it_comes_back(model, body, content_type, status):
    response = ask(model, body, content_type)
    assert (response.status, response.content_type) == (status, PROBLEM)
    document = json.loads(response.body)
    assert document["status"] == status
    refused = {"refused"} if status == 422 else set()
    assert set(document) == {"type", "title", "status", "detail"} | refused
    for word in ("qzxv", "extra", "прекрасно", "Traceback"):
        assert word not in response.body.decode()


@pytest.mark.parametrize(
    "text",
    [
        "\ud800 wonderful",
        "wonderful \x00 film",
        "\u202e wonderful",
        "wonderful " * 50_000,
        "<a " * 20_000 + "good",
    ],
)
def test_odd_texts_are_read_for_what_they_say(model, text):
    assert ask(model, {"text": text}, JSON).status == 200


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("", 200, JSON),
        ("*/*", 200, JSON),
        ("application/*", 200, JSON),
        ("text/*", 200, "text/plain; charset=utf-8"),
        ("text/html, text/plain;q=0.5, application/json;q=0.9", 200, JSON),
        ("application/jsonlines", 200, LINES),
        ("text/html", 406, PROBLEM),
        (EVENTS, 406, PROBLEM),
        ("application/json;q=0", 406, PROBLEM),
        ("application/json;q=zero", 406, PROBLEM),
        (",;,", 406, PROBLEM),
        ("application/json;q=0, */*", 200, "text/plain; charset=utf-8"),
        ("*/*, application/json;q=0", 200, "text/plain; charset=utf-8"),
        ("application/*;q=0.2, */*;q=0.5", 200, "text/plain; charset=utf-8"),
        ("text/*;q=0, application/json;q=0, */*;q=0.1", 200, LINES),
        ("*/*;q=0.9, application/*;q=0.1, application/jsonlines", 200, LINES),
        ("text/plain, application/json", 200, JSON),
        ("application/json;q=nan, text/plain;q=0.1", 200, "text/plain; charset=utf-8"),
        ("application/json;q=7, text/plain;q=0.1", 200, "text/plain; charset=utf-8"),
        ("*/*;q=0", 406, PROBLEM),
        ("application/json;q=0, text/*;q=0, application/*;q=0, */*", 406, PROBLEM),
    ],
)
def test_accept_is_honoured(model, accept, status, content_type):
    response = ask(model, REVIEW.encode(), TEXT, accept)
    assert (response.status, response.content_type) == (status, content_type)


def test_without_a_word_the_limits_are_those_of_the_server():
    settings = ServeSettings()
    assert Limits() == Limits(settings.max_body_bytes, settings.max_texts, settings.max_length)


def test_addresses_and_methods(model):
    assert ask(model, b"", path="/ping", method="GET").body == b'{"status":"Healthy"}'
    assert ask(model, b"", path="/nowhere").status == 404
    assert "/v1/predict" in json.loads(ask(model, b"", path="/v1/generate").body)["detail"]
    assert ask(model, REVIEW.encode(), path="/v1/predict").status == 200
    assert ask(model, b"", method="GET").status == 405
    described = json.loads(ask(model, b"", path="/v1/model", method="GET").body)
    assert described["labels"] == list(model.labels)
    assert 0 <= described["metrics"]["baseline_accuracy"] <= 1


def test_a_text_of_mostly_unknown_words_is_declined_not_guessed(model):
    answer = json.loads(ask(model, b"wonderful zzq xxv qqj wvx").body)
    assert (answer["label"], answer["score"]) == (None, None)
    assert answer["reason"] == "only 1 of 5 words are known to the model"
    assert ask(model, b"wonderful zzq xxv qqj wvx", TEXT, TEXT).status == 422


@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from([TEXT, JSON, LINES, "x/y"]),
    accept=st.text(max_size=40),
)
def test_no_bytes_break_it(model, body, content_type, accept):
    response = ask(model, body, content_type, accept)
    assert response.status in {200, 400, 406, 413, 415, 422}
    if response.content_type in {JSON, PROBLEM}:
        json.loads(response.body)


@given(text=st.text(st.characters()))
def test_no_text_breaks_it(model, text):
    assert ask(model, {"text": text}, JSON).status in {200, 422}


# The other doors answer the same.


def test_the_handlers_four_functions_answer_as_the_contract(model_path, tmp_path):
    assert_handled_as_the_contract_does(model_path, tmp_path)


def test_both_engines_answer_every_golden_request(model_path):
    from marfa import bundle

    recorded = bundle.load(model_path).contents["golden.jsonl"]
    for engine in ("numpy", "onnx"):
        assert (
            golden.replay(load(model_path, engine=engine), recorded)
            == len(recorded.splitlines())
            > 20
        )


def test_a_model_that_answers_otherwise_is_noticed(model_path):
    from marfa import bundle

    recorded = bundle.load(model_path).contents["golden.jsonl"]
    model = load(model_path, engine="numpy")
    model.engine._bias_C = np.add(model.engine._bias_C, [0.0, 0.5])
    with pytest.raises(BundleError, match="answered differently"):
        golden.replay(model, recorded)


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b'{"request": {}, "response": {}}', b"\xff"])
def test_a_recording_that_is_none_is_refused(model, damage):
    with pytest.raises(BundleError):
        golden.replay(model, damage)


@pytest.mark.parametrize(("content_type", "body"), [
    (JSON, b"not json"), (JSON, b""), (JSON, b"[" * 100_000), (LINES, b"not json\n{}\n{}\n"),
    (LINES, b"\xff\n\xff\n\xff\n"),
])  # fmt: skip
def test_a_recorded_answer_that_is_not_json_is_another_answer(model, content_type, body):
    pairs = [json.loads(line) for line in golden.record(model).splitlines()]
    pair = next(p for p in pairs if p["response"]["content_type"] == content_type)
    pair["response"]["body"] = base64.b64encode(body).decode()
    with pytest.raises(BundleError, match="answered differently"):
        golden.replay(model, json.dumps(pair).encode())


@pytest.mark.parametrize("name", ["path", "content_type", "accept"])
def test_a_recorded_request_without_texts_is_no_recording(model, name):
    pair = json.loads(golden.record(model).splitlines()[0])
    pair["request"][name] = [1]
    with pytest.raises(BundleError, match="not a recording"):
        golden.replay(model, json.dumps(pair).encode())


def test_numbers_may_differ_by_the_tolerance_and_by_no_more(model):
    response = ask(model, REVIEW.encode())
    answer = json.loads(response.body)
    for shift, alike in ((0.0001, True), (0.001, False)):
        moved = {**answer, "score": answer["score"] - shift}
        other = replace(response, body=json.dumps(moved).encode())
        assert golden.same(other, response, model.tolerance) is alike
    other = replace(response, body=response.body.replace(answer["label"].encode(), b"other"))
    assert not golden.same(other, response, model.tolerance)


@pytest.mark.parametrize("part", ["request", "response"])
@pytest.mark.parametrize("other", [[], "x", 1, None, True])
def test_a_recording_of_something_else_is_none(model, part, other):
    pair = json.loads(golden.record(model).splitlines()[0])
    pair[part] = other
    with pytest.raises(BundleError, match="not a recording"):
        golden.replay(model, json.dumps(pair).encode())


def test_a_model_whose_engine_fails_is_refused_when_it_is_loaded(model_path):
    class Broken:
        name = precision = "broken"

    model = load(model_path, engine="numpy")
    recorded = golden.record(model)
    model.engine = Broken()
    with pytest.raises(BundleError, match="cannot answer here"):
        golden.replay(model, recorded)
