"""Settings as a training job takes them: texts by name, from whatever launched it, and back again.

SageMaker hands every value over as a text. Its toolkit turns them into flags of a command line, where a
true value has become the word True; its earlier SDK put texts into quotation marks once more. All these
are read alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from marfa.errors import SettingsError
from marfa.recipes import Settings, resolve
from marfa.settings import TASKS, spelled

SECTIONS = ("data", "text", "model", "train", "package")
"""Sections that a job is told of; where things are is its own business."""

LONGEST = 2500
"""Characters of a value that SageMaker takes."""

_PLACES = {"from", "checkpoints"}
"""Settings of those sections that name a place on one machine."""

_OTHERS = ("sagemaker_", "sm_")
"""How the names of those begin that the toolkit of AWS keeps for itself."""


def write(settings: Settings) -> dict[str, str]:
    """Write what a run is, as far as it differs from its preset.

    Args:
        settings: of the run.

    Returns:
        Texts by name: recipe, preset, name, and each setting that differs. One's own file is named
        without its folder.

    Raises:
        SettingsError: if a value is longer than SageMaker takes.

    >>> from marfa.recipes import resolve
    >>> write(resolve("sentiment", {"hidden": 200, "skip": False}, folder=None))
    {'recipe': 'sentiment', 'preset': 'default', 'name': 'sentiment', 'hidden': '200', 'skip': 'false'}
    """
    usual = resolve(settings.recipe, {"preset": settings.preset}, folder=None)
    told = {"recipe": settings.recipe, "preset": settings.preset, "name": settings.run_name}
    for section in SECTIONS:
        mine, its = getattr(settings, section), getattr(usual, section)
        for item in fields(TASKS[settings.task][section]):
            value = getattr(mine, item.name)
            if value != getattr(its, item.name) and spelled(item) not in _PLACES:
                told[spelled(item)] = _text(value)
    if "data" in told:
        told["data"] = Path(told["data"]).name
    if settings.place.mirror.startswith(("http://", "https://")):
        told["mirror"] = settings.place.mirror
    for key, text in told.items():
        if len(text) > LONGEST:
            message = f"{len(text)} characters, more than the {LONGEST} that SageMaker takes"
            raise SettingsError(message, where=key)
    return told


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(
    given: Mapping[str, Any],
    here: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read what a run is.

    Args:
        given: values by name, as `flags`, a JSON file of SageMaker's, or `write` gives them.
        here: settings that this machine decides, such as where things are; they win.
        environ: variables; those that begin with MARFA_ are read.

    Returns:
        The settings.

    Raises:
        SettingsError: for an unknown name, a wrong type or a value outside its limits.

    >>> read({"recipe": '"shakespeare"', "offline": "True", "learning-rate": "0.01"}).train.learning_rate
    0.01
    >>> read({"epochs": "many"})
    Traceback (most recent call last):
    marfa.errors.SettingsError: epochs: 'many' is not a whole number
    """
    known = {_key(key): _unquoted(value) for key, value in given.items()}
    known = {key: value for key, value in known.items() if not key.startswith(_OTHERS)}
    recipe = str(known.pop("recipe", "sentiment"))
    return resolve(recipe, {**known, **(here or {})}, environ, folder=None)


def flags(arguments: Iterable[str]) -> dict[str, str]:
    """Read a command line of `--name value`, `--name=value` or `--name` alone, which means true.

    Args:
        arguments: as the toolkit of AWS makes them of hyperparameters, or as people type them.

    Raises:
        SettingsError: for a word that belongs to no name.

    >>> flags(["--epochs", "2", "--clip=1.5", "--offline", "--bidirectional", "False"])
    {'epochs': '2', 'clip': '1.5', 'offline': 'true', 'bidirectional': 'False'}
    """
    found: dict[str, str] = {}
    name = ""
    for word in arguments:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word[2:].partition("=")
            name = _key(name)
            found[name] = value if equals else "true"
            name = "" if equals else name
        elif name:
            found[name], name = word, ""
        else:
            message = f"{word!r:.60} belongs to no name; expected --name value"
            raise SettingsError(message, where="arguments")
    return found


def _key(name: str) -> str:
    return name.strip().lstrip("-").replace("-", "_")


def _unquoted(value: Any) -> Any:
    """Take off the quotation marks that a text of JSON has.

    >>> _unquoted('"tutorial"'), _unquoted('say "hello"'), _unquoted(3)
    ('tutorial', 'say "hello"', 3)
    """
    if isinstance(value, str) and value.startswith('"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
