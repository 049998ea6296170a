"""The Lambda function as it is sent, at work in AWS's own emulator of Lambda's runtime."""

import base64
import json
import re

import boto3
import pytest
from botocore.config import Config
from tests import emulator, gateways, installed

from marfa import bundle, loading
from marfa.aws import functions
from marfa.container import pages, questions
from marfa.container.contract import DEFAULT_LIMITS, Request, respond
from marfa.container.messages import SAFETY

pytestmark = pytest.mark.skipif(
    not emulator.there(), reason="no emulator: make .venv/aws-lambda-rie"
)
HANDLER = "marfa.container.function.handler"
TEXT = "text/plain"


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    """The layer made of the numpy that is installed here, unpacked."""
    made = functions.numpy_layer(installed.wheel("numpy"))
    return installed.unpack(made, tmp_path_factory.mktemp("layer")) / "python"


@pytest.fixture(scope="module", params=["model_path", "writer_path"])
def running(request, layer, tmp_path_factory):
    """A function at work, and its model."""
    found = bundle.load(request.getfixturevalue(request.param))
    folder = installed.unpack(functions.function_zip(found), tmp_path_factory.mktemp("function"))
    with emulator.Emulated(folder, HANDLER, [layer]) as function:
        yield function, loading.of(found, engine="numpy")


@pytest.mark.parametrize("event", [gateways.http, gateways.rest], ids=["2.0", "1.0"])
def test_every_golden_request_is_answered_as_the_contract_does_byte_for_byte(running, event):
    function, model = running
    for request in questions.of(model):
        answer, expected = function.invoke(event(request)), respond(model, request)
        assert answer["statusCode"] == expected.status
        assert answer["headers"]["Content-Type"] == expected.content_type
        assert gateways.body_of(answer) == expected.body
        assert SAFETY.items() <= answer["headers"].items()


def test_the_page_and_its_files_are_those_of_the_server(running):
    function, model = running
    for path, page in pages.files(model, DEFAULT_LIMITS).items():
        answer = function.invoke(gateways.http(Request("GET", path)))
        assert answer["statusCode"] == 200
        assert answer["headers"]["Content-Type"] == page.content_type
        assert gateways.body_of(answer) == page.content


def _event(**changes):
    return gateways.http(Request("POST", "/invocations", TEXT, "", b"good")) | changes


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"Records": []}, 400),
        ([], 400),
        (None, 400),
        (_event(body="no base64!", isBase64Encoded=True), 400),
        (_event(body=base64.b64encode(b"\xff").decode(), isBase64Encoded=True), 400),
        (_event(body="x" * (DEFAULT_LIMITS.max_body_bytes + 1)), 413),
        (_event(body="\ud800"), 400),
        (_event(rawPath="/metrics"), 404),
    ],
    ids=["another service's", "a list", "null", "no base64", "no UTF-8", "huge", "half a character",
         "metrics"],
)  # fmt: skip
def test_an_event_that_cannot_be_answered_is_answered_with_a_problem(running, event, status):
    answer = running[0].invoke(event)
    assert answer["statusCode"] == json.loads(answer["body"])["status"] == status
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_boto3_calls_it_as_it_calls_lambda(running):
    function, model = running
    client = boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=function.url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )
    event = gateways.http(Request("GET", "/v1/model"))
    found = client.invoke(FunctionName="function", Payload=json.dumps(event))
    answer = json.loads(found["Payload"].read())
    assert gateways.body_of(answer) == respond(model, Request("GET", "/v1/model")).body


def test_the_log_has_a_line_a_request_and_no_word_of_a_client(model_path, layer, tmp_path):
    found = bundle.load(model_path)
    folder = installed.unpack(functions.function_zip(found), tmp_path)
    with emulator.Emulated(folder, HANDLER, [layer]) as function:
        for path in ("/invocations", "/secret-55"):
            function.invoke(gateways.http(Request("POST", path, TEXT, "", b"secret-55")))
    lines = [json.loads(line) for line in re.findall(r"^\{.*\}$", function.log, re.MULTILINE)]
    assert [(line["path"], line["first"]) for line in lines] == [
        ("/invocations", True),
        ("other", False),
    ]
    assert "secret-55" not in function.log
