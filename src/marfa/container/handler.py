"""SageMaker's four functions, on top of the contract: what `code/inference.py` of a bundle offers.

The AWS toolkits answer any exception with status 500 and a traceback. Their own error class carries a
status, so it is used where it is installed; elsewhere marfa's error passes through.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from marfa import bundle as bundles
from marfa.container import contract, golden
from marfa.container.contract import Query
from marfa.errors import MarfaError, RequestError
from marfa.predictor import Judgement, Predictor


@dataclass(frozen=True, slots=True)
class Prediction:
    """What `predict_fn` hands to `output_fn`: the model, its answers, and the query's form."""

    model: Predictor
    answers: list[Judgement | RequestError]
    form: str


def model_fn(model_dir: str) -> Predictor:
    """Load the model from the folder that SageMaker unpacked, and prove it by its golden requests.

    Args:
        model_dir: the folder, usually /opt/ml/model.

    Raises:
        BundleError: if it is not a whole bundle or answers otherwise than it was packaged.
    """
    bundle = bundles.load(Path(model_dir))
    model = Predictor(bundle)
    golden.replay(model, bundle.contents["golden.jsonl"])
    return model


def input_fn(data: bytes | bytearray | str, content_type: str) -> Query:
    """Understand a request's body.

    Args:
        data: the body; some hosts decode it first.
        content_type: the request's content type.
    """
    with _toolkit_errors():
        body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
        return contract.parse(body, content_type)


def predict_fn(query: Query, model: Predictor) -> Prediction:
    """Judge the texts of a query."""
    with _toolkit_errors():
        return Prediction(model, contract.answer(model, query), query.form)


def output_fn(prediction: Prediction, accept: str) -> tuple[bytes, str]:
    """Write the answer: body and content type."""
    with _toolkit_errors():
        content_type = contract.negotiate(accept, prediction.form)
        return contract.render(prediction.model, prediction.answers, prediction.form, content_type)


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
