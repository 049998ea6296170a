"""API Gateway's events: what is read of them, and the form of an answer."""

import copy
import json

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventModel,
    APIGatewayProxyEventV2Model,
    LambdaFunctionUrlModel,
)
from hypothesis import given
from hypothesis import strategies as some
from tests import gateways

from marfa import errors
from marfa.container.gateway import MOST_BYTES, answered, asked
from marfa.container.messages import SAFETY, Request, Response, problem

REQUESTS = [
    Request("GET", "/"),
    Request("GET", "/ping"),
    Request("HEAD", "/docs"),
    Request(
        "POST", "/invocations", "text/plain; charset=utf-8", "text/plain", "très réussi".encode()
    ),
    Request("POST", "/v1/predict", "application/json", "", b'{"text": "good"}'),
    Request("POST", "/invocations", "text/plain", "", b"\xff\xfe"),
    Request("POST", "/invocations", "application/jsonlines", "*/*", b'{"text": "a"}\n{}'),
    Request("POST", "/invocations", "text/plain", "", b""),
]
KINDS = [
    (gateways.http, APIGatewayProxyEventV2Model),
    (gateways.url, LambdaFunctionUrlModel),
    (gateways.rest, APIGatewayProxyEventModel),
]


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(("event", "model"), KINDS)
def test_what_was_asked_is_read_of_an_event_that_aws_own_models_accept(request_, event, model):
    made = event(request_)
    model.model_validate(copy.deepcopy(made))
    assert asked(made) == request_


@pytest.mark.parametrize(
    ("stage", "path", "found"),
    [
        ("prod", "/prod/ping", "/ping"),
        ("prod", "/prod", "/"),
        ("prod", "/prod/", "/"),
        ("prod", "/production", "/production"),
        ("prod", "/ping", "/ping"),  # by a domain of one's own, whose paths name no stage
        ("$default", "/ping", "/ping"),
        ("$default", "", "/"),
        ("$default", "/v1/pre%64ict", "/v1/predict"),
        ("v1", "/v1/v1/model", "/v1/model"),
    ],
)
def test_the_stage_in_front_of_a_path_is_cut_off(stage, path, found):
    event = gateways.http(Request("GET", "/"), stage)
    assert asked({**event, "rawPath": path}).path == found


def test_a_rest_api_whose_stage_is_called_as_an_address_begins_loses_nothing():
    assert asked(gateways.rest(Request("GET", "/v1/model"), stage="v1")).path == "/v1/model"


def test_an_http_api_that_sends_the_older_format_loses_its_stage():
    event = gateways.rest(Request("GET", "/prod/ping"))
    event["requestContext"]["path"] = "/prod/ping"
    assert asked({**event, "version": "1.0"}).path == "/ping"


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
@pytest.mark.parametrize("event", [gateways.http, gateways.url, gateways.rest])
def test_the_case_of_a_header_is_nothing(event, name):
    made = event(Request("POST", "/invocations", body=b"x"))
    made["headers"] = {name: "text/plain"}
    made.pop("multiValueHeaders", None)
    assert asked(made).content_type == "text/plain"


def test_a_header_that_was_sent_twice_is_read_as_one():
    made = gateways.rest(Request("POST", "/invocations", "text/plain"))
    made["multiValueHeaders"] |= {"Accept": ["text/plain;q=0.5", "application/json"]}
    assert asked(made).accept == "text/plain;q=0.5, application/json"


def test_an_event_without_headers_and_body_is_a_question_without_them():
    made = gateways.rest(Request("POST", "/invocations"))
    made |= {"headers": None, "multiValueHeaders": None, "requestContext": None}
    del made["body"], made["isBase64Encoded"]
    assert asked(made) == Request("POST", "/invocations")


NO_EVENTS = [
    None, [], "text", 5, {}, {"version": "2.0"}, {"version": "2.0", "rawPath": "/"},
    {"version": "2.0", "rawPath": "/", "requestContext": None},
    {"version": "2.0", "rawPath": 1, "requestContext": {"http": {"method": "GET"}}},
    {"version": "2.0", "httpMethod": "GET", "path": "/"}, {"httpMethod": "GET"},
    {"httpMethod": 1, "path": "/"}, {"Records": [{"eventSource": "aws:s3"}]},
]  # fmt: skip


@pytest.mark.parametrize("event", NO_EVENTS)
def test_what_is_no_event_is_refused_and_answered_nevertheless(event):
    with pytest.raises(errors.RequestError, match="no event of API Gateway") as caught:
        asked(event)
    answer = answered(problem(caught.value), event)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["status"] == 400


@pytest.mark.parametrize("body", ["not base64!", "YQ", "é", "YQ==\n"])
def test_a_body_that_is_not_the_base64_it_should_be_is_refused(body):
    made = gateways.http(Request("POST", "/invocations", "text/plain"))
    with pytest.raises(errors.RequestError, match="base64"):
        asked({**made, "body": body, "isBase64Encoded": True})


def test_half_a_character_is_left_for_the_contract_to_refuse():
    made = gateways.http(Request("POST", "/invocations", "text/plain"))
    assert asked({**made, "body": "\ud800"}).body == b"\xed\xa0\x80"


@pytest.mark.parametrize("body", [1, ["a"], {"a": 1}])
def test_a_body_that_is_no_text_is_refused(body):
    with pytest.raises(errors.RequestError, match="no text"):
        asked({**gateways.http(Request("POST", "/invocations")), "body": body})


@pytest.mark.parametrize("coding", ["gzip", "identity, gzip", "x"])
@pytest.mark.parametrize("event", [gateways.http, gateways.rest])
def test_a_body_in_another_coding_is_refused_as_the_server_does(event, coding):
    made = event(Request("POST", "/invocations"), headers={"content-encoding": coding})
    with pytest.raises(errors.UnsupportedCodingError) as caught:
        asked(made)
    answer = answered(problem(caught.value), made)
    assert (answer["statusCode"], answer["headers"]["Accept-Encoding"]) == (415, "identity")


def test_a_body_as_it_is_may_say_so():
    made = gateways.http(REQUESTS[3], headers={"content-encoding": "Identity"})
    assert asked(made) == REQUESTS[3]


json_like = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)
PARTS = ("headers", "multiValueHeaders", "requestContext", "body", "isBase64Encoded", "path")


@given(some.dictionaries(some.sampled_from([*PARTS, "rawPath", "version"]), json_like))
def test_an_event_that_somebody_made_up_is_read_or_refused(changes):
    for event in (gateways.http, gateways.rest):
        made = event(REQUESTS[3]) | changes
        try:
            assert isinstance(asked(made), Request)
        except errors.RequestError as error:
            assert answered(problem(error), made)["statusCode"] in {400, 415}  # noqa: PT017


@pytest.mark.parametrize(
    ("kind", "body", "packed"),
    [
        ("application/json", b'{"label":"positive"}', False),
        ("application/problem+json", '{"detail":"é"}'.encode(), False),
        ("application/jsonlines", b"{}\n{}", False),
        ("text/plain; charset=utf-8", "سلام 🙂\x00\r\n".encode(), False),
        ("text/event-stream; charset=utf-8", b"event: done\n\n", False),
        ("text/html; charset=utf-8", b"<p>", False),
        ("image/svg+xml", b"<svg/>", False),
        ("image/png", b"\x89PNG", True),
        ("application/octet-stream", b"plain letters", True),
        ("text/plain", b"\xff\xfe", True),
    ],
)
@pytest.mark.parametrize("event", [gateways.http(REQUESTS[0]), gateways.rest(REQUESTS[0])])
def test_an_answer_carries_text_as_text_and_all_else_as_base64(event, kind, body, packed):
    answer = json.loads(json.dumps(answered(Response(200, kind, body), event)))
    assert answer["isBase64Encoded"] is packed
    assert gateways.body_of(answer) == body
    assert answer["headers"]["Content-Type"] == kind


def test_an_answer_carries_the_headers_of_its_response_and_those_of_all():
    response = Response(405, "text/plain", b"", {"Allow": "POST"})
    headers = answered(response, gateways.http(REQUESTS[0]))["headers"]
    assert headers == {
        "Content-Type": "text/plain",
        "Allow": "POST",
        "X-Request-Id": "JKJaXmPLvHcESHA=",
        **SAFETY,
    }


def test_events_are_not_kept_by_any_cache():
    answer = answered(Response(200, "text/event-stream", b""), gateways.http(REQUESTS[0]))
    assert answer["headers"]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("given_", "found"),
    [("mine", "mine"), ("x" * 100, "x" * 64), ("", "JKJaXmPLvHcESHA="), ("a\r\nb", "JKJaXmPLvHcESHA=")],
)  # fmt: skip
def test_a_request_keeps_the_name_that_its_client_gave_it(given_, found):
    event = gateways.http(REQUESTS[0], headers={"x-request-id": given_})
    assert answered(Response(200, "text/plain", b""), event)["headers"]["X-Request-Id"] == found


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (MOST_BYTES - 1000), 200),
        (b"x" * MOST_BYTES, 413),
        (b"\x00" * (MOST_BYTES // 6), 413),
        (b"\x00" * (MOST_BYTES // 6 - 1000), 200),
    ],
    ids=["just fits", "too large", "too large once it is written", "just fits once it is written"],
)
def test_an_answer_larger_than_lambda_hands_over_becomes_a_problem(body, status):
    answer = answered(Response(200, "text/plain", body), gateways.http(REQUESTS[0]))
    assert answer["statusCode"] == status
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= MOST_BYTES
    if status == 413:
        assert json.loads(answer["body"])["title"] == "Too large"
