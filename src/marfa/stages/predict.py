"""predict: the label of a few texts, in the shell or from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marfa.loading import predictor
from marfa.predictor import Judgement
from marfa.settings import ServeSettings


def predict(
    model: str | Path, texts: Sequence[str], *, engine: str = ServeSettings.engine
) -> list[Judgement]:
    """Judge texts with a packaged model.

    Args:
        model: a model.tar.gz or a bundle folder.
        texts: texts as people wrote them.
        engine: "auto", "numpy" or "onnx".

    Returns:
        One judgement a text, in order; one without a label says why.

    Raises:
        BundleError: if the model is incomplete or altered, or judges no texts.
    """
    return predictor(model, engine).judge(texts)
