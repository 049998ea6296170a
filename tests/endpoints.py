"""A server that speaks SageMaker's runtime API on the loopback, with the real contract for a container.

    with FakeRuntime(own_image(model)) as runtime:
        boto3.client("sagemaker-runtime", endpoint_url=runtime.url).invoke_endpoint(...)

A container is a function of a `Request`; an answer above 399 leaves as AWS sends it: 424 ModelError. A
behaviour, one for a call, takes the place of the container.
"""

import json
import socket
import struct
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from marfa.container.contract import Request, Response, problem, respond
from marfa.container.handler import input_fn, output_fn, predict_fn
from marfa.errors import MarfaError

NAME = "marfa-soup"
ACCOUNT = "123456789012"
LOG = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/{NAME}"
LONGEST_HEADER = 1024


def own_image(model):
    """The container of marfa's own image: the contract behind /invocations."""
    return lambda request: respond(model, request)


def toolkit(model):
    """A container of AWS's: `transformer.py` of sagemaker-inference 1.10 around our four functions."""

    def answer(request):
        accept = "application/json" if request.accept in {"", "*/*"} else request.accept
        data = request.body
        try:
            if request.content_type in {"application/json", "text/csv"}:
                data = data.decode("utf-8")
            asked = input_fn(data, request.content_type)
            body, kind = output_fn(predict_fn(asked, model), accept)
        except MarfaError as error:
            told = problem(error)
            trace = f"{told.body.decode()}\n{traceback.format_exc()}"
            return Response(told.status, "text/plain", trace.encode())
        except UnicodeDecodeError as error:
            trace = f"{error}\n{traceback.format_exc()}"
            return Response(500, "text/plain", trace.encode())
        return Response(200, kind, body)

    return answer


def refusing(status, code, message="nothing to see", **more):
    """Answer as AWS refuses a call."""

    def behave(call):
        call.refuse(status, code, {"Message": message, **more})

    return behave


def failing(status, original):
    """Answer as AWS does where a container answers with this status and text."""
    return lambda call: call.model_error(status, original)


def saying(status, content, **headers):
    """Answer with these very bytes."""
    return lambda call: call.send(status, content, headers)


def silent(seconds):
    """Say nothing for a while, and then hang up."""

    def behave(call):
        time.sleep(seconds)
        call.close_connection = True

    return behave


def slamming(call):
    """Reset the connection."""
    linger = struct.pack("ii", 1, 0)
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    call.close_connection = True


def cutting(call):
    """Close the connection in the middle of an answer."""
    call.send(200, b"half", {"Content-Length": "8", "Content-Type": "text/plain"})


def answering(call):
    """Let the container answer."""
    call.answer()


class FakeRuntime:
    """Serves one endpoint, in threads, until the block ends.

    Attributes:
        asked: what reached the container, as it reached it.
        calls: method and path of every call.
        behaviours: what the next calls meet; the last one stays, and without any the container answers.
    """

    def __init__(self, container):
        self.container = container
        self.asked, self.calls, self.behaviours = [], [], []
        handler = type("Handler", (_Call,), {"runtime": self})
        self._http = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def behaves(self, *behaviours):
        """Begin anew with these behaviours, and with no call made."""
        self.behaviours = list(behaviours)
        self.calls.clear()
        self.asked.clear()

    def next_behaviour(self):
        if len(self.behaviours) > 1:
            return self.behaviours.pop(0)
        return self.behaviours[0] if self.behaviours else answering


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing of clients that have hung up, as they do when they have waited long enough."""


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one piece: sent apart, they wait 40 ms for each other

    def do_POST(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.runtime.calls.append((self.command, self.path))
        self.runtime.next_behaviour()(self)

    def __getattr__(self, name):
        if name.startswith("do_"):  # every method is noted, above all those that nobody should use
            return self.do_POST
        raise AttributeError(name)

    def answer(self):
        """Check the call as AWS does, ask the container, and answer what it says."""
        problems = list(self._mistakes())
        if problems:
            self.refuse(400, "ValidationError", {"Message": "; ".join(problems)})
            return
        kind, accept = self.headers["Content-Type"], self.headers.get("Accept", "")
        request = Request("POST", "/invocations", kind, accept, self.body)
        self.runtime.asked.append(request)
        response = self.runtime.container(request)
        if response.status < 400:
            headers = {
                "Content-Type": response.content_type,
                "x-Amzn-Invoked-Production-Variant": "all",
            }
            self.send(response.status, response.body, headers)
        else:
            self.model_error(response.status, response.body.decode())

    def _mistakes(self):
        if self.path != f"/endpoints/{NAME}/invocations":
            yield f"Endpoint {self.path} of account {ACCOUNT} not found."
        if "/sagemaker/aws4_request" not in self.headers.get("Authorization", ""):
            yield "the call is not signed for sagemaker"
        if not self.body:
            yield "1 validation error detected: Value at 'body' failed to satisfy constraint"
        for name in ("Content-Type", "Accept"):
            value = self.headers.get(name, "")
            if not value or len(value) > LONGEST_HEADER or not value.isascii():
                yield f"1 validation error detected: Value at '{name}' failed to satisfy constraint"

    def model_error(self, status, original):
        kind = "CLIENT_ERROR_FROM_MODEL" if status < 500 else "INTERNAL_FAILURE_FROM_MODEL"
        message = (
            f'Received error ({status}) from primary with message "{original}". See '
            f"https://eu-west-1.console.aws.amazon.com/cloudwatch/home in account {ACCOUNT}."
        )
        document = {
            "ErrorCode": kind,
            "LogStreamArn": LOG,
            "Message": message,
            "OriginalMessage": original,
            "OriginalStatusCode": status,
        }
        self.refuse(424, "ModelError", document)

    def refuse(self, status, code, document):
        headers = {"x-amzn-errortype": f"{code}:http://internal.amazon.com/coral/{code}/"}
        body = json.dumps(document).encode()
        self.send(status, body, {"Content-Type": "application/json", **headers})

    def send(self, status, content, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = headers.get("Content-Length", "") != ""

    def log_message(self, *_):
        pass
