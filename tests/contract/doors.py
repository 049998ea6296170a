"""What every door must do whatever the task: answer as the contract does."""

import pytest
from tests.installed import untar

from marfa.container import questions
from marfa.container.contract import JSON, Response, respond
from marfa.container.handler import input_fn, model_fn, output_fn, predict_fn
from marfa.errors import MarfaError


class Context:
    """What AWS's toolkits hand over: a request's headers, and where the status of its answer goes."""

    def __init__(self, request):
        named = {"Content-Type": request.content_type, "Accept": request.accept}
        self.headers = {name: value for name, value in named.items() if value}
        self.status = 200

    def get_all_request_header(self, idx):
        assert idx == 0
        return self.headers

    def set_response_status(self, code=200, phrase="", idx=0):
        assert (type(phrase), idx) == (str, 0)
        self.status = code


def through_handler(model, request):
    """Ask the four functions on a host that has no contexts: a plain program, or an old toolkit."""
    asked = input_fn(request.body, request.content_type)
    return output_fn(predict_fn(asked, model), request.accept)


def through_toolkit(model, request):
    """Ask them as the toolkits do, which take a missing Accept for JSON."""
    context = Context(request)
    accept = JSON if request.accept in {"", "*/*"} else request.accept
    prediction = predict_fn(input_fn(request.body, request.content_type or None), model)
    body, kind = output_fn(prediction, accept, context)
    return Response(context.status, kind, body)


def assert_handled_as_the_contract_does(bundle_path, folder):
    """Ask SageMaker's four functions every golden request of a packaged model."""
    untar(bundle_path, folder)
    model = model_fn(str(folder))
    for request in questions.of(model):
        if request.method != "POST" or request.path != "/invocations":
            continue
        expected = respond(model, request)
        assert through_toolkit(model, request) == expected
        if expected.status == 200:
            assert through_handler(model, request) == (expected.body, expected.content_type)
        else:
            with pytest.raises(MarfaError) as caught:
                through_handler(model, request)
            assert caught.value.http_status == expected.status


def assert_served_as_the_contract_does(running, ask):
    """Ask a running server every golden request of its model."""
    for request in questions.of(running.model):
        headers = {"Content-Type": request.content_type, "Accept": request.accept}
        headers = {name: value for name, value in headers.items() if value}
        body = request.body if request.method == "POST" else None
        status, found, content = ask(running, request.method, request.path, body, headers)
        expected = respond(running.model, request)
        assert (status, found["content-type"], content) == (
            expected.status,
            expected.content_type,
            expected.body,
        )
