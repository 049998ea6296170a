"""Every setting once: its meaning, its default, its limits.

Flags, environment variables and TOML keys are all made from these fields, in one order of precedence:
flag > MARFA_* variable > marfa.toml > recipe and preset > the default written here.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
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
        raise SettingsError(message, where=name, hint=_nearest(str(value), limits["choices"]))
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
    "serve": ServeSettings,
}

RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    "sentiment": {
        "default": {},
        "tutorial": {
            "alphabet": "latin",
            "stop_words": "english",
            "stem": "porter",
            "vocabulary": 5000,
            "min_count": 1,
            "max_words": 500,
            "crop": "head",
            "embedding": 32,
            "hidden": 100,
            "bidirectional": False,
            "pooling": "last",
            "skip": False,
            "dropout": 0.0,
            "embedding_dropout": 0.0,
            "word_dropout": 0.0,
            "label_smoothing": 0.0,
            "average": 0.0,
            "window": 0,
            "start": "random",
            "embedding_rate": 1.0,
            "beta2": 0.999,
            "batch_size": 512,
            "epochs": 6,
            "learning_rate": 0.01,
            "clip": 5.0,
        },
        "sample": {
            "data": "sample",
            "vocabulary": 4000,
            "batch_size": 16,
            "epochs": 30,
            "threads": 1,
        },
    }
}
"""What a recipe's presets say differently from the defaults."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one command, resolved."""

    recipe: str = "sentiment"
    preset: str = "default"
    name: str = ""
    place: PlaceSettings = PlaceSettings()
    data: DataSettings = DataSettings()
    text: TextSettings = TextSettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    serve: ServeSettings = ServeSettings()

    @property
    def folder(self) -> Path:
        """Where this run's files are: work/<name>."""
        return Path(self.place.workdir) / self.run_name

    @property
    def run_name(self) -> str:
        """The name given, or one made of recipe, preset and data, so that two runs do not meet.

        >>> Settings(preset="tutorial").run_name
        'sentiment-tutorial'
        """
        if self.name:
            return self.name
        own = RECIPES[self.recipe][self.preset].get("data", DataSettings().data)
        data = "" if self.data.data == own else Path(self.data.data).name.split(".")[0]
        preset = "" if self.preset == "default" else self.preset
        return "-".join(part for part in (self.recipe, preset, data) if part)


def resolve(
    recipe: str = "sentiment",
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path = Path(),
) -> Settings:
    """Decide every setting.

    Args:
        recipe: the name of a recipe, or a path to a marfa.toml.
        flags: settings given by name, highest in precedence; None values count as not given.
        environ: variables; those that begin with MARFA_ are read.
        folder: where a marfa.toml is looked for when `recipe` is a name.

    Returns:
        The settings.

    Raises:
        SettingsError: for an unknown name, a wrong type or a value outside its limits.

    >>> resolve("sentiment", {"hidden": 200, "preset": "tutorial"}).model.hidden
    200
    >>> resolve("sentiment", environ={"MARFA_EPOCHS": "3"}).train.epochs
    3
    """
    is_path = recipe.endswith(".toml") or recipe not in RECIPES
    path = Path(recipe) if is_path else folder / "marfa.toml"
    top, written = _read_toml(path, must=is_path)
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    exported = _read_environ(environ or {})
    chosen: dict[str, Any] = {**top, **exported, **given}
    if not is_path:
        chosen["recipe"] = recipe
    recipe = str(chosen.pop("recipe", "sentiment"))
    preset = str(chosen.pop("preset", "default"))
    name = str(chosen.pop("name", ""))
    presets = _choose(RECIPES, recipe, "recipe")
    merged = {**_choose(presets, preset, "preset"), **written, **chosen}
    sections = {}
    for section, kind in SECTIONS.items():
        known = {item.name: item for item in fields(kind)}
        mine = {key: merged.pop(key) for key in list(merged) if key in known}
        sections[section] = kind(
            **{key: coerce(key, value, known[key].default) for key, value in mine.items()}
        )
    if merged:
        raise _unknown(next(iter(merged)), "setting")
    if name and (name != Path(name).name or name in {".", ".."}):
        message = f"{name!r} is not a plain folder name"
        raise SettingsError(message, where="name")
    return Settings(recipe=recipe, preset=preset, name=name, **sections)


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
            raise _unknown(str(key), "setting", known)
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


def _read_toml(path: Path, *, must: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        if not must:
            return {}, {}
        message = f"neither a recipe ({', '.join(RECIPES)}) nor a marfa.toml"
        raise SettingsError(message, where=str(path), hint=_nearest(str(path), RECIPES)) from None
    except (OSError, ValueError, RecursionError) as error:
        message = f"cannot be read as TOML: {error}"
        raise SettingsError(message, where=str(path)) from None
    top: dict[str, Any] = {}
    written: dict[str, Any] = {}
    for key, value in document.items():
        if key in {"recipe", "preset", "name"}:
            top[key] = value
        elif key in SECTIONS and isinstance(value, dict):
            known = [item.name for item in fields(SECTIONS[key])]
            for inner in value:
                if inner not in known:
                    raise _unknown(inner, f"key in [{key}]", known, where=str(path))
            written |= value
        else:
            raise _unknown(key, "key", [*SECTIONS, "recipe", "preset", "name"], where=str(path))
    return top, written


def _read_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = [*names(), "preset", "name"]
    found = {}
    for variable, value in environ.items():
        if not variable.startswith("MARFA_"):
            continue
        key = variable.removeprefix("MARFA_").lower()
        if key not in known:
            raise _unknown(variable, "variable", [f"MARFA_{name.upper()}" for name in known])
        found[key] = value
    return found


def _choose(table: Mapping[str, T], key: str, what: str) -> T:
    if key not in table:
        raise _unknown(key, what, table)
    return table[key]


def _unknown(key: str, what: str, known: Iterable[str] = (), where: str = "") -> SettingsError:
    message = f"no {what} named {key!r}"
    return SettingsError(message, where=where, hint=_nearest(key, [*known] or [*names()]))


def _nearest(word: str, known: Iterable[str]) -> str:
    listed = list(known)
    close = difflib.get_close_matches(word, listed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(listed) if len(listed) <= 12 else ""
