"""Everything that answers for a model.tar.gz, each behind the same two functions: `unasked` and `own`.

`HOSTS` has them all by name; `open` starts one, and yields what answers a request.
"""

import contextlib
import http.client
import json
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests import emulator, gateways, installed
from tests.contract.doors import through_handler
from tests.peers import clients, model_servers, toolkit
from tests.peers.comparison import response
from tests.peers.processes import missing

from marfa import bundle, loading
from marfa.aws import functions
from marfa.container.contract import JSON, problem, respond
from marfa.errors import MarfaError
from marfa.settings import ServeSettings
from marfa.stages.serve import Running


def _never(request, expected=None):
    return ""


def _only_invocations(request):
    """SageMaker hands on nothing else to a container, but its own question for /ping."""
    if (request.method, request.path) in {("POST", "/invocations"), ("GET", "/ping")}:
        return ""
    return "SageMaker asks POST /invocations and GET /ping alone"


@dataclass(frozen=True)
class Host:
    """Somebody who answers.

    Attributes:
        what: what it is, for docs/hosts.md.
        open: given a model.tar.gz and an empty folder, a context manager that yields `ask`.
        skip: why it cannot be run here; empty if it can.
        unasked: why a request never comes to it; empty if it does.
        own: why the host answers a request otherwise than the model; empty if it does not.
    """

    what: str
    open: Callable
    skip: Callable = lambda: ""
    unasked: Callable = _never
    own: Callable = _never


def over_http(url, request):
    """Ask a server, with the request's own headers and no others."""
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        line.putrequest(request.method, request.path, skip_accept_encoding=True)
        for name, value in (("Content-Type", request.content_type), ("Accept", request.accept)):
            if value:
                line.putheader(name, value)
        if request.method == "POST":
            line.putheader("Content-Length", str(len(request.body)))
        line.endheaders()
        # a server may have refused before the body has gone: what it said is what counts
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            line.send(request.body)
        answer = line.getresponse()
        return response(answer.status, answer.headers.get("Content-Type", ""), answer.read())
    finally:
        line.close()


@contextlib.contextmanager
def _serve(model_path, folder):
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        yield lambda request: over_http(server.url, request)


def _engine(name):
    @contextlib.contextmanager
    def opened(model_path, folder):
        model = loading.of(bundle.load(model_path), engine=name)
        yield lambda request: respond(model, request)

    return opened


@contextlib.contextmanager
def _four_functions(model_path, folder):
    # the engine that there is in AWS's containers; model_fn would take the fastest that is here
    model = loading.of(bundle.load(model_path), engine="numpy")

    def ask(request):
        try:
            body, kind = through_handler(model, request)
        except MarfaError as error:
            told = problem(error)
            return response(told.status, told.content_type, told.body)
        return response(200, kind, body)

    yield ask


@contextlib.contextmanager
def _lambda(model_path, folder):
    layer = installed.unpack(functions.numpy_layer(installed.wheel("numpy")), folder / "layer")
    code = functions.function_zip(bundle.load(model_path))
    unpacked = installed.unpack(code, folder / "function")
    with emulator.Emulated(
        unpacked, "marfa.container.function.handler", [layer / "python"]
    ) as running:

        def ask(request):
            try:
                answer = running.invoke(gateways.http(request))
            except urllib.error.HTTPError as error:
                return response(error.code, "", error.read())
            if "statusCode" not in answer:  # Lambda's own words
                return response(500, JSON, json.dumps(answer).encode())
            kind = answer["headers"]["Content-Type"]
            return response(answer["statusCode"], kind, gateways.body_of(answer))

        yield ask


def _server(stack):
    @contextlib.contextmanager
    def opened(model_path, folder):
        with model_servers.running(stack, model_path, folder) as (_, url):
            yield lambda request: over_http(url, request)

    return opened


HOSTS = {
    "marfa serve": Host("the server, over HTTP, numpy engine", _serve),
    "numpy": Host("the contract, in the same process", _engine("numpy")),
    "onnx": Host("the contract on ONNX Runtime, 32 bits", _engine("onnx")),
    "four functions": Host(
        "`input_fn`, `predict_fn`, `output_fn`, called one after the other",
        _four_functions,
        unasked=lambda request: toolkit.unasked(request, ping=False),
    ),
    "toolkit": Host(
        "AWS's sagemaker-inference calls them, with the contexts of multi-model-server, without Java",
        toolkit.opened,
        skip=lambda: missing("mms"),
        unasked=lambda request: toolkit.unasked(request, ping=False),
        own=toolkit.own,
    ),
    "MMS": Host(
        "AWS's sagemaker-inference and multi-model-server",
        _server("mms"),
        skip=lambda: model_servers.reason_to_skip("mms"),
        unasked=toolkit.unasked,
        own=toolkit.servers_own,
    ),
    "TorchServe": Host(
        "AWS's PyTorch serving toolkit and TorchServe, as in the image `pytorch-inference:2.6`",
        _server("torchserve"),
        skip=lambda: model_servers.reason_to_skip("torchserve"),
        unasked=toolkit.unasked,
        own=toolkit.servers_own,
    ),
    "Lambda": Host(
        "the function's zip in AWS's Lambda emulator, events of an HTTP API",
        _lambda,
        skip=lambda: "" if emulator.there() else "no emulator: make .venv/aws-lambda-rie",
        own=lambda request, expected: "Lambda takes 6 MiB" if len(request.body) > 6 << 20 else "",
    ),
    "rehearse": Host(
        "`marfa rehearse --target endpoint`: gateway, proxy, runtime API, container",
        clients.rehearsed,
        own=clients.gateways_own,
    ),
    "proxy, MMS": Host(
        "the proxy's handler, boto3, the runtime API, and `MMS` as above in the container",
        clients.proxied,
        skip=lambda: model_servers.reason_to_skip("mms"),
    ),
    "boto3": Host(
        "`invoke_endpoint` to the rehearsed runtime API",
        clients.boto3_whole,
        unasked=clients.unasked,
        own=clients.runtimes_own,
    ),
    "boto3, stream": Host(
        "`invoke_endpoint_with_response_stream`, its parts put together",
        clients.boto3_streamed,
        unasked=clients.unasked,
        own=clients.runtimes_own,
    ),
    "awscli": Host(
        "`aws sagemaker-runtime invoke-endpoint`",
        clients.awscli,
        skip=lambda: missing("awscli"),
        unasked=clients.unasked,
        own=clients.runtimes_own,
    ),
}
