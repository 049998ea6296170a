"""How a setting is declared, checked against its declaration, read and written."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field, fields
from typing import Any, TypeVar

from marfa.errors import SettingsError

T = TypeVar("T")


def setting(
    default: Any,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | tuple[int, ...] = (),
    outcome: bool = True,
) -> Any:
    """Declare one setting.

    Args:
        default: its value when nobody says otherwise; its type is the setting's type.
        meaning: one line for `--help`.
        low: smallest value allowed.
        high: largest value allowed.
        choices: the values allowed, where they are few.
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
        message = f"{value!r:.60} is not {_KINDS[kind]}"
        raise SettingsError(message, where=name)
    if limits["choices"] and value not in limits["choices"]:
        known = [str(choice) for choice in limits["choices"]]
        message = f"{value!r:.60} is none of {', '.join(known)}"
        raise SettingsError(message, where=name, hint=nearest(str(value), known))
    low, high = limits["low"], limits["high"]
    if low is not None and not (low <= value <= (math.inf if high is None else high)):
        bounds = f"{low} to {high}" if high is not None else f"{low} or more"
        message = f"{value!r:.60} is outside {bounds}"
        raise SettingsError(message, where=name, hint=f"the usual one is {default}")


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


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
    message = f"{value!r:.60} is not {_KINDS[kind]}"
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

    >>> from marfa.settings import PlaceSettings, TrainSettings
    >>> "workdir" in outcome(PlaceSettings(), TrainSettings()), "seed" in outcome(TrainSettings())
    (False, True)
    """
    kept: dict[str, Any] = {}
    for section in sections:
        values = asdict(section)
        kept |= {i.name: values[i.name] for i in fields(section) if i.metadata["outcome"]}
    return kept


def unknown(key: str, what: str, known: Iterable[str], where: str = "") -> SettingsError:
    """Return the error for a name that does not exist, with the nearest one that does."""
    message = f"no {what} named {key!r:.60}"
    return SettingsError(message, where=where, hint=nearest(key, known))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint for a wrong word: the nearest right one, or all if they are few."""
    listed = list(known)
    close = difflib.get_close_matches(word, listed, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(listed) if len(listed) <= 12 else ""
