"""SageMaker's four functions, on top of the contract: what `code/inference.py` of a bundle offers.

AWS's toolkits answer an exception with its words and a traceback. To a function that takes one argument
more they hand over the context of the request, in which a status can be set: with it an error is the
contract's own answer, and not an exception. Without it, their own error class carries the status where
it is installed; elsewhere marfa's error passes through. They hand over a whole body: a text that would
be streamed is sent as all its events at once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from marfa import bundle as bundles
from marfa import loading
from marfa.container import contract, golden
from marfa.container.messages import JSON, problem, unexplained
from marfa.container.negotiation import with_charset
from marfa.errors import MarfaError
from marfa.model import Model


class Context(Protocol):
    """What the toolkits tell of a request, and take of its answer; requests are counted from 0."""

    def get_all_request_header(self, idx: int) -> dict[str, Any]:
        """Return the headers, by their names as the client wrote them."""

    def set_response_status(self, code: int, phrase: str, idx: int) -> None:
        """Set the status of the answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `input_fn` hands to `predict_fn`, which knows the model and so what a body means.

    Attributes:
        body: the bytes.
        content_type: as in the header; empty without one.
    """

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What `predict_fn` hands to `output_fn`.

    Attributes:
        model: the loaded model.
        query: what was asked, as the model's task understands it; nothing where it is not understood.
        answer: what the model answers; a text is written when it is put into its form.
        error: why there is no answer. It waits for `output_fn`, since an answer that could not be
            written in a form that the client takes is refused for that, whatever else is wrong.
    """

    model: Model
    query: Any = None
    answer: Any = None
    error: Exception | None = None


def model_fn(model_dir: str) -> Model:
    """Load the model from the folder that SageMaker unpacked, and prove it by its golden requests.

    Args:
        model_dir: the folder, usually /opt/ml/model.

    Raises:
        BundleError: if it is not a whole bundle or answers otherwise than it was packaged.
    """
    bundle = bundles.load(Path(model_dir))
    model = loading.of(bundle)
    golden.replay(model, bundle.contents["golden.jsonl"])
    return model


def input_fn(data: bytes | bytearray | str | None, content_type: str | None) -> Asked:
    """Keep a request's body and its type for `predict_fn`.

    Args:
        data: the body; some hosts decode it first, and hand over nothing where they take it for a form.
        content_type: the request's content type.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    return Asked(bytes(data or b""), content_type or "")


def predict_fn(asked: Asked, model: Model) -> Prediction:
    """Understand a request, and answer it; an error is told by `output_fn`."""
    door, query = contract.door(model), None
    try:
        query = door.parse(asked.body, asked.content_type)
        return Prediction(model, query, door.answer(model, query))
    except Exception as error:  # noqa: BLE001 - it is raised, or answered, by output_fn
        return Prediction(model, query, error=error)


def output_fn(
    prediction: Prediction, accept: str, context: Context | None = None
) -> tuple[bytes, str]:
    """Write the answer.

    Args:
        prediction: what `predict_fn` returned.
        accept: the form that the client takes, in its own words or a host's.
        context: of the request, from hosts that have one; takes the status of an error.

    Returns:
        Body and content type.

    Raises:
        Exception: why there is no answer, where no context takes its status.
    """
    if context is None:
        try:
            return _written(prediction, accept)
        except MarfaError as error:
            if find_spec("sagemaker_inference") is None:
                raise
            raise _toolkits(error) from error
    try:
        return _written(prediction, _sent(accept, context))
    except MarfaError as error:
        told = error
    except Exception as error:  # noqa: BLE001 - a traceback could carry what the client sent
        logging.getLogger(__name__).error("no answer: %s", type(error).__name__)  # noqa: TRY400
        told = unexplained()
    response = problem(told)
    context.set_response_status(code=response.status, phrase=told.title, idx=0)
    return response.body, response.content_type


def _written(prediction: Prediction, accept: str) -> tuple[bytes, str]:
    """Write what there is to answer, or raise why there is nothing, in the order of the contract."""
    model, error = prediction.model, prediction.error
    door = contract.door(model)
    if prediction.query is None and error:
        raise error
    chosen = contract.negotiate(accept, door.forms(prediction.query))
    if error:
        raise error
    parts = door.render(model, prediction.answer, chosen)
    return b"".join(part.body for part in parts), with_charset(chosen)


def _sent(accept: str, context: Context) -> str:
    """Return the client's own header where the toolkits put JSON, which some answers are not."""
    headers = context.get_all_request_header(0).items()
    own = next((value for name, value in headers if name.lower() == "accept"), "")
    return str(own) if accept == JSON and own in {"", "*/*"} else accept


def _toolkits(error: MarfaError) -> Exception:
    """Return an error in the class whose status the toolkits answer."""
    kind = import_module("sagemaker_inference.errors").BaseInferenceToolkitError
    response = problem(error)
    told: Exception = kind(response.status, response.body.decode(), error.title)
    return told
