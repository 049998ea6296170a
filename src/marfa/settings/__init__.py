"""Every setting once: its meaning, its default, its limits.

Flags, environment variables and TOML keys are all made from these fields (`recipes` decides between
them), and the sections are written beside what was made with them. A task has sections of its own
under common names, so that both are used with the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any

from marfa.settings.classifier import (
    DataSettings,
    ModelSettings,
    PackageSettings,
    TextSettings,
    TrainSettings,
)
from marfa.settings.cloud import CloudSettings
from marfa.settings.common import LearningSettings, PlaceSettings, ServeSettings, SourceSettings
from marfa.settings.declare import coerce, from_mapping, nearest, outcome, unknown
from marfa.settings.generator import (
    AlphabetSettings,
    CorpusSettings,
    DrawSettings,
    WriterPackageSettings,
    WriterSettings,
    WriterTrainSettings,
)
from marfa.settings.job import JobSettings

__all__ = [
    "SECTIONS",
    "TASKS",
    "AlphabetSettings",
    "CloudSettings",
    "CorpusSettings",
    "DataSettings",
    "DrawSettings",
    "JobSettings",
    "LearningSettings",
    "ModelSettings",
    "PackageSettings",
    "PlaceSettings",
    "ServeSettings",
    "SourceSettings",
    "TextSettings",
    "TrainSettings",
    "WriterPackageSettings",
    "WriterSettings",
    "WriterTrainSettings",
    "coerce",
    "declared",
    "from_mapping",
    "nearest",
    "outcome",
    "spelled",
    "unknown",
]

TASKS: dict[str, dict[str, type[Any]]] = {
    "classifier": {
        "place": PlaceSettings,
        "data": DataSettings,
        "text": TextSettings,
        "model": ModelSettings,
        "train": TrainSettings,
        "package": PackageSettings,
        "serve": ServeSettings,
        "cloud": CloudSettings,
        "job": JobSettings,
    },
    "generator": {
        "place": PlaceSettings,
        "data": CorpusSettings,
        "text": AlphabetSettings,
        "model": WriterSettings,
        "train": WriterTrainSettings,
        "package": WriterPackageSettings,
        "write": DrawSettings,
        "serve": ServeSettings,
        "cloud": CloudSettings,
        "job": JobSettings,
    },
}
"""The sections of each task."""

SECTIONS = list(dict.fromkeys(section for sections in TASKS.values() for section in sections))
"""The names of all sections."""


def spelled(item: Field[Any]) -> str:
    """Return a setting's name as people write it; `from` is a word of Python's own."""
    return item.name.rstrip("_")


def declared() -> Iterator[tuple[str, str, Field[Any]]]:
    """Yield the task, the section and the declaration of every setting there is."""
    for task, sections in TASKS.items():
        for section, kind in sections.items():
            yield from ((task, section, item) for item in fields(kind))
