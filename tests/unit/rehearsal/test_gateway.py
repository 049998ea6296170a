"""The gateway: its throttle, its limits and its words, and a function's answer as it was meant."""

import base64
import json

import pytest

from marfa.rehearsal.events import Place
from marfa.rehearsal.function import FunctionBusyError, FunctionError
from marfa.rehearsal.gateway import Cors, Gateway, Tokens, answered, refuse
from marfa.rehearsal.loopback import Asked


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def gateway(invoke, tokens=None, cors=None):
    return Gateway(invoke, tokens or Tokens(100, 1000), 29.0, Place(), cors)


def fine(event, seconds):
    headers = {"Content-Type": "text/plain", "Access-Control-Allow-Origin": "https://own.example"}
    return {"statusCode": 201, "headers": headers, "body": event["rawPath"]}


def test_a_request_is_answered_by_the_function_within_the_time_of_the_integration():
    given = []
    made = gateway(lambda event, seconds: given.append((event, seconds)) or fine(event, seconds))
    answer = made.answer(Asked("GET", "/v1/model"))
    assert (answer.status, answer.body) == (201, b"/v1/model")
    assert (given[0][0]["version"], given[0][1]) == ("2.0", 29.0)
    assert dict(answer.headers)["Apigw-Requestid"] == given[0][0]["requestContext"]["requestId"]


def test_the_bucket_holds_the_burst_and_refills_at_the_rate():
    clock = Clock()
    made = gateway(fine, Tokens(2, 3, clock))
    statuses = [made.answer(Asked("GET", "/")).status for _ in range(4)]
    assert statuses == [201, 201, 201, 429]
    clock.now = 1.0
    assert [made.answer(Asked("GET", "/")).status for _ in range(3)] == [201, 201, 429]
    clock.now = 100.0  # no more than the burst is saved up
    assert [made.answer(Asked("GET", "/")).status for _ in range(4)] == [201, 201, 201, 429]
    assert made.statuses[429] == 3


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (FunctionError("it broke"), 500, "Internal Server Error"),
        (FunctionBusyError("all at work"), 503, "Service Unavailable"),
    ],
)
def test_a_function_that_fails_is_api_gateways_own_answer(error, status, words):
    def failing(event, seconds):
        raise error

    answer = gateway(failing).answer(Asked("GET", "/"))
    assert (answer.status, json.loads(answer.body)) == (status, {"message": words})


def test_a_body_that_lambda_would_not_take_is_413():
    asked = Asked("POST", "/", (("Content-Type", "image/png"),), b"\xff" * (5 << 20))
    answer = gateway(fine).answer(asked)
    assert (answer.status, json.loads(answer.body)) == (
        413,
        {"message": "Request Entity Too Large"},
    )


def test_ping_is_the_gateways_own_and_an_unknown_method_nobodys():
    assert gateway(fine).answer(Asked("GET", "/ping")).body == b"Healthy Connection"
    assert gateway(fine).answer(Asked("BREW", "/")).status == 404


CORS = Cors(origins=["https://a.example"], methods=["GET"], headers=["accept"], seconds=60)


@pytest.mark.parametrize(("origin", "may"), [("https://a.example", True), ("https://b.example", 0)])
def test_other_origins_may_ask_if_they_are_named(origin, may):
    made = gateway(fine, cors=CORS)
    asked = dict(made.answer(Asked("OPTIONS", "/", (("Origin", origin),))).headers)
    assert (asked.get("Access-Control-Allow-Methods") == "GET") is bool(may)
    answer = made.answer(Asked("GET", "/", (("Origin", origin),)))
    allowed = [value for name, value in answer.headers if name == "Access-Control-Allow-Origin"]
    assert allowed == ([origin] if may else [])  # and never what the function said


@pytest.mark.parametrize(
    ("found", "status", "body"),
    [
        ({"statusCode": 200}, 200, b""),
        ({"statusCode": "404", "body": "no"}, 404, b"no"),
        ({"statusCode": 200, "body": "é"}, 200, "é".encode()),
        ({"statusCode": 200, "body": "AAE=", "isBase64Encoded": True}, 200, b"\0\1"),
        ({"statusCode": 200, "body": "no base64", "isBase64Encoded": True}, 500, None),
        ({"statusCode": 200, "body": {"a": 1}}, 500, None),
        ({"statusCode": 200, "body": "\ud800"}, 500, None),
        ({"statusCode": 99}, 500, None),
        ({"statusCode": 100}, 500, None),
        ({"statusCode": None}, 500, None),
        ({"statusCode": [200]}, 500, None),
        ({"statusCode": 200, "headers": {"A": "b\r\nC: d"}}, 500, None),
        ({"statusCode": 200, "headers": ["a"]}, 500, None),
        ({"hello": "world"}, 200, b'{"hello": "world"}'),
        ("text", 200, b'"text"'),
        (None, 200, b"null"),
    ],
)
def test_what_a_function_returns_is_what_api_gateway_makes_of_it(found, status, body):
    answer = answered(found, "id")
    assert answer.status == status
    assert answer.body == (body if body is not None else refuse(500).body)


def test_the_functions_own_length_does_not_count_and_cookies_are_headers():
    found = {
        "statusCode": 200, "headers": {"Content-Length": "99", "X-A": True}, "cookies": ["a=b"],
        "body": base64.b64encode(b"x").decode(), "isBase64Encoded": True,
    }  # fmt: skip
    headers = answered(found, "id").headers
    assert ("Set-Cookie", "a=b") in headers
    assert ("X-A", "true") in headers
    assert "content-length" not in {name.lower() for name, _ in headers}
