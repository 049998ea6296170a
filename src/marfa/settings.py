"""Every setting once: its meaning, its default, its limits.

Flags, environment variables and TOML keys are all made from these fields (`recipes` decides between
them), and the sections are written beside what was made with them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from marfa.errors import SettingsError

T = TypeVar("T")


def setting(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    outcome: bool = True,
) -> Any:
    """Declare one setting.

    Args:
        default: its value when nobody says otherwise; its type is the setting's type.
        meaning: one line for `--help`.
        low: smallest value allowed.
        high: largest value allowed.
        choices: the values allowed, for a text.
        outcome: False for a setting that cannot change a result, only how it is reached.
    """
    metadata = {
        "meaning": meaning,
        "low": low,
        "high": high,
        "choices": choices,
        "outcome": outcome,
    }
    return field(default=default, metadata=metadata)


class Checked:
    """Base of the sections: checks each field against its own declaration."""

    def __post_init__(self) -> None:
        for item in fields(self):  # type: ignore[arg-type]
            check(item.name, getattr(self, item.name), item.default, item.metadata)


def check(name: str, value: Any, default: Any, limits: Mapping[str, Any]) -> None:
    """Refuse a value of the wrong type or outside its limits.

    Raises:
        SettingsError: naming the setting, the value found and what is expected.

    >>> check("hidden", 0, 100, {"low": 1, "high": 4096, "choices": ()})
    Traceback (most recent call last):
    marfa.errors.SettingsError: hidden: 0 is outside 1 to 4096
    """
    kind = type(default)
    if type(value) is not kind:
        message = f"{value!r} is not {_KINDS[kind]}"
        raise SettingsError(message, where=name)
    if limits["choices"] and value not in limits["choices"]:
        message = f"{value!r} is none of {', '.join(limits['choices'])}"
        raise SettingsError(message, where=name, hint=nearest(str(value), limits["choices"]))
    low, high = limits["low"], limits["high"]
    if low is not None and not (low <= value <= (math.inf if high is None else high)):
        bounds = f"{low} to {high}" if high is not None else f"{low} or more"
        message = f"{value!r} is outside {bounds}"
        raise SettingsError(message, where=name)


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True, kw_only=True)
class PlaceSettings(Checked):
    """Where things are kept and where they may come from; none of it changes a result."""

    workdir: str = setting("work", "Folder that holds everything marfa makes.", outcome=False)
    mirror: str = setting(
        "", "Folder or URL with the same file names and a SHA256SUMS.", outcome=False
    )
    offline: bool = setting(False, "Forbid the network.", outcome=False)


@dataclass(frozen=True, kw_only=True)
class DataSettings(Checked):
    """Which texts, and how they are shared out."""

    data: str = setting(
        "imdb", "imdb, sample, or a path to CSV, TSV, JSON Lines, or a folder per label."
    )
    text_column: str = setting("text", "Column or key that holds the text.")
    label_column: str = setting("label", "Column or key that holds the label.")
    split_column: str = setting("", "Column or key that says train or test, if there is one.")
    encoding: str = setting("utf-8", "Character encoding of the files.")
    max_text_chars: int = setting(
        1_000_000, "Longest text accepted, in characters.", low=1, high=1 << 30
    )
    validation_share: float = setting(
        0.1, "Part of the training texts kept for choosing the best epoch.", low=0.01, high=0.5
    )
    test_share: float = setting(
        0.2, "Part kept for the final test, where the origin has no test split.", low=0.01, high=0.5
    )
    split_seed: int = setting(1, "Seed of the split.", low=0, high=2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class TextSettings(Checked):
    """How text becomes words, and words numbers."""

    alphabet: str = setting(
        "every",
        "Which characters make words: latin (unaccented letters, digits) or every script.",
        choices=("every", "latin"),
    )
    stop_words: str = setting(
        "none", "Function words to drop: none keeps negations.", choices=("none", "english")
    )
    stem: str = setting(
        "none",
        "Snowball stemmer to apply to each word.",
        choices=("none", "porter", "english", "french", "arabic", "german", "spanish"),
    )
    vocabulary: int = setting(
        30_000, "Ids, padding and the rare word included.", low=3, high=1_000_000
    )
    min_count: int = setting(2, "Words seen less often are rare words.", low=1, high=1_000_000)
    max_words: int = setting(600, "Positions the network reads at most.", low=1, high=10_000)
    crop: str = setting(
        "ends",
        "What is kept of a longer text: head, tail, or both ends.",
        choices=("head", "tail", "ends"),
    )


@dataclass(frozen=True, kw_only=True)
class ModelSettings(Checked):
    """The shape of the network."""

    embedding: int = setting(100, "Numbers that stand for a word.", low=1, high=4096)
    hidden: int = setting(64, "Units of the LSTM, in each direction.", low=1, high=4096)
    layers: int = setting(1, "LSTM layers.", low=1, high=8)
    bidirectional: bool = setting(True, "Read backwards as well.")
    pooling: str = setting(
        "mean+max",
        "What of all positions is kept: the last state, or mean and maximum over them.",
        choices=("last", "mean", "max", "mean+max"),
    )
    skip: bool = setting(
        True,
        "Give the mean of the embeddings to the last layer too, a bag of words beside the LSTM.",
    )
    dropout: float = setting(0.5, "Share dropped before the last layer.", low=0.0, high=0.95)
    embedding_dropout: float = setting(
        0.35, "Share of the embedding's numbers dropped in training.", low=0.0, high=0.95
    )


@dataclass(frozen=True, kw_only=True)
class TrainSettings(Checked):
    """How the network is trained."""

    epochs: int = setting(4, "Passes over the training texts.", low=1, high=10_000)
    batch_size: int = setting(64, "Texts in a step.", low=1, high=65_536)
    learning_rate: float = setting(0.004, "Adam's step size at its peak.", low=1e-7, high=1e9)
    beta1: float = setting(0.9, "Adam's decay of gradients.", low=0.0, high=0.99999)
    beta2: float = setting(0.99, "Adam's decay of squared gradients.", low=0.0, high=0.99999)
    schedule: str = setting(
        "cycle",
        "Step size over training: constant, or cycle (rise for a tenth, fall to zero).",
        choices=("constant", "cycle"),
    )
    start: str = setting(
        "cooccurrence",
        "First embeddings: random, or from which words stand near which in the training texts.",
        choices=("random", "cooccurrence"),
    )
    near: int = setting(5, "Words on either side that count as near.", low=1, high=100)
    context_power: float = setting(
        0.75, "Power of a context's count, so that rare ones are not overrated.", low=0.0, high=1.0
    )
    embedding_size: float = setting(
        0.3, "Root mean square of the first embeddings' numbers.", low=1e-6, high=100.0
    )
    embedding_rate: float = setting(
        0.3, "The embeddings' step size as a share of the others'.", low=0.0, high=100.0
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay.", low=0.0, high=10.0)
    clip: float = setting(1.0, "Largest norm of the gradient.", low=1e-6, high=1e6)
    label_smoothing: float = setting(0.05, "Share of a label given away.", low=0.0, high=0.5)
    word_dropout: float = setting(0.15, "Share of words hidden in training.", low=0.0, high=0.95)
    average: float = setting(
        0.998, "Decay of the running average of the weights, 0 for none.", low=0.0, high=0.99999
    )
    window: int = setting(
        256, "Words of a random window read in training, 0 for the whole text.", low=0, high=10_000
    )
    patience: int = setting(
        3, "Epochs without a better validation before stopping, 0 for never.", low=0, high=1000
    )
    best_by: str = setting(
        "accuracy", "What makes an epoch the best on validation.", choices=("accuracy", "loss")
    )
    seed: int = setting(1, "Seed of weights, batches and dropout.", low=0, high=2**31 - 1)
    sample: int = setting(
        0, "Train on this many rows only, to see that all works; 0 for all.", low=0, high=2**31 - 1
    )
    threads: int = setting(
        0, "CPU threads; 0 for all cores but one, four at most.", low=0, high=1024
    )
    checkpoint_seconds: float = setting(
        20.0, "Seconds between checkpoints within an epoch.", low=0.0, high=86_400.0, outcome=False
    )


@dataclass(frozen=True, kw_only=True)
class PackageSettings(Checked):
    """What the bundle says of itself."""

    min_known_share: float = setting(
        0.5, "Below this share of known words the model declines to judge.", low=0.0, high=1.0
    )


@dataclass(frozen=True, kw_only=True)
class ServeSettings(Checked):
    """How the server answers."""

    host: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all.", outcome=False)
    port: int = setting(8080, "Port; 0 for any free one.", low=0, high=65_535, outcome=False)
    engine: str = setting(
        "auto",
        "What computes: onnx where installed, or numpy.",
        choices=("auto", "numpy", "onnx"),
        outcome=False,
    )
    max_body_bytes: int = setting(
        1 << 20, "Largest request body.", low=1, high=1 << 30, outcome=False
    )
    max_texts: int = setting(256, "Most texts in one request.", low=1, high=65_536, outcome=False)
    queue: int = setting(
        64, "Requests waiting at most before 503.", low=1, high=65_536, outcome=False
    )
    body_seconds: float = setting(
        10.0, "Time for a body to arrive.", low=0.01, high=3600.0, outcome=False
    )
    drain_seconds: float = setting(
        10.0, "Time for requests under way after SIGTERM.", low=0.0, high=3600.0, outcome=False
    )


SECTIONS: dict[str, type[Any]] = {
    "place": PlaceSettings,
    "data": DataSettings,
    "text": TextSettings,
    "model": ModelSettings,
    "train": TrainSettings,
    "package": PackageSettings,
    "serve": ServeSettings,
}


def coerce(name: str, value: Any, default: Any) -> Any:
    """Read a text as the setting's type; other values pass, whole numbers as decimals where due.

    >>> coerce("epochs", "3", 10), coerce("offline", "yes", False), coerce("dropout", 0, 0.5)
    (3, True, 0.0)
    """
    kind = type(default)
    if kind is float and type(value) is int:
        return float(value)
    if kind is str or not isinstance(value, str):
        return value
    word = value.strip().lower()
    if kind is bool and word in _WORDS:
        return _WORDS[word]
    if kind is not bool:
        try:
            return kind(word)
        except ValueError:
            pass
    message = f"{value!r} is not {_KINDS[kind]}"
    raise SettingsError(message, where=name)


_WORDS = {"true": True, "yes": True, "1": True, "on": True}
_WORDS |= {"false": False, "no": False, "0": False, "off": False, "": False}


def from_mapping(kind: type[T], document: Any, *, where: str) -> T:
    """Rebuild a section from JSON, strictly.

    Args:
        kind: one of the section classes.
        document: a mapping of all or some of its fields.
        where: the file it comes from, for the message.

    Raises:
        SettingsError: if it is not a mapping, or a field is unknown or out of its limits.
    """
    if not isinstance(document, dict):
        message = f"expected the settings of {kind.__name__}, found {type(document).__name__}"
        raise SettingsError(message, where=where)
    known = {item.name: item.default for item in fields(kind)}  # type: ignore[arg-type]
    for key in document:
        if key not in known:
            raise unknown(str(key), "setting", known)
    return kind(**{key: coerce(key, value, known[key]) for key, value in document.items()})


def outcome(*sections: Any) -> dict[str, Any]:
    """Return the settings that can change a result, flat, for comparing runs.

    >>> "workdir" in outcome(PlaceSettings(), TrainSettings()), "seed" in outcome(TrainSettings())
    (False, True)
    """
    kept: dict[str, Any] = {}
    for section in sections:
        values = asdict(section)
        kept |= {i.name: values[i.name] for i in fields(section) if i.metadata["outcome"]}
    return kept


def names() -> dict[str, str]:
    """Return every setting's name with the section it belongs to."""
    return {item.name: section for section, kind in SECTIONS.items() for item in fields(kind)}


def unknown(key: str, what: str, known: Iterable[str] = (), where: str = "") -> SettingsError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    message = f"no {what} named {key!r}"
    return SettingsError(message, where=where, hint=nearest(key, [*known] or [*names()]))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint for a wrong word: the nearest right one, or all if they are few."""
    listed = list(known)
    close = difflib.get_close_matches(word, listed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(listed) if len(listed) <= 12 else ""
