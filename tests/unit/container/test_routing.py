"""The addresses: the same words wherever a wrong one is answered."""

import subprocess
import sys

import pytest

from marfa import errors
from marfa.container.contract import Request, respond
from marfa.container.messages import problem
from marfa.container.routing import QUESTIONS, route
from marfa.loading import load

METHODS = ("GET", "POST", "HEAD", "OPTIONS", "DELETE", "get", "")
PATHS = ("/", "/ping", "/invocations", *QUESTIONS.values(), "/v1/model", "/v1", "/metrics", "", "x")


@pytest.fixture(scope="module", params=["model_path", "tiny"])
def model(request, tmp_path_factory):
    if request.param == "tiny":
        from tests.contract import tiny

        return load(tiny.write(tmp_path_factory.mktemp("tiny") / "model.tar.gz"), engine="numpy")
    return load(request.getfixturevalue(request.param), engine="numpy")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_address_is_answered_alike_with_the_model_and_without(model, method, path):
    found = respond(model, Request(method, path))
    try:
        asked = route(model.task, method, path)
    except errors.RequestError as error:
        assert problem(error) == found  # noqa: PT017
        assert found.status in {404, 405}
    else:
        assert found.status == (415 if asked == "question" else 200)


def test_an_address_that_there_is_not_names_the_page_that_lists_them():
    with pytest.raises(errors.NotFoundError, match="no such address") as caught:
        route("classifier", "GET", "/nowhere")
    assert caught.value.hint == "see /docs"


def test_a_question_for_the_other_task_names_the_right_address():
    with pytest.raises(errors.NotFoundError, match="is a generator") as caught:
        route("generator", "POST", "/v1/predict")
    assert caught.value.hint == "ask /v1/generate"


@pytest.mark.parametrize("module", ["routing", "gateway", "messages", "pages"])
def test_a_function_without_numpy_can_ask(module):
    code = f"import sys; sys.modules['numpy'] = None; import marfa.container.{module}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
