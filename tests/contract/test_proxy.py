"""The function in front of an endpoint: the contract's answers, and nothing of AWS's."""

import json
import os
import subprocess
import sys

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventModel,
    APIGatewayProxyEventV2Model,
    LambdaFunctionUrlModel,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import endpoints, gateways, installed
from tests.endpoints import FakeRuntime, answering, failing, refusing

from marfa import bundle as bundles
from marfa import loading
from marfa.aws import functions
from marfa.container import pages, questions
from marfa.container.contract import DEFAULT_LIMITS, JSON, LINES, PROBLEM, TEXT, Request, respond
from marfa.container.messages import problem
from marfa.errors import OverloadedError, UnknownTextError
from marfa.proxy import handler as proxy
from marfa.proxy.endpoint import Endpoint

EVENTS_OF = {"http": gateways.http, "url": gateways.url, "rest": gateways.rest}
EVENT_MODELS = {
    "http": APIGatewayProxyEventV2Model,
    "url": LambdaFunctionUrlModel,
    "rest": APIGatewayProxyEventModel,
}
CONTAINERS = {"own image": endpoints.own_image, "toolkit": endpoints.toolkit}
GOOD = {
    "classifier": Request("POST", "/invocations", JSON, JSON, b'{"text": "a good film"}'),
    "generator": Request("POST", "/v1/generate", JSON, JSON, b'{"length": 9, "seed": 1}'),
}
BUSY = refusing(429, "ModelNotReadyException")
INTERNALS = ("arn:", endpoints.ACCOUNT, "Traceback", "amazonaws", "cloudwatch", "a secret of AWS")


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Context:
    """What Lambda tells of a call that may go on for so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return int(self.seconds * 1000)


class Proxy:
    """The function before one endpoint, with everything that a test wants to know of it."""

    def __init__(self, runtime, site, model, read_seconds=0):
        self.runtime, self.model = runtime, model
        self.clock, self.patience = Clock(), []
        self._read_seconds = read_seconds
        endpoint = Endpoint(endpoints.NAME, self._client, self.clock.sleep)
        self.handler = proxy.handler_of(site, endpoint, self.clock)

    def _client(self, seconds):
        made = proxy.client(self._read_seconds or seconds)
        made.meta.events.register("before-call", lambda **_: self.patience.append(seconds))
        return made

    def ask(self, request=None, write=gateways.http, context=None):
        event = write(request or GOOD[self.model.task])
        return json.loads(json.dumps(self.handler(event, context)))

    def assert_as_the_contract(self, request, write=gateways.http):
        answer, expected = self.ask(request, write), respond(self.model, request)
        found = (answer["statusCode"], answer["headers"]["Content-Type"], gateways.body_of(answer))
        assert found == (expected.status, expected.content_type, expected.body)
        return answer


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    """Nobody's."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module", params=["model_path", "writer_path"])
def packed(request, tmp_path_factory):
    """A model, its pages in a folder, and the zip of the function before it."""
    bundle = bundles.load(request.getfixturevalue(request.param))
    model = loading.of(bundle, engine="numpy")
    site = tmp_path_factory.mktemp("site")
    for name, content in pages.pack(pages.files(model, DEFAULT_LIMITS)).items():
        (site / name).write_bytes(content)
    return model, site, functions.proxy_zip(bundle)


@pytest.fixture(scope="module")
def runtime(packed):
    with FakeRuntime(endpoints.own_image(packed[0])) as runtime:
        yield runtime


@pytest.fixture
def make(packed, runtime, monkeypatch):
    """Make the function."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
    model, site, _ = packed
    runtime.container = endpoints.own_image(model)
    runtime.behaves()
    return lambda **options: Proxy(runtime, site, model, **options)


@pytest.mark.parametrize("kind", EVENTS_OF)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_golden_request_is_answered_as_the_contract_answers_it(make, container, kind):
    proxied = make()
    proxied.runtime.container = CONTAINERS[container](proxied.model)
    for request in questions.of(proxied.model):
        proxied.assert_as_the_contract(request, EVENTS_OF[kind])
    assert set(proxied.runtime.calls) == {("POST", f"/endpoints/{endpoints.NAME}/invocations")}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("accept", ["", "*/*", JSON, LINES, TEXT])
@pytest.mark.parametrize("kind", ["", " ", TEXT, JSON, LINES, f"{JSON}; charset=utf-8", "a/b"])
def test_what_the_runtime_cannot_carry_is_answered_as_the_contract_answers_it(
    make, container, kind, accept
):
    proxied = make()
    proxied.runtime.container = CONTAINERS[container](proxied.model)
    for body in (b"", b'{"text": "good"}', b"0-x", b"\xff"):
        request = Request("POST", "/invocations", kind, accept, body)
        proxied.assert_as_the_contract(request)


def test_the_events_of_these_tests_are_such_as_aws_knows(packed):
    for request in questions.of(packed[0]):
        for kind, write in EVENTS_OF.items():
            EVENT_MODELS[kind].model_validate(write(request))


def test_pages_are_answered_without_a_call(make):
    proxied = make()
    fixed = pages.files(proxied.model, DEFAULT_LIMITS)
    assert {"/", "/docs", "/openapi.json", "/v1/model", "/healthz"} <= set(fixed)
    for path, page in fixed.items():
        answer = proxied.ask(Request("GET", path))
        found = (answer["statusCode"], answer["headers"]["Content-Type"], gateways.body_of(answer))
        assert found == (200, page.content_type, page.content)
        head = proxied.ask(Request("HEAD", path))
        assert (head["statusCode"], head["headers"], head["body"]) == (200, answer["headers"], "")
    assert not proxied.runtime.calls


def test_a_wrong_address_is_answered_without_a_call(make):
    proxied = make()
    for method, path in (
        ("GET", "/nowhere"),
        ("POST", "/invocations/"),
        ("GET", "/invocations"),
        ("PUT", "/v1/predict"),
        ("DELETE", "/v1/generate"),
        ("POST", {"classifier": "/v1/generate", "generator": "/v1/predict"}[proxied.model.task]),
    ):
        request = Request(method, path, TEXT, "", b"good")
        answer = proxied.assert_as_the_contract(request)
        assert answer["headers"].get("Allow") == respond(proxied.model, request).headers.get(
            "Allow"
        )
    assert not proxied.runtime.calls


def test_a_body_over_the_limit_is_refused_as_the_contract_refuses_it_without_a_call(make):
    proxied = make()
    body = b"x" * (DEFAULT_LIMITS.max_body_bytes + 1)
    answer = proxied.assert_as_the_contract(Request("POST", "/invocations", TEXT, "", body))
    assert answer["statusCode"] == 413
    assert not proxied.runtime.calls
    assert DEFAULT_LIMITS.max_body_bytes <= 4 << 20  # what a serverless endpoint takes


@pytest.mark.parametrize("value", ["text/plain\r\nX-Evil: 1", "text/plain; a=é", "a/" + "b" * 1024])
@pytest.mark.parametrize("name", ["content_type", "accept"])
def test_a_header_that_cannot_be_passed_on_is_refused_without_a_call(make, name, value):
    proxied = make()
    fields = {"content_type": TEXT, "accept": JSON, name: value}
    answer = proxied.ask(Request("POST", "/invocations", body=b"good", **fields))
    assert answer["statusCode"] == 400
    assert "cannot be passed on" in answer["body"]
    assert "Evil" not in json.dumps(answer)
    assert not proxied.runtime.calls


OURS = problem(UnknownTextError("none of its words is known")).body.decode()
BUSY_INSIDE = problem(OverloadedError("too many requests are waiting")).body.decode()


@pytest.mark.parametrize("below", ["", "\nTraceback (most recent call last):\n  arn:aws:x"])
def test_the_models_own_problem_is_passed_on_byte_for_byte_and_nothing_below_it(make, below):
    proxied = make()
    for status, original in ((422, OURS), (503, BUSY_INSIDE)):
        proxied.runtime.behaves(failing(status, original + below))
        answer = proxied.ask()
        assert (answer["statusCode"], answer["body"]) == (status, original)
        assert answer["headers"]["Content-Type"] == PROBLEM
        assert answer["headers"].get("Retry-After") == ("1" if status == 503 else None)
        assert len(proxied.runtime.calls) == 1


GONE = f"Endpoint {endpoints.NAME} of account {endpoints.ACCOUNT} not found."
DENIED = f"User: arn:aws:sts::{endpoints.ACCOUNT}:assumed-role/x is not authorized"
TRACE = "Traceback (most recent call last):\n  File /opt/ml/model/code/inference.py"
WRONG = "1 validation error detected: Value at 'body' failed to satisfy constraint"
ERROR_TYPE = {"x-amzn-errortype": "ModelError"}

FAILURES = {
    # behaviours; the status that a client sees; the calls it takes
    "not ready, then good": ([BUSY, BUSY, answering], 200, 3),
    "throttled, then good": (
        [
            refusing(429, "ThrottlingException"),
            refusing(400, "ThrottlingException"),
            answering,
        ],
        200,
        3,
    ),
    "unavailable, then good": (
        [refusing(503, "ServiceUnavailable"), answering],
        200,
        2,
    ),
    "busy without a word, then good": (
        [endpoints.saying(429, b""), endpoints.saying(503, b"<html>"), answering],
        200,
        3,
    ),
    "not ready for ever": ([BUSY], 503, 11),
    "unavailable for ever": ([refusing(503, "ServiceUnavailable")], 503, 11),
    "not ready, then gone": ([BUSY, refusing(400, "ValidationError", GONE)], 503, 2),
    "gone": ([refusing(400, "ValidationError", GONE)], 503, 1),
    "refused": ([refusing(400, "ValidationError", WRONG)], 502, 1),
    "denied": ([refusing(403, "AccessDeniedException", DENIED)], 502, 1),
    "expired": ([refusing(403, "ExpiredTokenException")], 502, 1),
    "internal": ([refusing(500, "InternalFailure")], 502, 1),
    "dependency": ([refusing(530, "InternalDependencyException")], 502, 1),
    "traceback": ([failing(500, TRACE)], 502, 1),
    "traceback as a 400": ([failing(400, TRACE)], 502, 1),
    "another's problem": ([failing(400, '{"title": "arn:aws", "status": 400}')], 502, 1),
    "a problem of another status": ([failing(400, OURS)], 502, 1),
    "no status": ([failing(0, "")], 502, 1),
    "a problem without a status": ([refusing(424, "ModelError", OriginalMessage=OURS)], 502, 1),
    "deep": ([failing(400, "[" * 100_000)], 502, 1),
    "half a character": ([failing(422, OURS.replace("none", "\ud800"))], 502, 1),
    "no JSON": ([endpoints.saying(424, b"\xffarn:aws", **ERROR_TYPE)], 502, 1),
    "a page": ([endpoints.saying(502, b"<html>arn:aws</html>")], 502, 1),
    "closed": ([endpoints.slamming], 502, 2),
    "closed once": ([endpoints.slamming, answering], 200, 2),
    "cut": ([endpoints.cutting], 502, 1),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_has_its_status_and_its_calls_and_tells_nothing_of_aws(make, failure, capsys):
    behaviours, status, calls = FAILURES[failure]
    proxied = make()
    proxied.runtime.behaves(*behaviours)
    answer = proxied.ask()
    assert answer["statusCode"] == status
    assert len(proxied.runtime.calls) == calls
    logged = capsys.readouterr().out
    assert not [word for word in INTERNALS if word in json.dumps(answer) + logged]
    if status != 200:
        document = json.loads(answer["body"])
        assert (answer["headers"]["Content-Type"], document["status"]) == (PROBLEM, status)
        assert json.loads(logged)["failure"]


def test_an_endpoint_that_is_gone_is_said_to_be_and_not_to_come_back(make):
    proxied = make()
    proxied.runtime.behaves(refusing(400, "ValidationError", GONE))
    answer = proxied.ask()
    detail = json.loads(answer["body"])["detail"]
    assert detail == "the endpoint is not there; its lease may have ended"
    assert "Retry-After" not in answer["headers"]


def test_a_silent_endpoint_is_a_504_after_one_call(make, capsys):
    proxied = make(read_seconds=0.3)
    proxied.runtime.behaves(endpoints.silent(1))
    answer = proxied.ask()
    assert (answer["statusCode"], len(proxied.runtime.calls)) == (504, 1)
    assert json.loads(capsys.readouterr().out)["failure"] == "ReadTimeoutError"


def test_an_address_at_which_nobody_listens_is_a_502(packed, monkeypatch):
    model, site, _ = packed
    with FakeRuntime(None) as runtime:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
    assert Proxy(runtime, site, model).ask()["statusCode"] == 502


@pytest.mark.parametrize(
    ("seconds", "first"), [(25, 20), (23.4, 10), (9, 5), (8.4, None), (0, None)]
)
def test_an_answer_is_awaited_only_as_long_as_the_function_has(make, seconds, first):
    proxied = make()
    proxied.runtime.behaves(BUSY)
    answer = proxied.ask(context=Context(seconds))
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    assert proxied.patience[:1] == ([first] if first else [])
    assert proxied.clock.now - Clock().now <= max(0, seconds - 5)


@pytest.mark.parametrize("path", ["/ping", "/readyz"])
def test_the_model_is_ready_only_if_it_answers(make, path):
    proxied = make()
    refused = problem(UnknownTextError("none of its words is known")).body.decode()
    for behaviour, status in (
        (answering, 200),
        (failing(422, refused), 200),  # that it knows no word of the question is an answer
        (failing(500, TRACE), 503),
        (failing(503, BUSY_INSIDE), 503),
        (refusing(400, "ValidationError", GONE), 503),
        (refusing(403, "AccessDeniedException"), 503),
        (BUSY, 503),
    ):
        proxied.runtime.behaves(behaviour)
        answer = proxied.ask(Request("GET", path))
        assert answer["statusCode"] == status
        assert proxied.runtime.calls
        if status == 200:
            assert answer["body"].encode() == respond(proxied.model, Request("GET", "/ping")).body
        else:
            assert json.loads(answer["body"])["status"] == 503


def test_the_small_question_is_one_that_a_model_answers(make):
    proxied = make()
    small = proxy._SMALL[proxied.model.task]
    assert respond(proxied.model, small).status == 200
    proxied.ask(Request("GET", "/ping"))
    assert [request.body for request in proxied.runtime.asked] == [small.body]


def test_a_line_is_logged_for_each_request_without_a_word_of_its_client(make, capsys):
    proxied = make()
    for path, kind, body in (
        ("/secret-57", TEXT, b"secret-57"),
        ("/invocations", TEXT, b"secret-57"),
        ("/invocations", "text/secret-57", b"{}"),
        ("/invocations", JSON, b"secret-57"),
    ):
        proxied.ask(Request("POST", path, kind, "secret-57, */*", body))
    logged = capsys.readouterr().out
    assert [json.loads(line)["path"] for line in logged.splitlines()] == [
        "other",
        *["/invocations"] * 3,
    ]
    assert "secret-57" not in logged


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(["", TEXT, JSON, LINES, "a/b", "text/plain\r\n x", "é"]) | st.text(
    max_size=9
)
PATHS = [
    "/",
    "/ping",
    "/readyz",
    "/docs",
    "/v1/model",
    "/v1/predict",
    "/v1/generate",
    "/invocations",
]
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", ""]),
    path=st.sampled_from(PATHS) | st.text(max_size=9),
    content_type=KINDS,
    accept=KINDS,
    body=st.sampled_from([b"good", b'{"text": "good"}', b"9-a", b"[" * 999, b"\xff"]) | st.binary(),
)


@st.composite
def events(draw):
    """Events as AWS sends them, and such with a part taken out or replaced by junk, and junk."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JUNK)
    event = draw(st.sampled_from(list(EVENTS_OF.values())))(draw(REQUESTS))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = event
        if draw(st.booleans()) and isinstance(at.get("requestContext"), dict):
            at = at["requestContext"]
        name = draw(st.sampled_from(sorted(at)))
        if draw(st.booleans()):
            del at[name]
        else:
            at[name] = draw(JUNK)
    return event


def assert_a_gateway_takes(answer):
    """Check the shape; API Gateway answers 502 to anything else."""
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert answer["statusCode"] == 200 or 400 <= answer["statusCode"] < 600
    assert isinstance(answer["statusCode"], int)
    for name, value in answer["headers"].items():
        assert name.isascii()
        assert value.isprintable()
    assert answer["headers"]["Content-Type"]
    assert isinstance(answer["isBase64Encoded"], bool)
    gateways.body_of(answer).decode("utf-8")
    json.dumps(answer, allow_nan=False).encode("ascii")


def test_whatever_is_sent_and_whatever_happens_is_answered(make, capsys):
    proxied = make()
    happening = st.sampled_from(
        [answering, answering, failing(500, TRACE), refusing(400, "X", GONE)]
    )

    @settings(max_examples=1000)
    @given(events(), happening)
    def check(event, behaviour):
        proxied.runtime.behaves(behaviour)
        assert_a_gateway_takes(proxied.handler(event))
        assert {path for _, path in proxied.runtime.calls} <= {
            f"/endpoints/{endpoints.NAME}/invocations"
        }

    check()
    logged = capsys.readouterr().out.splitlines()
    assert len(logged) >= 1000
    assert {json.loads(line)["path"] for line in logged} <= {"", "other", *PATHS}


ZIPPED = """
import json, sys
sys.path.insert(0, sys.argv[1])
for heavy in "numpy torch onnxruntime starlette snowballstemmer safetensors cyclopts rich".split():
    sys.modules[heavy] = None
import marfa, marfa.proxy.handler as module
assert marfa.__file__.startswith(sys.argv[1]), marfa.__file__
handler = module.handler
for line in sys.stdin:
    json.dump(handler(json.loads(line), None), sys.stderr)
    sys.stderr.write("\\n")
"""


def test_the_zip_is_enough_where_there_is_boto3_and_nothing_else(make, packed, tmp_path):
    proxied = make()
    zipped = installed.unpack(packed[2], tmp_path)
    asked = [GOOD[proxied.model.task], Request("GET", "/ping"), Request("GET", "/")]
    done = subprocess.run(
        [sys.executable, "-c", ZIPPED, str(zipped)],
        input="".join(json.dumps(gateways.http(request)) + "\n" for request in asked),
        env={**os.environ, "MARFA_ENDPOINT": endpoints.NAME},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stderr.splitlines()]
    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    assert gateways.body_of(answers[0]) == respond(proxied.model, asked[0]).body
    assert [json.loads(line)["first"] for line in done.stdout.splitlines()] == [True, False, False]
