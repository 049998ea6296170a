"""AWS's own clients, boto3 and the AWS CLI, at the runtime API of `marfa rehearse`."""

import contextlib
import json
import re
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from tests import gateways
from tests.peers import model_servers, toolkit
from tests.peers.comparison import response
from tests.peers.processes import Program, environ, free_port

from marfa import bundle, loading
from marfa.container import pages
from marfa.container.contract import DEFAULT_LIMITS
from marfa.proxy import handler as proxy
from marfa.rehearsal import runtime
from marfa.rehearsal.container import Container
from marfa.rehearsal.loopback import Door
from marfa.rehearsal.runtime import Endpoint, Runtime

NAME = "marfa-peers"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
_HERE = Path(__file__).parent
_REHEARSE = """
import sys
from marfa.settings import CloudSettings
from marfa.stages.rehearse import rehearse
settings = CloudSettings(target="endpoint", region="eu-west-1", rate=1000, burst=1000)
rehearse(sys.argv[1], settings, workdir=sys.argv[2], port=int(sys.argv[3]), stay=True)
"""


@contextlib.contextmanager
def runtime_api(model_path, folder):
    """An endpoint with `marfa serve` in its container; yields the address of the runtime API."""
    container = Container(model_path, {"MARFA_ENGINE": "numpy"}, folder)
    container.wait(60)
    try:
        answering = Runtime()
        answering.endpoints[NAME] = Endpoint(name=NAME, url=container.url)
        with Door(answering.answer, runtime.refuse, most_bytes=runtime.MOST_BYTES) as door:
            yield door.url
    finally:
        container.close()


def client(url):
    """A client that tries once; whoever it asks, it is not AWS."""
    return boto3.client(
        "sagemaker-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
    )


def _arguments(request):
    named = {"ContentType": request.content_type, "Accept": request.accept}
    given = {name: value for name, value in named.items() if value}
    return {"EndpointName": NAME, "Body": request.body, **given}


def _refused(error):
    """What a container answered, out of what AWS says of it; its content type is not among that."""
    found = error.response
    if found["Error"]["Code"] != "ModelError":
        status = found["ResponseMetadata"]["HTTPStatusCode"]
        return response(status, None, found["Error"]["Message"].encode())
    return response(found["OriginalStatusCode"], None, found["OriginalMessage"].encode())


@contextlib.contextmanager
def boto3_whole(model_path, folder):
    """Answers in one piece."""
    with runtime_api(model_path, folder) as url:
        asking = client(url)

        def ask(request):
            try:
                found = asking.invoke_endpoint(**_arguments(request))
            except ClientError as error:
                return _refused(error)
            return response(200, found["ContentType"], found["Body"].read())

        yield ask


@contextlib.contextmanager
def boto3_streamed(model_path, folder):
    """Answers in AWS's event stream, parsed by botocore and put together."""
    with runtime_api(model_path, folder) as url:
        asking = client(url)

        def ask(request):
            try:
                found = asking.invoke_endpoint_with_response_stream(**_arguments(request))
            except ClientError as error:
                return _refused(error)
            parts = [event["PayloadPart"]["Bytes"] for event in found["Body"]]
            return response(200, found["ContentType"], b"".join(parts))

        yield ask


@contextlib.contextmanager
def awscli(model_path, folder):
    """The AWS CLI, which tells of an error in a sentence."""
    env = environ(folder, AWS_DEFAULT_REGION="eu-west-1", **CREDENTIALS)
    with runtime_api(model_path, folder / "endpoint") as url:
        env |= {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url, "AWS_MAX_ATTEMPTS": "1"}
        script = _HERE / "inside_awscli.py"
        with toolkit.Lines("awscli", script, folder / "awscli", env) as running:
            body, out = folder / "body", folder / "out"

            def ask(request):
                body.write_bytes(request.body)
                command = ["sagemaker-runtime", "invoke-endpoint", "--endpoint-name", NAME]
                command += ["--body", f"fileb://{body}"]
                for flag, value in (
                    ("--content-type", request.content_type),
                    ("--accept", request.accept),
                ):
                    command += [flag, value] if value else []
                told = running.ask([*command, str(out)])
                if told["code"] == 0:
                    return response(200, json.loads(told["out"])["ContentType"], out.read_bytes())
                found = re.search(
                    r'error \((\d+)\) from primary with message "(.*)"\. See https',
                    told["err"],
                    re.S,
                )
                if not found:
                    return response(int(told["code"]), None, told["err"].encode())
                return response(int(found[1]), None, found[2].encode())

            yield ask


@contextlib.contextmanager
def proxied(model_path, folder):
    """The function before an endpoint, with AWS's own server in the endpoint's container."""
    found = bundle.load(model_path)
    site = folder / "site"
    site.mkdir()
    packed = pages.pack(pages.files(loading.of(found, engine="numpy"), DEFAULT_LIMITS))
    for name, content in packed.items():
        (site / name).write_bytes(content)
    with model_servers.running("mms", model_path, folder) as (_, url):
        answering = Runtime()
        answering.endpoints[NAME] = Endpoint(name=NAME, url=url)
        with Door(answering.answer, runtime.refuse, most_bytes=runtime.MOST_BYTES) as door:
            endpoint = proxy.Endpoint(NAME, lambda seconds: client(door.url))
            function = proxy.handler_of(site, endpoint)

            def ask(request):
                with contextlib.redirect_stdout(sys.stderr):  # its log
                    answer = function(gateways.http(request))
                kind = answer["headers"]["Content-Type"]
                return response(answer["statusCode"], kind, gateways.body_of(answer))

            yield ask


@contextlib.contextmanager
def rehearsed(model_path, folder):
    """`marfa rehearse` as it stays up, asked at the address of the page."""
    from tests.peers.hosts import over_http

    port = free_port()
    command = [sys.executable, "-c", _REHEARSE, model_path, folder / "work", port]
    env = environ(folder, MARFA_ENGINE="numpy")
    with Program(command, folder / "rehearsal", env) as program:
        url = f"http://127.0.0.1:{port}"
        program.wait_for(f"{url}/readyz", 90)
        yield lambda request: over_http(url, request)


def unasked(request):
    """Why a client of the runtime API cannot ask something; empty if it can."""
    if not request.body:
        return "AWS's clients send no empty body"
    return toolkit.unasked(request, ping=False)


def runtimes_own(request, expected):
    """Why the runtime API answers a request itself; empty if it does not."""
    return "AWS takes 6 MiB" if len(request.body) > runtime.MOST_BYTES else ""


def gateways_own(request, expected):
    """Why API Gateway answers a request itself; empty if it does not."""
    if request.path == "/ping":
        return "API Gateway answers /ping itself"
    return "Lambda takes 6 MiB" if len(request.body) > (6 << 20) else ""
