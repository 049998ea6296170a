"""A bundle that answers: text in, label out. The Python API, and what every door calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from marfa import bundle as bundles
from marfa.bundle import Bundle
from marfa.engines import weights
from marfa.engines.numpy_engine import NumpyEngine
from marfa.errors import BundleError, MissingExtraError, RequestError
from marfa.settings import ModelSettings, ServeSettings, from_mapping
from marfa.text.codec import Codec, Encoded
from marfa.text.vocab import PADDING

_BATCH = 32


class Engine(Protocol):
    """Something that computes probabilities from word ids."""

    name: str

    def probabilities(
        self, tokens_BT: npt.NDArray[np.int64], lengths_B: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return probabilities_BC for padded word ids and their lengths."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model says of one text.

    Attributes:
        label: the likeliest label, or None where the model declines to judge.
        score: its probability, 0 to 1; None without a label.
        probabilities: of every label; empty where there was nothing to read.
        known: words that the model knows.
        total: words of the text.
        unknown: the first words that it does not know, at most 50.
        reason: why there is no label; empty where there is one.
    """

    label: str | None
    score: float | None
    probabilities: Mapping[str, float]
    known: int
    total: int
    unknown: tuple[str, ...]
    reason: str = ""


class Predictor:
    """A loaded model.

    Args:
        bundle: a verified bundle.
        engine: "numpy", "onnx", or "auto" for onnx where it is installed and in the bundle.
        threads: CPU threads for one call.

    Raises:
        BundleError: if the parts of the bundle do not fit each other, or "onnx" is asked for and it
            holds no graph.
        MissingExtraError: if "onnx" is asked for and not installed.
        SettingsError: if there is no such engine.
    """

    def __init__(self, bundle: Bundle, engine: str = "auto", threads: int = 1) -> None:
        config = bundle.json("config.json")
        try:
            self.labels: tuple[str, ...] = tuple(str(label) for label in config["labels"])
            self.task, self.name = str(config["task"]), str(config["name"])
            vocabulary = int(config["vocabulary"])
        except (KeyError, TypeError, ValueError) as error:
            message = "the configuration is incomplete"
            raise BundleError(message, where=f"{bundle.where}: config.json") from error
        self.codec = Codec.from_json(bundle.json("codec.json"))
        if self.codec.vocab.size != vocabulary:
            message = (
                f"the codec has {self.codec.vocab.size} ids, the network {vocabulary}: "
                "they are not of one model"
            )
            raise BundleError(message, where=bundle.where)
        self.model_id = bundle.model_id
        self.min_known_share = _share(config, "min_known_share", f"{bundle.where}: config.json")
        self.metrics: Mapping[str, Any] = _metrics(bundle)
        where = f"{bundle.where}: {bundles.MANIFEST}"
        self.tolerance = _share({"tolerance": 1e-4, **bundle.manifest}, "tolerance", where)
        self.engine = _engine(bundle, config, engine, threads)

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        """Judge texts, and say honestly which cannot be judged.

        Args:
            texts: texts as people wrote them.

        Returns:
            One judgement a text, in order.
        """
        encoded = [self.codec.encode(text) for text in texts]
        readable = [index for index, text in enumerate(encoded) if text.known]
        readable.sort(key=lambda index: len(encoded[index].ids))
        found: dict[int, npt.NDArray[np.float64]] = {}
        for start in range(0, len(readable), _BATCH):
            some = readable[start : start + _BATCH]
            found |= zip(some, self._probabilities([encoded[i] for i in some]), strict=True)
        return [self._judgement(text, found.get(i)) for i, text in enumerate(encoded)]

    def predict(self, texts: Sequence[str]) -> list[str | None]:
        """Return the label of each text, None for one that the model cannot judge.

        Args:
            texts: texts as people wrote them.

        Returns:
            Labels, in order.

        Raises:
            RequestError: if `texts` is one text instead of a list of texts.
        """
        return [judgement.label for judgement in self.judge(_listed(texts))]

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the probability of each label for each text.

        Args:
            texts: texts as people wrote them.

        Returns:
            Shape (texts, labels), columns in the order of `labels`; a row of NaN where no word is known.

        Raises:
            RequestError: if `texts` is one text instead of a list of texts.
        """
        rows = [
            [judgement.probabilities.get(label, np.nan) for label in self.labels]
            for judgement in self.judge(_listed(texts))
        ]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.labels))

    def _probabilities(self, encoded: Sequence[Encoded]) -> npt.NDArray[np.float64]:
        lengths_B = np.array([len(text.ids) for text in encoded], dtype=np.int64)
        tokens_BT = np.full((len(encoded), int(lengths_B.max())), PADDING, dtype=np.int64)
        for line, text in zip(tokens_BT, encoded, strict=True):
            line[: len(text.ids)] = text.ids
        return self.engine.probabilities(tokens_BT, lengths_B)

    def _judgement(self, text: Encoded, row_C: npt.NDArray[np.float64] | None) -> Judgement:
        if row_C is None:
            reason = (
                f"none of the {text.total} words is known to the model"
                if text.total
                else "no word is left of the text after cleaning"
            )
            return Judgement(None, None, {}, 0, text.total, text.unknown, reason)
        shares = {label: float(p) for label, p in zip(self.labels, row_C, strict=True)}
        if text.known < self.min_known_share * text.total:
            reason = f"only {text.known} of {text.total} words are known to the model"
            return Judgement(None, None, shares, text.known, text.total, text.unknown, reason)
        best = int(row_C.argmax())
        return Judgement(
            self.labels[best], float(row_C[best]), shares, text.known, text.total, text.unknown
        )


def load(path: str | Path, *, engine: str = "auto", threads: int = 1) -> Predictor:
    """Load a model.

    Args:
        path: a model.tar.gz, or a folder with its files.
        engine: "auto", "numpy" or "onnx".
        threads: CPU threads for one call.

    Returns:
        The model, verified.

    Raises:
        BundleError: if it is incomplete, altered or of another version.
        SettingsError: if there is no such engine.

    >>> load("work/sentiment/model.tar.gz").predict(["A gem."])   # doctest: +SKIP
    ['positive']
    """
    return Predictor(bundles.load(Path(path)), engine, threads)


def _listed(texts: Sequence[str]) -> Sequence[str]:
    if isinstance(texts, str):
        message = "found one text, expected a list of texts"
        raise RequestError(message, hint='model.predict(["..."])')
    return texts


def _share(document: Mapping[str, Any], name: str, where: str) -> float:
    value: Any = document.get(name)
    if type(value) not in {int, float} or not 0 <= value <= 1:  # NaN is not in there either
        message = f"{name} is {value!r:.40}, expected a number from 0 to 1"
        raise BundleError(message, where=where)
    return float(value)


def _metrics(bundle: Bundle) -> Mapping[str, Any]:
    if "metrics.json" not in bundle.contents:
        return {}
    metrics = bundle.json("metrics.json")
    if not isinstance(metrics, dict) or not isinstance(metrics.get("summary", {}), dict):
        message = "expected an object, and an object under 'summary' if there is one"
        raise BundleError(message, where=f"{bundle.where}: metrics.json")
    return metrics


def _engine(bundle: Bundle, config: Mapping[str, Any], name: str, threads: int) -> Engine:
    ServeSettings(engine=name)  # whose choices these are, and whose error
    graph = bundle.contents.get("model.onnx")
    if name == "onnx" and graph is None:
        message = "the bundle holds no model.onnx for the onnx engine"
        raise BundleError(message, where=bundle.where, hint="--engine numpy")
    settings = from_mapping(ModelSettings, config.get("model"), where="config.json")
    tensors = weights.read(bundle.contents["weights.safetensors"])
    reference = NumpyEngine(settings, tensors, int(config["vocabulary"]), len(config["labels"]))
    installed = find_spec("onnxruntime") is not None
    if name == "onnx" and not installed:
        message = "the onnx engine needs onnxruntime, which is not installed"
        raise MissingExtraError(message, hint="pip install 'marfa[serve]', or --engine numpy")
    if name == "numpy" or not installed or graph is None:
        return reference
    from marfa.engines.onnx_engine import OnnxEngine

    return OnnxEngine(graph, threads)
