"""SageMaker's runtime API on this machine, as boto3 and raw requests meet it."""

import contextlib
import json
import struct
import time
import zlib

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from marfa.rehearsal import eventstream, runtime
from marfa.rehearsal.loopback import Answer, Asked, Door
from marfa.rehearsal.runtime import Endpoint, Runtime

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=any/20261124/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


class Container:
    """What a container is asked, and what it answers."""

    def __init__(self):
        self.asked = []
        self.reply = lambda asked: Answer(200, (("Content-Type", "text/plain"),), asked.body)

    def __call__(self, asked):
        self.asked.append(asked)
        return self.reply(asked)


@pytest.fixture
def container():
    return Container()


@pytest.fixture
def served(container):
    """The API in front of two endpoints, as a door and as the object behind it."""
    api = Runtime(seconds=1.0)
    with Door(container, runtime.refuse, most_bytes=1 << 24) as behind:
        for name, serverless in (("soup", False), ("soup-2", True)):
            api.endpoints[name] = Endpoint(name=name, url=behind.url, serverless=serverless)
        with Door(api.answer, runtime.refuse, most_bytes=runtime.MOST_BYTES) as door:
            yield door, api


@pytest.fixture
def client(served):
    made = boto3.client(
        "sagemaker-runtime", endpoint_url=served[0].url, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield made
    made.close()


def refused(client, **given):
    with pytest.raises(ClientError) as caught:
        client.invoke_endpoint(**{"EndpointName": "soup", "Body": b"x", **given})
    found = caught.value.response
    return found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Code"], found


def test_boto3_gets_the_containers_answer(client, container):
    container.reply = lambda asked: Answer(
        200,
        (("Content-Type", "application/json"), ("X-Amzn-SageMaker-Custom-Attributes", "c=d")),
        b'{"a":1}',
    )
    found = client.invoke_endpoint(
        EndpointName="soup", Body=b"good", ContentType="text/plain", Accept="application/json",
        CustomAttributes="a=b", InferenceId="one",
    )  # fmt: skip
    assert (found["Body"].read(), found["ContentType"]) == (b'{"a":1}', "application/json")
    assert (found["InvokedProductionVariant"], found["CustomAttributes"]) == ("live", "c=d")
    (asked,) = container.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/invocations", b"good")
    told = {name.lower() for name, _ in asked.headers}
    assert told == {
        "host", "accept-encoding", "content-length", "content-type", "accept",
        "x-amzn-sagemaker-custom-attributes", "x-amzn-sagemaker-inference-id",
    }  # fmt: skip


@pytest.mark.parametrize("status", [400, 422, 500, 503])
def test_a_containers_refusal_is_a_model_error(client, container, status):
    container.reply = lambda asked: Answer(status, (), '{"detail":"é"}'.encode())
    found = refused(client)
    assert found[:2] == (424, "ModelError")
    assert (found[2]["OriginalStatusCode"], found[2]["OriginalMessage"]) == (
        status,
        '{"detail":"é"}',
    )
    assert found[2]["LogStreamArn"].startswith("arn:aws:logs:")


def test_a_container_that_is_silent_or_gone_is_a_model_error_too(client, container, served):
    container.reply = lambda asked: time.sleep(2) or Answer(200)
    began = time.monotonic()
    assert refused(client)[2]["OriginalStatusCode"] == 0
    assert time.monotonic() - began < 1.8
    served[1].endpoints["soup"] = Endpoint(name="soup", url="http://127.0.0.1:9")
    assert "closed the connection" in refused(client)[2]["OriginalMessage"]


def test_what_aws_refuses_never_reaches_the_container(client, container, served):
    assert refused(client, EndpointName="other")[:2] == (400, "ValidationError")
    assert refused(client, Body=b"")[:2] == (400, "ValidationError")
    assert refused(client, Body=b"x" * (runtime.MOST_BYTES + 1))[0] == 413
    four = b"x" * (runtime.MOST_SERVERLESS_BYTES + 1)
    assert refused(client, EndpointName="soup-2", Body=four)[0] == 413
    served[1].refusals.append((429, "ThrottlingException"))
    assert refused(client)[:2] == (429, "ThrottlingException")
    assert container.asked == []
    assert client.invoke_endpoint(EndpointName="soup", Body=four)["Body"].read() == four
    assert dict(served[1].calls) == {400: 2, 413: 1, 429: 1, 200: 1}


PATH = "/endpoints/soup/invocations"


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"headers": ()}, 403, "MissingAuthenticationTokenException"),
        ({"headers": (("Authorization", "Bearer x"),)}, 403, "IncompleteSignatureException"),
        (
            {"headers": (("Authorization", SIGNED.replace("/sagemaker/", "/s3/")),)},
            403,
            "InvalidSignatureException",
        ),
        ({"method": "GET"}, 404, "UnknownOperationException"),
        ({"target": "/endpoints/soup"}, 404, "UnknownOperationException"),
        ({"target": "/endpoints/a/b/invocations"}, 404, "UnknownOperationException"),
        ({"target": "/endpoints/..%2Fsoup/invocations"}, 400, "ValidationError"),
        ({"headers": (("Authorization", SIGNED), ("Accept", "é"))}, 400, "ValidationError"),
        ({"headers": (("Authorization", SIGNED), ("Accept", "a" * 1025))}, 400, "ValidationError"),
    ],
)
def test_a_call_that_is_none_is_refused_with_aws_word_for_it(changes, status, word):
    api = Runtime()
    api.endpoints["soup"] = Endpoint(name="soup", url="http://127.0.0.1:9")
    fields = {"method": "POST", "target": PATH, "headers": (("Authorization", SIGNED),)}
    answer = api.answer(Asked(**{**fields, **changes}, body=b"x"))
    named = dict(answer.headers).get("x-amzn-errortype", "")
    assert (answer.status, named.partition(":")[0]) == (status, word)
    json.loads(answer.body)


def streamed(client, **given):
    return client.invoke_endpoint_with_response_stream(
        **{"EndpointName": "soup", "Body": b"x", **given}
    )


def read(found):
    with contextlib.closing(found["Body"]) as body:
        return b"".join(event["PayloadPart"]["Bytes"] for event in body)


def test_boto3_gets_a_stream_as_it_is_made(client, container):
    pieces = [b"one ", "zwei é ".encode(), bytes(range(256))]
    kind = (("Content-Type", "text/event-stream"),)
    container.reply = lambda asked: Answer(200, kind, iter(pieces))
    found = streamed(client)
    assert found["ContentType"] == "text/event-stream"
    assert read(found) == b"".join(pieces)


def test_a_streams_accept_comes_in_a_header_of_its_own_and_reaches_the_container_as_accept(
    client, container
):
    read(streamed(client, Accept="text/event-stream", ContentType="text/plain"))
    assert container.asked[-1].header("accept") == "text/event-stream"
    assert container.asked[-1].header("content-type") == "text/plain"
    read(streamed(client))
    assert container.asked[-1].header("accept") == ""


def test_a_stream_that_breaks_off_says_so(client, container):
    def broken(asked):
        def pieces():
            yield b"begun"
            raise RuntimeError

        return Answer(200, (), pieces())

    container.reply = broken
    with pytest.raises(EventStreamError, match="broke off"):
        read(streamed(client))


def test_a_refusal_before_the_stream_is_no_stream(client, container):
    container.reply = lambda asked: Answer(422, (), b"no")
    with pytest.raises(ClientError) as caught:
        streamed(client)
    assert caught.value.response["OriginalStatusCode"] == 422
    with pytest.raises(ClientError, match="not supported"):
        streamed(client, EndpointName="soup-2")


def test_a_frame_has_its_lengths_and_checksums_where_aws_has_them():
    frame = eventstream.part(b"harbour")
    whole, headers, check = struct.unpack(">III", frame[:12])
    assert (whole, check) == (len(frame), zlib.crc32(frame[:8]))
    assert struct.unpack(">I", frame[-4:])[0] == zlib.crc32(frame[:-4])
    assert frame[12 + headers : -4] == b"harbour"
    buffer = EventStreamBuffer()
    buffer.add_data(frame + eventstream.failure("it broke", "StreamBroken"))
    kinds = [message.headers[":message-type"] for message in buffer]
    assert kinds == ["event", "exception"]
