"""Flags, made from the settings: one dataclass a group of sections, every field optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import Field, make_dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from marfa.errors import SettingsError
from marfa.recipes import RECIPES, TASK_OF
from marfa.settings import declared, spelled

_TITLES = {
    "place": "Where things are",
    "data": "Texts",
    "text": "Reading",
    "model": "Network",
    "train": "Training",
    "package": "Packaging",
    "write": "Writing",
    "serve": "Serving",
    "cloud": "Cloud",
    "job": "Jobs",
}


def make(*wanted: str, recipe: bool = True) -> type[Any]:
    """Make the dataclass of flags for some sections, or for single settings of them.

    Args:
        wanted: names of sections ("train") or of settings in them ("train.sample").
        recipe: include --preset and --name.

    Returns:
        A dataclass whose fields are None where no flag was given.
    """
    made: list[tuple[str, Any, Any]] = []
    if recipe:
        choice = "Preset of the recipe: " + "; ".join(
            f"{name}: {', '.join(sorted(presets))}" for name, presets in RECIPES.items()
        )
        made.append(("preset", Annotated[str | None, Parameter(help=f"{choice}.")], None))
        name = "Name of the run's folder. [default: made of recipe, preset and data]"
        made.append(("name", Annotated[str | None, Parameter(help=name)], None))
    found: dict[tuple[str, str], dict[str, Field[Any]]] = {}
    for task, section, item in declared():
        if {section, f"{section}.{spelled(item)}"} & set(wanted):
            found.setdefault((section, spelled(item)), {})[task] = item
    for order, section in enumerate(_TITLES):
        group = Group(_TITLES[section], sort_key=order + 10)
        made += [_flag(key, tasks, group) for (of, key), tasks in found.items() if of == section]
    flags = make_dataclass("Flags", made, frozen=True, kw_only=True)
    flags.__module__ = __name__  # cyclopts takes no class of the standard library apart
    return flags


def refuse(options: Any, unwanted: Sequence[str], why: str, of: str = "") -> None:
    """Refuse flags that were given and would be passed over.

    Args:
        options: made of a class of `make`.
        unwanted: sections, or single settings of them, or `preset` and `name`; `data` itself is
            wanted, unless it is named as `data.data`.
        why: what to say of them.
        of: what they decide nothing of; training on this machine if not given.

    Raises:
        SettingsError: naming the first one.
    """
    known = [(section, spelled(item), item.name) for _, section, item in declared()]
    for section, name, field in [("", "preset", "preset"), ("", "name", "name"), *known]:
        whole = (section or name) in unwanted and name != "data"
        named = whole or f"{section}.{name}" in unwanted
        if named and getattr(options, field, None) is not None:
            flag = f"--{name.replace('_', '-')}"
            message = f"this would decide nothing of {of or 'training on this machine'}"
            raise SettingsError(message, where=flag, hint=why)


def _flag(key: str, tasks: Mapping[str, Field[Any]], group: Group) -> tuple[str, Any, Any]:
    """Make one flag of the settings of this name in all tasks, each with what is its own."""
    items = list(tasks.values())
    alone = "" if len(tasks) > 1 else f"{recipes_of(next(iter(tasks)))} only. "
    texts = [meaning(item) for item in items]
    defaults = [f"{item.default}" for item in items]
    if len(set(texts)) == 1:
        text = alone + texts[0]
        if len(set(defaults)) == 1:
            text += f" [default: {defaults[0]}]" if defaults[0] else ""
        else:
            each = (f"{recipes_of(task)} {item.default}" for task, item in tasks.items())
            text += f" [default: {', '.join(each)}]"
    else:
        text = " ".join(
            f"{recipes_of(task)}: {words} [default: {value}]"
            for task, words, value in zip(tasks, texts, defaults, strict=True)
        )
    kind = type(items[0].default) | None
    shown = Parameter(name=f"--{key.replace('_', '-')}", help=text, group=group)
    return items[0].name, Annotated[kind, shown], None


def meaning(item: Field[Any]) -> str:
    """Return what a setting means, and its choices if it has some."""
    choices = [str(choice) for choice in item.metadata["choices"]]
    return str(item.metadata["meaning"]) + (f" One of {', '.join(choices)}." if choices else "")


def recipes_of(task: str) -> str:
    """Name the recipes of a task."""
    return ", ".join(name for name, of in TASK_OF.items() if of == task)
