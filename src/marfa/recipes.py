"""Recipes and their presets, and how a setting is decided when several places name it.

Precedence: flag > MARFA_* variable > marfa.toml > recipe and preset > the default in `settings`.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from marfa.errors import SettingsError
from marfa.settings import (
    SECTIONS,
    TASKS,
    AlphabetSettings,
    CloudSettings,
    CorpusSettings,
    DataSettings,
    DrawSettings,
    JobSettings,
    LearningSettings,
    ModelSettings,
    PackageSettings,
    PlaceSettings,
    ServeSettings,
    SourceSettings,
    TextSettings,
    TrainSettings,
    WriterPackageSettings,
    WriterSettings,
    WriterTrainSettings,
    coerce,
    declared,
    nearest,
    spelled,
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
    },
    "shakespeare": {
        "default": {},
        "quick": {
            "layers": 1,
            "dropout": 0.0,
            "epochs": 3,
            "learning_rate": 0.008,
        },
        "tutorial": {
            "case": "lower",
            "speakers": "drop",
            "lines": "join",
            "input": "one-hot",
            "cell_penalty": 0.0,
            "epochs": 8,
        },
        "sample": {
            "data": "sample",
            "embedding": 32,
            "hidden": 128,
            "layers": 1,
            "batch_size": 8,
            "epochs": 8,
            "threads": 1,
        },
    },
}
"""What a recipe's presets say differently from the defaults."""

TASK_OF = {"sentiment": "classifier", "shakespeare": "generator"}
"""Which task a recipe is of."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one command, resolved: what both tasks have."""

    recipe: str
    preset: str = "default"
    name: str = ""
    place: PlaceSettings = field(default_factory=PlaceSettings)
    data: SourceSettings
    train: LearningSettings
    serve: ServeSettings = field(default_factory=ServeSettings)
    cloud: CloudSettings = field(default_factory=CloudSettings)
    job: JobSettings = field(default_factory=JobSettings)

    @property
    def task(self) -> str:
        """Return "classifier" or "generator"."""
        return TASK_OF[self.recipe]

    def command(self, stage: str) -> str:
        """Return the command that does a stage of this run.

        >>> ClassifierSettings(preset="tutorial").command("train")
        'marfa train sentiment --preset tutorial'
        """
        parts = ["marfa", stage, self.recipe]
        if self.preset != "default":
            parts += ["--preset", self.preset]
        if self.name:
            parts += ["--name", self.name]
        if self.data.data != self._own_data:
            parts += ["--data", self.data.data]
        return shlex.join(parts)

    @property
    def _own_data(self) -> str:
        return str(RECIPES[self.recipe][self.preset].get("data", type(self.data)().data))

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
    def job_folder(self) -> Path:
        """What a job has brought back; what was made here is left alone, as a sample leaves the rest."""
        return self.folder / job_folder_of(self.train.sample)

    @property
    def model_file(self) -> Path:
        """The packaged model."""
        return (self.run_folder if self.train.sample else self.folder) / "model.tar.gz"

    @property
    def run_name(self) -> str:
        """The name given, or one made of recipe, preset and data, so that two runs do not meet.

        >>> ClassifierSettings(preset="tutorial").run_name
        'sentiment-tutorial'
        """
        if self.name:
            return self.name
        data = ""
        if self.data.data != self._own_data:
            data = Path(self.data.data).resolve().name.lstrip(".").split(".")[0] or "data"
        preset = "" if self.preset == "default" else self.preset
        return "-".join(part for part in (self.recipe, preset, data) if part)


def job_folder_of(sample: int) -> str:
    """Name the folder of what a job has brought back; one on a sample of rows has its own.

    >>> job_folder_of(0), job_folder_of(500)
    ('job', 'job-sample500')
    """
    return f"job-sample{sample}" if sample else "job"


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(Settings):
    """Settings of a command about sorting texts."""

    recipe: str = "sentiment"
    data: DataSettings = field(default_factory=DataSettings)
    text: TextSettings = field(default_factory=TextSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    package: PackageSettings = field(default_factory=PackageSettings)


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings(Settings):
    """Settings of a command about writing text."""

    recipe: str = "shakespeare"
    data: CorpusSettings = field(default_factory=CorpusSettings)
    text: AlphabetSettings = field(default_factory=AlphabetSettings)
    model: WriterSettings = field(default_factory=WriterSettings)
    train: WriterTrainSettings = field(default_factory=WriterTrainSettings)
    package: WriterPackageSettings = field(default_factory=WriterPackageSettings)
    write: DrawSettings = field(default_factory=DrawSettings)


_KINDS: dict[str, type[Settings]] = {
    "classifier": ClassifierSettings,
    "generator": GeneratorSettings,
}


def resolve(
    recipe: str = "",
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = Path(),
) -> Settings:
    """Decide every setting.

    Args:
        recipe: the name of a recipe, or a path to a marfa.toml; empty for what the marfa.toml in
            `folder` names, or sentiment. A marfa.toml there that names another recipe is passed over.
        flags: settings given by name, highest in precedence; None values count as not given.
        environ: variables; those that begin with MARFA_ are read.
        folder: where a marfa.toml is looked for when `recipe` is a name; None for nowhere.

    Returns:
        The settings, of the recipe's task.

    Raises:
        SettingsError: for an unknown name, one of the other task, a wrong type or a
            value outside its limits.

    >>> resolve("sentiment", {"hidden": 200, "preset": "tutorial"}).model.hidden
    200
    >>> resolve("shakespeare", environ={"MARFA_EPOCHS": "3"}).train.epochs
    3
    """
    is_path = bool(recipe) and (recipe.endswith(".toml") or recipe not in RECIPES)
    top: dict[str, Any] = {}
    written: dict[str, Any] = {}
    if is_path or folder is not None:
        path = Path(recipe) if is_path else Path(folder or "") / "marfa.toml"
        top, written = _read_toml(path, must=is_path)
    if recipe and not is_path and top.get("recipe", recipe) != recipe:
        top, written = {}, {}  # that file is about another run
    given = {key.rstrip("_"): value for key, value in (flags or {}).items() if value is not None}
    exported = _read_environ(environ or {})
    chosen: dict[str, Any] = {**top, **exported, **given}
    if recipe and not is_path:
        chosen["recipe"] = recipe
    recipe = str(chosen.pop("recipe", "sentiment"))
    preset = str(chosen.pop("preset", "default"))
    name = str(chosen.pop("name", ""))
    presets = _choose(RECIPES, recipe, "recipe")
    task = TASK_OF[recipe]
    mine = {spelled(item) for of, _, item in declared() if of == task}
    # A variable stands for all commands of a shell, so one of the other task is passed over.
    chosen = {key: value for key, value in chosen.items() if key in mine or key not in exported}
    merged = {**_choose(presets, preset, "preset"), **written, **chosen}
    for key in merged:
        if key not in mine:
            raise _unfit(key, recipe, mine)
    sections = {
        section: kind(
            **{
                item.name: coerce(spelled(item), merged[spelled(item)], item.default)
                for item in fields(kind)
                if spelled(item) in merged
            }
        )
        for section, kind in TASKS[task].items()
    }
    if name and (name != Path(name).name or name in {".", ".."}):
        message = f"{name!r} is not a plain folder name"
        raise SettingsError(message, where="name")
    return _KINDS[task](recipe=recipe, preset=preset, name=name, **sections)


def _unfit(key: str, recipe: str, mine: Iterable[str]) -> SettingsError:
    """Return the error for a setting that a recipe does not have."""
    if any(spelled(item) == key for _, _, item in declared()):
        others = [other for other, task in TASK_OF.items() if task != TASK_OF[recipe]]
        message = f"{recipe} has no setting named {key!r}; it is one of {', '.join(others)}"
        return SettingsError(message, where=key)
    return unknown(key, "setting", mine)


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
            known = [spelled(item) for _, section, item in declared() if section == key]
            for inner in value:
                if inner not in known:
                    raise _misplaced(inner, key, known, str(path))
            written |= value
        else:
            raise unknown(key, "key", [*SECTIONS, "recipe", "preset", "name"], where=str(path))
    return top, written


def _misplaced(name: str, section: str, known: list[str], where: str) -> SettingsError:
    """Return the error for a key that its section does not have; perhaps another one does."""
    homes = {of for _, of, item in declared() if spelled(item) == name}
    if homes:
        message = f"no key in [{section}] named {name!r}"
        return SettingsError(message, where=where, hint=f"it belongs to [{homes.pop()}]")
    return unknown(name, f"key in [{section}]", known, where=where)


def _read_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = [*(spelled(item) for _, _, item in declared()), "preset", "name"]
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
