"""The generator's requests, through the pure function and the handler; test_streams has the server."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import streamed
from tests.contract import tiny
from tests.contract.doors import assert_handled_as_the_contract_does

from marfa import bundle, loading
from marfa.container import golden, questions
from marfa.container.contract import (
    EVENTS,
    JSON,
    LINES,
    PROBLEM,
    TEXT,
    Limits,
    Request,
    Response,
    respond,
)
from marfa.errors import BundleError, MarfaError

PROMPT = "to the sea"


@pytest.fixture(scope="module")
def model(tiny_path):
    return loading.writer(tiny_path, engine="numpy")


def ask(model, body, content_type=JSON, accept="", path="/v1/generate", method="POST"):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return respond(model, Request(method, path, content_type, accept, body))


def answer(model, **document):
    response = ask(model, document)
    assert response.status == 200, response.body
    return json.loads(response.body)


def test_length_and_prompt_in_and_a_text_of_that_length_out(model):
    response = ask(model, b"100-To the ", TEXT, TEXT)
    assert (response.status, response.content_type) == (200, "text/plain; charset=utf-8")
    assert len(response.body.decode()) == 100
    assert response.body.startswith(b"to the ")


@pytest.mark.parametrize(
    ("body", "prompt"),
    [
        ("9-", ""),
        ("9--", "-"),
        ("9-a-b", "a-b"),
        ("9- a ", " a "),
        ("9-a\nb", "a\nb"),
        ("000000009-a", "a"),
        ("9-aё", "aё"),
        ("\ufeff9-a", "a"),
    ],
)
def test_everything_after_the_first_dash_is_the_prompt(model, body, prompt):
    response = ask(model, body.encode(), TEXT)
    if prompt == "-":
        assert response.status == 422
        return
    found = json.loads(response.body)
    assert (found["prompt"], found["length"], len(found["text"])) == (prompt, 9, 9)


def test_an_answer_says_how_the_text_was_made(model):
    found = answer(model, prompt="To the Zsea", length=50, temperature=1, top_k=5, seed=7)
    text = found.pop("text")
    assert list(found) == [
        *("prompt", "length", "temperature", "top_k", "top_p", "seed", "unknown", "model")
    ]
    assert found == {
        "prompt": "to the zsea",
        "length": 50,
        "temperature": 1.0,
        "top_k": 5,
        "top_p": 1.0,
        "seed": 7,
        "unknown": 1,
        "model": model.model_id,
    }
    assert (len(text), text.startswith("to the zsea")) == (50, True)


def test_without_a_word_the_defaults_are_those_that_the_model_tells(model):
    told = json.loads(ask(model, b"", path="/v1/model", method="GET").body)["defaults"]
    found = answer(model)
    assert {name: found[name] for name in told} == told
    assert (found["prompt"], len(found["text"])) == ("", told["length"])


def test_equal_requests_with_a_seed_give_equal_texts_and_without_one_others(model):
    assert answer(model, seed=5)["text"] == answer(model, seed=5)["text"]
    assert answer(model, seed=5)["text"] != answer(model, seed=6)["text"]
    first, second = answer(model), answer(model)
    assert first["seed"] != second["seed"]
    assert answer(model, seed=first["seed"])["text"] == first["text"]


def test_every_form_tells_the_same_text(model):
    document = {"prompt": PROMPT, "length": 90, "seed": 3, "top_p": 0.9}
    text = answer(model, **document)["text"]
    assert ask(model, document, JSON, TEXT).body.decode() == text
    response = ask(model, document, JSON, EVENTS)
    assert (response.status, response.content_type) == (200, "text/event-stream; charset=utf-8")
    assert streamed.text_of(streamed.events(response.body)) == text


def test_a_stream_is_start_then_texts_then_done_and_the_positions_add_up(model):
    document = {"prompt": PROMPT, "length": 60, "seed": 3}
    found = streamed.events(ask(model, document, JSON, EVENTS).body)
    assert [name for _, name, _ in found] == ["start", *["text"] * (len(found) - 2), "done"]
    start = found[0][2]
    expected = answer(model, **document)
    expected.pop("text")
    assert start == {**expected, "position": len(PROMPT)}
    place = start["position"]
    for id_, _, data in found[1:-1]:
        place += len(data["text"])
        assert data["position"] == place
        assert id_.startswith(f"{place}.")
        assert set(id_) <= set("0123456789abcdef.")
        assert len(id_) < 30
    assert len(found[1][2]["text"]) == 1  # the first character is not kept waiting
    assert found[-1] == ("", "done", {"position": 60})


def test_a_text_that_is_all_prompt_has_nothing_to_be_written(model):
    document = {"prompt": PROMPT, "length": len(PROMPT), "seed": 1}
    assert answer(model, **document)["text"] == PROMPT
    found = streamed.events(ask(model, document, JSON, EVENTS).body)
    assert [name for _, name, _ in found] == ["start", "done"]


# A text that was cut goes on where it stopped.


@given(
    place=st.integers(11, 70),
    seed=st.integers(0, 2**53 - 1),
    how=st.sampled_from([{}, {"temperature": 0}, {"top_k": 3}, {"top_p": 0.5, "temperature": 2}]),
)
def test_cut_at_any_place_the_rest_makes_the_text_whole(model, place, seed, how):
    document = {"prompt": PROMPT, "length": 70, "seed": seed, **how}
    whole = answer(model, **document)["text"]
    token = questions.Places(model.model_id, model.engine.precision, plan(model, document)).token(
        place
    )
    rest = {**document, "continuation": token}
    assert whole[:place] + answer(model, **rest)["text"] == whole
    assert whole[:place] + ask(model, rest, JSON, TEXT).body.decode() == whole
    found = streamed.events(ask(model, rest, JSON, EVENTS).body)
    assert found[0][2]["position"] == place
    assert whole[:place] + "".join(data["text"] for _, name, data in found if name == "text") == (
        whole
    )
    assert found[-1][1:] == ("done", {"position": 70})


def plan(model, document):
    return model.plan(document["prompt"], document["length"], questions._sampling(document))


def test_every_id_of_a_stream_is_a_place_to_go_on_from(model):
    document = {"prompt": PROMPT, "length": 64, "seed": 3}
    found = streamed.events(ask(model, document, JSON, EVENTS).body)
    whole = streamed.text_of(found)
    for id_, _, data in found[1:-1]:
        rest = answer(model, **document, continuation=id_)["text"]
        assert whole[: data["position"]] + rest == whole


def test_one_and_one_point_zero_are_the_same_request(model):
    document = {"prompt": PROMPT, "length": 40, "seed": 3, "temperature": 1}
    token = streamed.events(ask(model, document, JSON, EVENTS).body)[1][0]
    again = {**document, "temperature": 1.0, "top_p": 1, "continuation": token}
    assert ask(model, again).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"length": 41},
        {"temperature": 0.5},
        {"top_k": 2},
        {"top_p": 0.5},
        {"prompt": PROMPT + "s"},
        {"continuation": "25.0123456789abcdef"},
        {"continuation": "25"},
        {"continuation": "x"},
        {"continuation": "٢٥.0123456789abcdef"},
    ],
)
def test_a_token_of_another_request_is_refused(model, change):
    document = {"prompt": PROMPT, "length": 40, "seed": 3}
    token = streamed.events(ask(model, document, JSON, EVENTS).body)[2][0]
    assert ask(model, {**document, "continuation": token}).status == 200
    response = ask(model, {**document, "continuation": token, **change})
    assert response.status == 400
    expected = "this continuation does not belong to this request and model"
    assert expected in json.loads(response.body)["detail"]


def test_a_token_without_the_seed_is_refused_and_the_seed_is_asked_for(model):
    response = ask(model, {"continuation": "5.0123456789abcdef"})
    assert response.status == 400
    assert "seed" in json.loads(response.body)["detail"].split(";")[0]


def test_a_token_of_another_model_is_refused(model, tmp_path):
    other = loading.writer(tiny.write(tmp_path / "model.tar.gz", seed=2), engine="numpy")
    document = {"prompt": PROMPT, "length": 40, "seed": 3}
    token = streamed.events(ask(other, document, JSON, EVENTS).body)[1][0]
    assert ask(model, {**document, "continuation": token}).status == 400


@pytest.mark.parametrize("place", [0, 9, 41, 10**8])
def test_a_place_outside_the_text_is_refused_even_with_its_right_token(model, place):
    document = {"prompt": PROMPT, "length": 40, "seed": 3}
    token = questions.Places(model.model_id, model.engine.precision, plan(model, document)).token(
        place
    )
    assert ask(model, {**document, "continuation": token}).status == 400


# What cannot be answered.


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", TEXT, 400),
        (b"100", TEXT, 400),
        (b"100 zebra", TEXT, 400),
        (b"-zebra", TEXT, 400),
        (b"-5-zebra", TEXT, 400),
        (b"5.5-zebra", TEXT, 400),
        (b" 5-zebra", TEXT, 400),
        (b"ten-zebra", TEXT, 400),
        ("٥-zebra".encode(), TEXT, 400),
        (b"0-", TEXT, 400),
        (b"10001-a", TEXT, 400),
        (b"1000000000-a", TEXT, 400),
        (b"9" * 5000 + b"-a", TEXT, 400),
        (b"4-aaaaa", TEXT, 400),
        (b"10-\xff", TEXT, 400),
        (b"10-qqq", TEXT, 422),
        ("10-ёж".encode(), TEXT, 422),
        (b"", JSON, 400),
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"null", JSON, 400),
        (b'"a"', JSON, 400),
        (b"{}{}", JSON, 400),
        (b"{} 10-a", JSON, 400),
        (b"\xff{}", JSON, 400),
        (b'{"a":' * 100_000, JSON, 400),
        ({"prompt": None}, JSON, 400),
        ({"prompt": 5}, JSON, 400),
        ({"prompt": ["zebra"]}, JSON, 400),
        ({"prompt": "qqq"}, JSON, 422),
        ({"prompt": "\ud800"}, JSON, 422),
        ({"prompt": "a" * 50, "length": 49}, JSON, 400),
        ({"length": 0}, JSON, 400),
        ({"length": -1}, JSON, 400),
        ({"length": 10_001}, JSON, 400),
        ({"length": 10**400}, JSON, 400),
        ({"length": 9.0}, JSON, 400),
        ({"length": "9"}, JSON, 400),
        ({"length": True}, JSON, 400),
        ({"length": None}, JSON, 400),
        ({"temperature": -0.1}, JSON, 400),
        ({"temperature": 10.5}, JSON, 400),
        ({"temperature": 10**400}, JSON, 400),
        ({"temperature": True}, JSON, 400),
        ({"temperature": "zebra"}, JSON, 400),
        ({"temperature": None}, JSON, 400),
        (b'{"temperature": NaN}', JSON, 400),
        (b'{"temperature": Infinity}', JSON, 400),
        (b'{"temperature": 1e999}', JSON, 400),
        ({"top_k": -1}, JSON, 400),
        ({"top_k": 1.5}, JSON, 400),
        ({"top_k": True}, JSON, 400),
        ({"top_p": 0}, JSON, 400),
        ({"top_p": 2}, JSON, 400),
        ({"top_p": "zebra"}, JSON, 400),
        ({"seed": -1}, JSON, 400),
        ({"seed": 2**60}, JSON, 400),
        ({"seed": 1.5}, JSON, 400),
        ({"seed": None}, JSON, 400),
        ({"continuation": "5.0123456789abcdef"}, JSON, 400),
        ({"continuation": "", "seed": 1}, JSON, 400),
        ({"continuation": 5, "seed": 1}, JSON, 400),
        ({"prompt": "a", "zebra": 1}, JSON, 400),
        ({"text": "zebra"}, JSON, 400),
        ({"prompt": "zebra" * 220_000}, JSON, 413),
        (b"10-a", "", 415),
        (b"10-a", "text/plain; charset=latin-1", 415),
        (b'{"prompt": "a"}\n', LINES, 415),
        (b"10-a", "text/csv", 415),
    ],
)
def test_bad_input_gets_its_4xx_and_none_of_it_comes_back(model, body, content_type, status):
    for accept in ("", TEXT, EVENTS):
        response = ask(model, body, content_type, accept)
        assert (response.status, response.content_type) == (status, PROBLEM)
        document = json.loads(response.body)
        assert (document["status"], set(document)) == (
            status,
            {"type", "title", "status", "detail"},
        )
        assert len(response.body) < 400
        for word in ("zebra", "qqq", "ёж", "Traceback"):
            assert word not in response.body.decode()


@pytest.mark.parametrize(
    "document",
    [
        {"temperature": 0},
        {"temperature": 1e-9},
        {"temperature": 10},
        {"top_k": 0},
        {"top_k": 10_000},
        {"top_k": 10**18},
        {"top_p": 1e-9},
        {"top_p": 1},
        {"seed": 0},
        {"seed": 2**53 - 1},
        {"length": 1},
        {"prompt": ""},
    ],
)
def test_values_at_their_limits_are_taken(model, document):
    assert ask(model, {"length": 20, **document}).status == 200


@pytest.mark.parametrize(
    "prompt", ["\ud800 sea", "\x00sea", "\u202esea", "s\u0301ea", "\u2028a", "🙂 a"]
)
def test_odd_prompts_are_read_and_their_unknown_characters_counted(model, prompt):
    for accept in (JSON, EVENTS):
        response = ask(model, {"prompt": prompt, "length": 30, "seed": 1}, JSON, accept)
        assert response.status == 200
    found = answer(model, prompt=prompt, length=30)
    assert found["unknown"] == 1
    assert len(found["text"]) == 30


@pytest.mark.parametrize(
    ("accept", "status", "content_type"),
    [
        ("", 200, JSON),
        ("*/*", 200, JSON),
        ("text/*", 200, "text/plain; charset=utf-8"),
        ("text/event-stream", 200, "text/event-stream; charset=utf-8"),
        ("text/event-stream, application/json;q=0.5", 200, "text/event-stream; charset=utf-8"),
        ("application/jsonlines", 406, PROBLEM),
        ("text/html", 406, PROBLEM),
    ],
)
def test_accept_is_honoured(model, accept, status, content_type):
    response = ask(model, {"length": 20}, JSON, accept)
    assert (response.status, response.content_type) == (status, content_type)


def test_the_limit_of_the_length_is_the_servers(model):
    request = Request("POST", "/v1/generate", JSON, "", b'{"length": 30}')
    assert respond(model, request, Limits(max_length=30)).status == 200
    assert respond(model, request, Limits(max_length=29)).status == 400
    short = Request("POST", "/v1/generate", JSON, "", b"{}")
    assert json.loads(respond(model, short, Limits(max_length=29)).body)["length"] == 29


def test_the_model_is_described(model):
    described = json.loads(ask(model, b"", path="/v1/model", method="GET").body)
    assert described == {
        "task": "generator",
        "name": "tiny",
        "model": model.model_id,
        "engine": "numpy",
        "symbols": len(tiny.SYMBOLS),
        "alphabet": "".join(tiny.SYMBOLS),
        "metrics": {"bits_per_character": 4.5, "baseline_bits_per_character": 4.25},
        "limits": {"body_bytes": 1 << 20, "length": 10_000},
        "defaults": {"length": 200, "temperature": 0.8, "top_k": 0, "top_p": 1.0},
    }


class Broken:
    """An engine that cannot compute."""

    name, precision = "broken", "float32"

    def open(self, tokens_T):
        message = "broken"
        raise MarfaError(message)


def test_healthy_means_that_it_writes(tiny_path):
    model = loading.writer(tiny_path, engine="numpy")
    assert ask(model, b"", path="/ping", method="GET").status == 200
    model.engine = Broken()
    assert ask(model, b"", path="/ping", method="GET").status == 500


def test_the_address_of_the_other_task_is_not_found_and_the_right_one_is_named(model):
    response = ask(model, b"good", TEXT, path="/v1/predict")
    assert response.status == 404
    assert "/v1/generate" in json.loads(response.body)["detail"]
    assert ask(model, {"length": 5}, path="/invocations").status == 200


@given(
    body=st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["prompt", "length", "temperature", "top_k", "top_p", "seed", "x"]),
        st.none() | st.booleans() | st.integers(-5, 60) | st.floats() | st.text(max_size=20),
    ).map(lambda document: json.dumps(document).encode()),
    content_type=st.sampled_from([TEXT, JSON, "x/y"]),
    accept=st.sampled_from(["", TEXT, EVENTS, "x"]),
)
def test_no_bytes_break_it(model, body, content_type, accept):
    response = ask(model, body, content_type, accept)
    assert response.status in {200, 400, 406, 413, 415, 422}
    if response.content_type in {JSON, PROBLEM}:
        json.loads(response.body)


# The golden requests, and SageMaker's door.


def test_recorded_twice_the_golden_requests_are_the_same_bytes(model):
    recorded = golden.record(model)
    assert recorded == golden.record(model)
    assert golden.replay(model, recorded) == len(recorded.splitlines()) > 40


def test_the_golden_requests_hold_every_form_and_write_texts_of_some_length(model):
    answers = [response for _, response in golden.pairs(golden.record(model))]
    kinds = {answer.content_type.partition(";")[0] for answer in answers}
    assert kinds == {JSON, TEXT, EVENTS, PROBLEM}
    assert {answer.status for answer in answers} == {200, 400, 404, 405, 406, 415, 422}
    whole = [json.loads(answer.body) for answer in answers if answer.content_type == JSON]
    assert sum(document.get("length") == 60 for document in whole) >= 4


def test_the_handlers_four_functions_answer_as_the_contract(tiny_path, tmp_path):
    assert_handled_as_the_contract_does(tiny_path, tmp_path)


def test_a_model_that_writes_otherwise_is_noticed(tiny_path):
    recorded = bundle.load(tiny_path).contents["golden.jsonl"]
    model = loading.writer(tiny_path, engine="numpy")
    model.engine = Shifted(model.engine, "float32", 1.0)
    with pytest.raises(BundleError, match="answered differently"):
        golden.replay(model, recorded)


@pytest.mark.parametrize("engine", ["numpy", "onnx", "int8"])
def test_every_engine_answers_every_golden_request(tiny_path, engine):
    recorded = bundle.load(tiny_path).contents["golden.jsonl"]
    model = loading.writer(tiny_path, engine=engine)
    assert golden.replay(model, recorded) == len(recorded.splitlines()) > 40


class Shifted:
    """An engine whose numbers are not those of the engine inside."""

    def __init__(self, engine, precision, by):
        self.name, self.precision = "shifted", precision
        self._engine, self._by = engine, by

    def open(self, tokens_T):
        return ShiftedReading(self._engine.open(tokens_T), self._by)


class ShiftedReading:
    def __init__(self, reading, by):
        self._reading = reading
        self._shift_V = (by * np.sin(np.arange(reading.logits_V.size))).astype(np.float32)
        self.logits_V = reading.logits_V + self._shift_V

    def step(self, token):
        return self._reading.step(token) + self._shift_V


class Nervous(Shifted):
    """An engine for which all characters are equally likely, so that the smallest noise decides."""

    def open(self, tokens_T):
        return NervousReading(self._engine.open(tokens_T), self._by)


class NervousReading(ShiftedReading):
    def step(self, token):
        return np.zeros_like(self._reading.step(token))


def test_where_no_text_is_steady_a_shorter_one_is_recorded(tiny_path):
    model = loading.writer(tiny_path, engine="numpy")
    model.engine = Nervous(model.engine, "float32", 0.0)
    asked = [{"prompt": "a", "temperature": 0, "seed": seed} for seed in range(3)]
    assert questions._steady(model, asked) == {**asked[0], "length": 5}


def test_other_letters_pass_where_the_weights_have_eight_bits_and_other_lengths_do_not(tiny_path):
    recorded = bundle.load(tiny_path).contents["golden.jsonl"]
    model = loading.writer(tiny_path, engine="numpy")
    model.engine = Shifted(model.engine, "int8", 1.0)
    assert golden.replay(model, recorded) > 40
    for kind in (JSON, TEXT, EVENTS):
        pair = next(
            pair
            for pair in map(json.loads, recorded.splitlines())
            if pair["response"]["content_type"].startswith(kind)
        )
        body = base64.b64decode(pair["response"]["body"])
        shorter = body.replace(b'"text":"', b'"text":"x', 1) if kind != TEXT else body + b"x"
        pair["response"]["body"] = base64.b64encode(shorter).decode()
        with pytest.raises(BundleError, match="answered differently"):
            golden.replay(model, json.dumps(pair).encode())


def test_what_engines_differ_by_changes_no_golden_text(tiny_path):
    recorded = bundle.load(tiny_path).contents["golden.jsonl"]
    model = loading.writer(tiny_path, engine="numpy")
    model.engine = Shifted(model.engine, "float32", 1e-5)
    assert golden.replay(model, recorded) > 40


def test_measuring_leaves_a_body_that_is_none_of_ours_as_it_is():
    for kind, body in (
        (JSON, b"not json"),
        (EVENTS, b"event: text\ndata: {x}\n\n"),
        (TEXT, b"\xff"),
    ):
        response = Response(200, kind, body)
        assert golden._measured(response) == response
