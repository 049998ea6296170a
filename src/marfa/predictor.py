"""A bundle that judges: text in, label out. The Python API, and what every door calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from marfa import explaining
from marfa.bundle import MANIFEST, Bundle
from marfa.engines import weights
from marfa.engines.numpy_engine import NumpyEngine, check, shapes
from marfa.errors import BundleError, RequestError
from marfa.model import Model, configuration, graph, share, small
from marfa.settings import ModelSettings, from_mapping
from marfa.text import scripts
from marfa.text.clean import clean
from marfa.text.codec import Codec, Encoded
from marfa.text.vocab import PADDING

EMPTY, UNKNOWN, SCRIPT, SHORT = "empty", "unknown_words", "script", "short"
"""Kinds of texts that a model declines to judge."""


class Engine(Protocol):
    """Something that computes probabilities from word ids.

    Attributes:
        name: "numpy", "onnx" or "int8".
        at_once: words, padding counted, with which a call is fastest.
    """

    name: str
    at_once: int

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
        refused: the same in one word: "empty", "unknown_words", "script" or "short". Empty where there
            is a label, and from bundles before format 4, which know no such words.
        explanation: what each word adds to the label; None where nobody asked, and without a label.
    """

    label: str | None
    score: float | None
    probabilities: Mapping[str, float]
    known: int
    total: int
    unknown: tuple[str, ...]
    reason: str = ""
    refused: str = ""
    explanation: explaining.Explanation | None = None


class Predictor(Model):
    """A loaded model that judges texts.

    Args:
        bundle: a verified bundle.
        engine: "numpy", "onnx", "int8", or "auto" for the best that is installed and in the bundle.
        threads: CPU threads for one call.

    Raises:
        BundleError: if the parts of the bundle do not fit each other, or hold no graph for the engine.
        MissingExtraError: if the engine is not installed.
        SettingsError: if there is no such engine.
    """

    task = "classifier"

    def __init__(self, bundle: Bundle, engine: str = "auto", threads: int = 1) -> None:
        super().__init__(bundle)
        config = configuration(bundle)
        where = f"{bundle.where}: config.json"
        match config:
            case {"labels": [_, *_] as labels} if all(
                isinstance(each, str | int) for each in labels
            ):
                self.labels = tuple(str(label) for label in labels)
            case _:
                message = "the configuration is incomplete"
                raise BundleError(message, where=where)
        self.codec = Codec.from_json(bundle.json("codec.json"))
        if self.codec.vocab.size != config["vocabulary"]:
            message = (
                f"the codec has {self.codec.vocab.size} ids, the network {config['vocabulary']}: "
                "they are not of one model"
            )
            raise BundleError(message, where=bundle.where)
        self.min_known_share = share(config, "min_known_share", where)
        self.min_words, self.scripts = _thresholds(config, where)
        self.engine = _engine(bundle, config, engine, threads)
        if self.engine.name == "int8":
            manifest = f"{bundle.where}: {MANIFEST}, int8"
            self.tolerance = share(small(bundle), "tolerance", manifest)

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        """Judge texts, and say honestly which cannot be judged.

        Args:
            texts: texts as people wrote them.

        Returns:
            One judgement a text, in order.
        """
        encoded = [self.codec.encode(text) for text in texts]
        readable = [index for index, text in enumerate(encoded) if text.known]
        rows_NC = probabilities(self.engine, [encoded[index].ids for index in readable])
        found = dict(zip(readable, rows_NC, strict=True))
        return [
            self._judgement(text, read, found.get(i))
            for i, (text, read) in enumerate(zip(texts, encoded, strict=True))
        ]

    def explain(self, texts: Sequence[str]) -> list[Judgement]:
        """Judge texts, and say of each word by how much it moves the label's probability.

        A text of n words is read about n times, so this takes a hundred times as long as `judge`.

        Args:
            texts: texts as people wrote them.

        Returns:
            One judgement a text, in order; one with a label has an explanation.

        Raises:
            RequestError: if `texts` is one text instead of a list of texts.
        """
        judged = self.judge(_listed(texts))
        return [self._explained(text, each) for text, each in zip(texts, judged, strict=True)]

    @property
    def refuses(self) -> dict[str, Any]:
        """Below what a text is declined, as far as the bundle says."""
        told: dict[str, Any] = {"min_known_share": self.min_known_share}
        if self.scripts is not None:
            told |= {"min_words": self.min_words, "scripts": list(self.scripts)}
        return told

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

    def _explained(self, text: str, judgement: Judgement) -> Judgement:
        if judgement.label is None:
            return judgement
        *_, found = explaining.steps(self, text, judgement)
        return replace(judgement, explanation=found)

    def _judgement(
        self, text: str, read: Encoded, row_C: npt.NDArray[np.float64] | None
    ) -> Judgement:
        counts = read.known, read.total, read.unknown
        shares = (
            {}
            if row_C is None
            else {label: float(p) for label, p in zip(self.labels, row_C, strict=True)}
        )
        refused, reason = self._refusal(text, read)
        if refused:
            kind = "" if self.scripts is None else refused
            return Judgement(None, None, shares, *counts, reason, kind)
        best = max(shares, key=shares.__getitem__)
        return Judgement(best, shares[best], shares, *counts)

    def _refusal(self, text: str, read: Encoded) -> tuple[str, str]:
        """Return why a text is not judged, in a word and in a sentence; empty where it is."""
        if self.scripts is not None and (code := _foreign(text, self.scripts)):
            trained = " and ".join(scripts.NAMES[each] for each in self.scripts)
            return SCRIPT, (
                f"the text is written in {scripts.NAMES[code]}; the model was trained on {trained}"
            )
        if not read.total:
            return EMPTY, "no word is left of the text after cleaning"
        if not read.known:
            return UNKNOWN, f"none of the {read.total} words is known to the model"
        if read.known < self.min_known_share * read.total:
            return UNKNOWN, f"only {read.known} of {read.total} words are known to the model"
        if read.total < self.min_words:
            return (
                SHORT,
                f"the text has {read.total} words; the model judges {self.min_words} or more",
            )
        return "", ""


def _foreign(text: str, known: Sequence[str]) -> str:
    """Return `scripts.foreign` of a text as it was sent; of most texts that is seen at once."""
    if not known or (text.isascii() and "&" not in text and scripts.LATIN in known):
        return ""
    return scripts.foreign(clean(text), known)


def _thresholds(config: Mapping[str, Any], where: str) -> tuple[int, tuple[str, ...] | None]:
    """Return below how many words, and but in which scripts, a text is declined; None: in any."""
    match config.get("min_words", 1), config.get("scripts"):
        case int() as least, None if not isinstance(least, bool) and least >= 0:
            return least, None
        case int() as least, list() as known if not isinstance(least, bool) and least >= 0:
            if all(isinstance(code, str) and code in scripts.NAMES for code in known):
                return least, tuple(known)
    message = "min_words must be a number from 0 on, scripts a list of scripts' codes"
    raise BundleError(message, where=where)


def probabilities(engine: Engine, texts: Sequence[Sequence[int]]) -> list[npt.NDArray[np.float64]]:
    """Compute texts, those of about one length side by side.

    Args:
        engine: what computes.
        texts: word ids of each text, at least one each.

    Returns:
        The probability of each label, a row a text, in order.
    """
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    rows = [np.empty(0)] * len(texts)
    for few in _batches([len(texts[index]) for index in order], engine.at_once):
        some = order[few]
        lengths_B = np.array([len(texts[index]) for index in some], dtype=np.int64)
        tokens_BT = np.full((len(some), int(lengths_B[-1])), PADDING, dtype=np.int64)
        for line, index in zip(tokens_BT, some, strict=True):
            line[: len(texts[index])] = texts[index]
        for index, row_C in zip(some, engine.probabilities(tokens_BT, lengths_B), strict=True):
            rows[index] = row_C
    return rows


def _batches(lengths: Sequence[int], most: int) -> Iterator[slice]:
    """Cut texts into batches of at most so many words, padding counted; a longer text is alone.

    >>> [list(range(8))[few] for few in _batches([1, 1, 1, 2, 3, 3, 5, 9], 6)]
    [[0, 1, 2], [3, 4], [5], [6], [7]]
    """
    start = 0
    for end, length in enumerate(lengths):
        if end > start and (end + 1 - start) * length > most:
            yield slice(start, end)
            start = end
    if start < len(lengths):
        yield slice(start, len(lengths))


def _listed(texts: Sequence[str]) -> Sequence[str]:
    if isinstance(texts, str):
        message = "found one text, expected a list of texts"
        raise RequestError(message, hint='model.predict(["..."])')
    return texts


def _engine(bundle: Bundle, config: Mapping[str, Any], name: str, threads: int) -> Engine:
    chosen = graph(bundle, name)
    settings = from_mapping(ModelSettings, config.get("model"), where="config.json")
    stored, sizes = (
        bundle.contents["weights.safetensors"],
        (config["vocabulary"], len(config["labels"])),
    )
    if chosen is None:
        return NumpyEngine(settings, weights.read(stored), *sizes)
    check(weights.shapes(stored), shapes(settings, *sizes))
    from marfa.engines.onnx_engine import OnnxEngine

    return OnnxEngine(chosen[1], chosen[0], threads)
