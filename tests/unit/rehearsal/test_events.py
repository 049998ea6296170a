"""Events of an HTTP API: such as AWS's own models accept, and what was asked is in them."""

import base64
import copy
import json
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model
from hypothesis import given
from hypothesis import strategies as some

from marfa.rehearsal.events import Place, http
from marfa.rehearsal.loopback import Asked

NOW = datetime(2026, 11, 24, 23, 4, 5, 678_000, tzinfo=UTC)


def event(method="GET", target="/", headers=(), body=b"", **place):
    return http(Asked(method, target, tuple(headers), body), Place(**place), NOW, "id")


def test_names_are_in_lower_case_and_what_has_one_name_is_joined():
    found = event(headers=[("X-One", "1"), ("Accept", "a/b"), ("x-one", "2")])["headers"]
    assert (found["x-one"], found["accept"]) == ("1,2", "a/b")
    assert all(name == name.lower() for name in found)


def test_headers_of_the_line_stay_behind_and_those_of_the_gateway_come_in():
    found = event(
        headers=[
            ("Host", "127.0.0.1:8080"), ("Connection", "close"), ("Transfer-Encoding", "chunked"),
            ("Expect", "100-continue"), ("X-Forwarded-For", "203.0.113.9"),
        ]
    )["headers"]  # fmt: skip
    assert not {"connection", "transfer-encoding", "expect"} & set(found)
    assert found["host"] == "abc123.execute-api.eu-west-1.amazonaws.com"
    assert found["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"
    assert (found["x-forwarded-proto"], found["x-forwarded-port"]) == ("https", "443")
    assert found["x-amzn-trace-id"].startswith("Root=1-")


def test_cookies_stand_apart():
    found = event(headers=[("Cookie", "a=1; b=2"), ("cookie", "c=3")])
    assert found["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in found["headers"]
    assert "cookies" not in event()


def test_the_query_is_there_as_it_was_and_taken_apart():
    found = event(target="/v1?a=1&b=%C3%A9&a=2&c=")
    assert (found["rawPath"], found["rawQueryString"]) == ("/v1", "a=1&b=%C3%A9&a=2&c=")
    assert found["queryStringParameters"] == {"a": "1,2", "b": "é", "c": ""}
    assert "queryStringParameters" not in event()


@pytest.mark.parametrize(
    ("kind", "coding", "packed"),
    [
        ("text/plain", "", False),
        ("TEXT/HTML; charset=utf-8", "", False),
        ("application/json", "", False),
        ("application/xml", "", False),
        ("application/javascript", "", False),
        ("text/plain", "gzip", True),
        ("application/problem+json", "", True),
        ("application/jsonlines", "", True),
        ("application/x-www-form-urlencoded", "", True),
        ("application/octet-stream", "", True),
        ("", "", True),
    ],
)
def test_a_body_is_text_for_a_few_types_and_base64_for_all_others(kind, coding, packed):
    headers = [("Content-Type", kind)] if kind else []
    headers += [("Content-Encoding", coding)] if coding else []
    found = event("POST", headers=headers, body=b"good")
    assert found["isBase64Encoded"] is packed
    assert found["body"] == (base64.b64encode(b"good").decode() if packed else "good")


def test_a_text_that_is_none_is_base64_and_none_at_all_is_left_out():
    assert event("POST", headers=[("Content-Type", "text/plain")], body=b"\xff")["isBase64Encoded"]
    assert "body" not in event()


def test_the_moment_and_the_place_are_told():
    found = event(api="soup", account="000000000000", region="us-east-1")["requestContext"]
    assert found["time"] == "24/Nov/2026:23:04:05 +0000"
    assert found["timeEpoch"] == 1_795_561_445_678
    assert found["domainName"] == "soup.execute-api.us-east-1.amazonaws.com"


NAMES = some.sampled_from(["A", "Cookie", "content-type", "Host", "X-Forwarded-For", "accept"])
VALUES = some.text(some.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=12)


@given(
    some.sampled_from(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "PUT"]),
    some.text("/ab%20?&=é;", max_size=12),
    some.lists(some.tuples(NAMES, VALUES), max_size=6),
    some.binary(max_size=20),
)
def test_whatever_is_asked_is_an_event_that_aws_own_model_accepts(method, target, headers, body):
    made = event(method, "/" + target, headers, body)
    json.dumps(made)
    APIGatewayProxyEventV2Model.model_validate(copy.deepcopy(made))
    text = made.get("body", "")
    packed = made["isBase64Encoded"]
    assert (base64.b64decode(text) if packed else text.encode()) == body
