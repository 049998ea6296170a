"""Which addresses there are, and what each of them is asked; needs nothing but the standard library.

The contract behind every door and the function in front of an endpoint, which has no numpy, answer
a wrong address with the same words because both ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from marfa.errors import MethodNotAllowedError, NotFoundError

QUESTIONS: Mapping[str, str] = {"classifier": "/v1/predict", "generator": "/v1/generate"}
"""The address that a task is asked at, besides `INVOCATIONS`."""

INVOCATIONS = "/invocations"
"""The address that SageMaker asks, whatever the task."""

ASKED = (INVOCATIONS, *QUESTIONS.values())
"""All addresses that are asked with a body."""

Asked = Literal["question", "ping", "model"]

_READING, _ASKING = "GET", "POST"
_READ: Mapping[str, Asked] = {"/ping": "ping", "/v1/model": "model"}


def route(task: str, method: str, path: str) -> Asked:
    """Say what is asked of a model.

    Args:
        task: the task of the model.
        method: "GET" or "POST"; nothing else is answered.
        path: the address.

    Returns:
        "question" for one that the model has to answer, "ping" or "model".

    Raises:
        NotFoundError: if there is no such address, or it is another task's.
        MethodNotAllowedError: if the address is not asked with this method.

    >>> route("classifier", "POST", "/invocations"), route("generator", "GET", "/v1/model")
    ('question', 'model')
    """
    if path in _READ:
        if method != _READING:
            raise not_allowed(_READING)
        return _READ[path]
    if path not in ASKED:
        raise no_such_address()
    if method != _ASKING:
        raise not_allowed(_ASKING)
    check_question(task, path)
    return "question"


def check_question(task: str, path: str) -> None:
    """Refuse an address at which a model of this task answers no question.

    Raises:
        NotFoundError: if it is none of its addresses.
    """
    its = QUESTIONS[task]
    if path not in {INVOCATIONS, its}:
        message = f"the model that is served is a {task}"
        raise NotFoundError(message, hint=f"ask {its}")


def no_such_address() -> NotFoundError:
    """Return the error for an address that there is not."""
    return NotFoundError("no such address", hint="see /docs")


def not_allowed(allowed: str) -> MethodNotAllowedError:
    """Return the error for a wrong method.

    Args:
        allowed: the right ones, as the header `Allow` lists them.
    """
    return MethodNotAllowedError(f"this address answers {allowed} only", allow=allowed)
