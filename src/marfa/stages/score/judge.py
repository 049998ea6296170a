"""One model that judges portions, in this process or in one that was started for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from marfa import __version__
from marfa.loading import predictor
from marfa.stages.score import forms


class Judge:
    """A loaded model, and the form in which its judgements are kept.

    Args:
        model: a model.tar.gz or a bundle folder.
        engine: "auto", "numpy", "onnx" or "int8".
        suffix: of the output.

    Attributes:
        identity: names all that decides what is written of a text.

    Raises:
        BundleError: if the model is incomplete or altered.
    """

    def __init__(self, model: str | Path, engine: str, suffix: str) -> None:
        self._model, self._suffix = predictor(model, engine), suffix
        found = self._model
        self.identity = " ".join((__version__, found.model_id, found.engine.name, suffix))

    def __call__(self, texts: Sequence[str]) -> tuple[bytes, Counter[str]]:
        """Judge texts; return what to write of them, and how often each label was given."""
        judged = self._model.judge(texts)
        counts = Counter(item.label or "no label" for item in judged)
        return forms.judged(self._model, judged, self._suffix), counts
