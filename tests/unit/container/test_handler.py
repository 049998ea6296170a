"""SageMaker's four functions, where hosts do to a request what the contract knows nothing of."""

import json

import pytest
from tests.contract.doors import Context, through_handler, through_toolkit

from marfa import loading
from marfa.container.contract import JSON, LINES, PROBLEM, TEXT, Request, respond
from marfa.container.handler import input_fn, output_fn, predict_fn
from marfa.errors import MarfaError


@pytest.fixture(scope="module")
def model(model_path):
    return loading.load(model_path, engine="numpy")


def ask(content_type, accept, body):
    return Request("POST", "/invocations", content_type, accept, body)


@pytest.mark.parametrize("body", [b"", b"qzxjv wvkqz", b"a wonderful film"])
@pytest.mark.parametrize("kind", ["", TEXT, JSON, "a/b"])
def test_of_several_errors_the_contracts_first_is_told(model, body, kind):
    """An answer that nobody would take is not computed to see whether there is one."""
    request = ask(kind, "image/png", body)
    expected = respond(model, request)
    assert expected.status in {400, 406, 415}
    assert through_toolkit(model, request) == expected
    with pytest.raises(MarfaError) as caught:
        through_handler(model, request)
    assert caught.value.http_status == expected.status


@pytest.mark.parametrize("accept", ["", "*/*"])
def test_the_clients_own_accept_counts_where_a_toolkit_puts_json_in_its_place(model, accept):
    request = ask(LINES, accept, b'{"text": "a wonderful film"}')
    assert respond(model, request).status == 200
    assert through_toolkit(model, request) == respond(model, request)


def test_json_that_the_client_itself_asked_for_is_not_taken_for_a_toolkits(model):
    request = ask(LINES, JSON, b'{"text": "a wonderful film"}')
    assert respond(model, request).status == 406
    assert through_toolkit(model, request) == respond(model, request)


def test_what_an_operator_set_as_the_default_form_is_honoured(model):
    """SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: then it is not JSON that stands in the place of nothing."""
    request = ask(TEXT, "", b"a wonderful film")
    prediction = predict_fn(input_fn(request.body, TEXT), model)
    assert output_fn(prediction, TEXT, Context(request))[1].startswith(TEXT)


@pytest.mark.parametrize("body", [None, "", b"", bytearray(b"")])
@pytest.mark.parametrize("kind", [None, "", TEXT, "multipart/form-data; boundary=x"])
def test_a_body_or_a_type_that_a_host_keeps_to_itself_is_an_empty_one(model, body, kind):
    context = Context(ask(kind, JSON, b""))
    told, found = output_fn(predict_fn(input_fn(body, kind), model), JSON, context)
    expected = respond(model, ask(kind or "", JSON, b""))
    assert (context.status, found, told) == (expected.status, PROBLEM, expected.body)


class Broken:
    """An engine that fails as no engine should, with a client's words in its mouth."""

    name, precision = "broken", "float32"

    def __getattr__(self, name):
        raise RuntimeError("a wonderful film")


def test_a_failure_of_ours_is_told_without_a_traceback_and_without_the_clients_words(
    model_path, caplog
):
    model = loading.load(model_path, engine="numpy")
    model.engine = Broken()
    request = ask(TEXT, JSON, b"a wonderful film")
    answer = through_toolkit(model, request)
    assert (answer.status, answer.content_type) == (500, PROBLEM)
    assert json.loads(answer.body)["detail"] == "the answer could not be computed"
    assert "wonderful" not in answer.body.decode() + caplog.text
    assert "RuntimeError" in caplog.text
    with pytest.raises(RuntimeError):
        through_handler(model, request)
