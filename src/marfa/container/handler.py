"""SageMaker's four functions, on top of the contract: what `code/inference.py` of a bundle offers.

The AWS toolkits answer any exception with status 500 and a traceback. Their own error class carries a
status, so it is used where it is installed; elsewhere marfa's error passes through. They hand over a
whole body: a text that would be streamed is sent as all its events at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from marfa import bundle as bundles
from marfa import loading
from marfa.container import contract, golden
from marfa.container.negotiation import with_charset
from marfa.errors import MarfaError
from marfa.model import Model


@dataclass(frozen=True, slots=True)
class Asked:
    """What `input_fn` hands to `predict_fn`, which knows the model and so what a body means.

    Attributes:
        body: the bytes.
        content_type: as in the header.
    """

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What `predict_fn` hands to `output_fn`.

    Attributes:
        model: the loaded model.
        query: what was asked, as the model's task understands it.
        answer: what the model answers; a text is written when it is put into its form.
    """

    model: Model
    query: Any
    answer: Any


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


def input_fn(data: bytes | bytearray | str, content_type: str) -> Asked:
    """Keep a request's body and its type for `predict_fn`.

    Args:
        data: the body; some hosts decode it first.
        content_type: the request's content type.
    """
    body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
    return Asked(body, content_type)


def predict_fn(asked: Asked, model: Model) -> Prediction:
    """Understand a request, and answer it."""
    with _toolkit_errors():
        door = contract.door(model)
        query = door.parse(asked.body, asked.content_type)
        return Prediction(model, query, door.answer(model, query))


def output_fn(prediction: Prediction, accept: str) -> tuple[bytes, str]:
    """Write the answer: body and content type."""
    with _toolkit_errors():
        door = contract.door(prediction.model)
        chosen = contract.negotiate(accept, door.forms(prediction.query))
        parts = door.render(prediction.model, prediction.answer, chosen)
        return b"".join(part.body for part in parts), with_charset(chosen)


@contextlib.contextmanager
def _toolkit_errors() -> Iterator[None]:
    try:
        yield
    except MarfaError as error:
        if find_spec("sagemaker_inference") is None:
            raise
        kind = import_module("sagemaker_inference.errors").BaseInferenceToolkitError
        response = contract.problem(error)
        raise kind(response.status, response.body.decode(), error.title) from error
