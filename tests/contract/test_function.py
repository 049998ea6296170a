"""The Lambda function: the contract's answers to a gateway's events, and nothing leaked."""

import itertools
import json
from collections import Counter

import pytest
from tests import gateways
from tests.installed import untar

from marfa import bundle
from marfa.container import function, pages, questions
from marfa.container.contract import DEFAULT_LIMITS, EVENTS, JSON, TEXT, Request, respond
from marfa.container.front import Front
from marfa.container.messages import SAFETY
from marfa.errors import MarfaError
from marfa.loading import load

EVENTS_OF = {"http": gateways.http, "url": gateways.url, "rest": gateways.rest}


@pytest.fixture(scope="module", params=["model_path", "tiny_path"])
def packed(request, tmp_path_factory):
    """A bundle's folder and its model."""
    path = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("function") / "model"
    untar(path, folder)
    return folder, load(path, engine="numpy")


@pytest.fixture
def handler(packed):
    return function.handler_of(packed[0])


@pytest.mark.parametrize("kind", EVENTS_OF)
def test_the_function_answers_as_the_contract_byte_for_byte(packed, handler, kind):
    for request in questions.of(packed[1]):
        answer = json.loads(json.dumps(handler(EVENTS_OF[kind](request), None)))
        expected = respond(packed[1], request)
        assert answer["statusCode"] == expected.status
        assert answer["headers"]["Content-Type"] == expected.content_type
        if request.path != "/ping":  # which answers HEAD too, and says so nowhere
            assert expected.headers.items() <= answer["headers"].items()
        assert gateways.body_of(answer) == expected.body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_and_states_are_answered_to_get_and_head(packed, handler, method):
    made = pages.files(packed[1], DEFAULT_LIMITS)
    fixed = {path: page.content for path, page in made.items()}
    states = dict.fromkeys(("/ping", "/readyz"), b'{"status":"Healthy"}')
    for path, content in (fixed | states).items():
        answer = handler(gateways.http(Request(method, path)), None)
        assert answer["statusCode"] == 200
        assert gateways.body_of(answer) == (content if method == "GET" else b"")
        headers = {**SAFETY, **(made[path].response.headers if path in fixed else {})}
        assert headers.items() <= answer["headers"].items()
        assert answer["headers"].get("Cache-Control") == ("no-cache" if path in fixed else None)


def test_the_pages_own_model_is_made_of_the_bundle_that_is_there(packed, handler):
    made = bundle.load(packed[0])
    files = pages.files(packed[1], DEFAULT_LIMITS)
    for path, page in pages.own(made, files).items():
        answer = handler(gateways.http(Request("GET", path)), None)
        assert (answer["statusCode"], gateways.body_of(answer)) == (200, page.content)
        lasts = "immutable" in answer["headers"]["Cache-Control"]
        assert lasts == path.startswith("/model-")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/metrics", 404, None),
        ("GET", "/docs/", 404, None),
        ("POST", "/ping", 405, "GET, HEAD"),
        ("DELETE", "/docs", 405, "GET, HEAD"),
        ("OPTIONS", "/v1/model", 405, "GET, HEAD"),
        ("GET", "/invocations", 405, "POST"),
        ("HEAD", "/v1/predict", 405, "POST"),
    ],
)
def test_wrong_addresses_are_problems(handler, method, path, status, allow):
    answer = handler(gateways.http(Request(method, path)), None)
    assert (answer["statusCode"], answer["headers"].get("Allow")) == (status, allow)
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert bool(answer["body"]) is (method != "HEAD")


def test_a_large_body_is_refused_before_it_is_looked_at(handler):
    asked = Request(
        "POST", "/invocations", "image/png", "", b"x" * (DEFAULT_LIMITS.max_body_bytes + 1)
    )
    assert handler(gateways.http(asked), None)["statusCode"] == 413


@pytest.mark.parametrize("event", [None, {}, [], {"Records": []}])
def test_what_is_no_event_is_answered(handler, event):
    answer = handler(event, None)
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (400, 400)


def test_a_failure_of_ours_is_a_500_that_tells_and_logs_its_kind_alone(capsys):
    def broken(request):
        raise ValueError("marker-string-55")

    answer = Front({}, broken).answer(
        gateways.http(Request("POST", "/invocations", TEXT, "", b"a"))
    )
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["detail"] == "the answer could not be computed"
    logged = capsys.readouterr().out
    assert json.loads(logged)["failure"] == "ValueError"
    assert "marker-string" not in answer["body"] + logged


def test_a_line_is_logged_for_each_request_without_a_word_of_its_client(handler, capsys):
    secret = Request("POST", "/secret-55", "text/secret-55", "secret-55", b"secret-55")
    for asked in (
        secret,
        Request("POST", "/invocations", TEXT, "", b"secret-55"),
        Request("GET", "/docs"),
    ):
        handler(gateways.http(asked), None)
    logged = capsys.readouterr().out
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [line["path"] for line in lines] == ["other", "/invocations", "/docs"]
    assert [line["first"] for line in lines] == [True, False, False]
    assert [line["status"] for line in lines] == [404, lines[1]["status"], 200]
    assert all(line["ms"] >= 0 for line in lines)
    assert "secret-55" not in logged


SECRET = "Marfasecret fifty-five"
ASKED = {
    "one": Request("POST", "/invocations", JSON, JSON, json.dumps({"text": SECRET}).encode()),
    "many": Request(
        "POST", "/v1/predict", JSON, JSON,
        json.dumps({"texts": ["I loved this wonderful film.", SECRET, ""]}).encode(),
    ),
    "a 422": Request("POST", "/invocations", TEXT, TEXT, b"secretsecret"),
    "explained": Request(
        "POST", "/v1/predict", JSON, JSON,
        json.dumps({"text": f"I loved this wonderful film {SECRET}", "explain": True}).encode(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_the_log_tells_what_was_judged_and_declined_and_no_word_of_it(
    model_path, tmp_path, capsys, asked
):
    untar(model_path, tmp_path / "model")
    handler, model = function.handler_of(tmp_path / "model"), load(model_path, engine="numpy")
    capsys.readouterr()
    handler(gateways.http(ASKED[asked]), None)
    handler(gateways.http(Request("GET", "/healthz")), None)
    logged = capsys.readouterr().out
    line, other = map(json.loads, logged.splitlines())
    body = ASKED[asked].body
    given = json.loads(body) if ASKED[asked].content_type == JSON else {"text": body.decode()}
    judged = list(model.judge(given.get("texts") or [given["text"]]))
    assert sum(line["judged"].values()) == sum(each.label is not None for each in judged)
    assert line["refused"] == Counter(each.refused for each in judged if each.label is None)
    assert line["words"] == sum(each.total for each in judged)
    assert line["known"] == sum(each.known for each in judged)
    assert not {"judged", "refused", "words", "known", "score"} & other.keys()
    assert not [word for word in (*SECRET.split(), "loved", "secret") if word in logged]


def test_of_what_is_written_nothing_is_counted(tiny_path, tmp_path, capsys):
    untar(tiny_path, tmp_path / "model")
    function.handler_of(tmp_path / "model")(gateways.http(write({}, JSON)), None)
    assert "judged" not in json.loads(capsys.readouterr().out)


class Seconds:
    """A clock of which every look costs some seconds."""

    def __init__(self, each):
        self._told = itertools.count(0, each)

    def __call__(self):
        return next(self._told)


def write(document, accept):
    body = json.dumps({"prompt": "to be", "length": 150, "seed": 5, **document}).encode()
    return Request("POST", "/v1/generate", JSON, accept, body)


def test_a_stream_that_takes_too_long_says_so_after_what_there_is_of_it(tiny_path):
    model = load(tiny_path, engine="numpy")
    whole = respond(model, write({}, EVENTS)).body
    body = function.Answering(model, Seconds(function.SECONDS / 3)).respond(write({}, EVENTS)).body
    told, _, problem = body.partition(b"event: error\ndata: ")
    assert whole.startswith(told)
    assert told.count(b"event: text") >= 1
    assert json.loads(problem)["status"] == 413


@pytest.mark.parametrize("accept", [JSON, TEXT])
def test_a_text_that_takes_too_long_is_refused_whole(tiny_path, accept):
    answering = function.Answering(load(tiny_path, engine="numpy"), Seconds(function.SECONDS))
    answer = Front({}, answering.respond).answer(gateways.http(write({}, accept)))
    assert answer["statusCode"] == 413
    assert "ask for a shorter one" in json.loads(answer["body"])["detail"]


def test_what_ends_in_time_is_whole(tiny_path):
    model = load(tiny_path, engine="numpy")
    for accept in (JSON, TEXT, EVENTS):
        request = write({}, accept)
        assert function.Answering(model).respond(request) == respond(model, request)


@pytest.mark.parametrize(("name", "error"), [("nothing", AttributeError), ("handler", MarfaError)])
def test_the_model_is_loaded_when_lambda_looks_the_handler_up_and_not_before(name, error):
    with pytest.raises(error):  # no model lies beside the package here
        getattr(function, name)
