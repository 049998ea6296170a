"""Recipes and their presets, and how a setting is decided when several places name it.

Precedence: flag > MARFA_* variable > marfa.toml > recipe and preset > the default in `settings`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from marfa.errors import SettingsError
from marfa.settings import (
    SECTIONS,
    DataSettings,
    ModelSettings,
    PackageSettings,
    PlaceSettings,
    ServeSettings,
    TextSettings,
    TrainSettings,
    coerce,
    names,
    nearest,
    unknown,
)

T = TypeVar("T")

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
    place: PlaceSettings = field(default_factory=PlaceSettings)
    data: DataSettings = field(default_factory=DataSettings)
    text: TextSettings = field(default_factory=TextSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    package: PackageSettings = field(default_factory=PackageSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)

    @property
    def folder(self) -> Path:
        """Where this run's files are: work/<name>."""
        return Path(self.place.workdir) / self.run_name

    @property
    def run_folder(self) -> Path:
        """Where the trained run is; one on a sample of rows leaves the real one alone."""
        sample = self.train.sample
        return self.folder / (f"run-sample{sample}" if sample else "run")

    @property
    def model_file(self) -> Path:
        """The packaged model."""
        return (self.run_folder if self.train.sample else self.folder) / "model.tar.gz"

    @property
    def run_name(self) -> str:
        """The name given, or one made of recipe, preset and data, so that two runs do not meet.

        >>> Settings(preset="tutorial").run_name
        'sentiment-tutorial'
        """
        if self.name:
            return self.name
        own = RECIPES[self.recipe][self.preset].get("data", DataSettings.data)
        data = ""
        if self.data.data != own:
            data = Path(self.data.data).resolve().name.lstrip(".").split(".")[0] or "data"
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
        raise unknown(next(iter(merged)), "setting")
    if name and (name != Path(name).name or name in {".", ".."}):
        message = f"{name!r} is not a plain folder name"
        raise SettingsError(message, where="name")
    return Settings(recipe=recipe, preset=preset, name=name, **sections)


def _read_toml(path: Path, *, must: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        if not must:
            return {}, {}
        message = f"neither a recipe ({', '.join(RECIPES)}) nor a marfa.toml"
        raise SettingsError(message, where=str(path), hint=nearest(str(path), RECIPES)) from None
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
                    raise unknown(inner, f"key in [{key}]", known, where=str(path))
            written |= value
        else:
            raise unknown(key, "key", [*SECTIONS, "recipe", "preset", "name"], where=str(path))
    return top, written


def _read_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = [*names(), "preset", "name"]
    found = {}
    for variable, value in environ.items():
        if not variable.startswith("MARFA_"):
            continue
        key = variable.removeprefix("MARFA_").lower()
        if key not in known:
            raise unknown(variable, "variable", [f"MARFA_{name.upper()}" for name in known])
        found[key] = value
    return found


def _choose(table: Mapping[str, T], key: str, what: str) -> T:
    if key not in table:
        raise unknown(key, what, table)
    return table[key]
