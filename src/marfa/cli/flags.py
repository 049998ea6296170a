"""Flags, made from the settings: one dataclass a group of sections, every field optional."""

from __future__ import annotations

from dataclasses import Field, fields, make_dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from marfa.recipes import RECIPES
from marfa.settings import SECTIONS

_TITLES = {
    "place": "Where things are",
    "data": "Texts",
    "text": "Reading",
    "model": "Network",
    "train": "Training",
    "package": "Packaging",
    "serve": "Serving",
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
        presets = sorted({preset for table in RECIPES.values() for preset in table})
        choice = f"Preset of the recipe: {', '.join(presets)}. [default: default]"
        made.append(("preset", Annotated[str | None, Parameter(help=choice)], None))
        name = "Name of the run's folder. [default: made of recipe, preset and data]"
        made.append(("name", Annotated[str | None, Parameter(help=name)], None))
    for order, (section, kind) in enumerate(SECTIONS.items()):
        group = Group(_TITLES[section], sort_key=order + 10)
        taken = [item for item in fields(kind) if {section, f"{section}.{item.name}"} & set(wanted)]
        made += [_flag(item, group) for item in taken]
    flags = make_dataclass("Flags", made, frozen=True, kw_only=True)
    flags.__module__ = __name__  # cyclopts takes no class of the standard library apart
    return flags


def _flag(item: Field[Any], group: Group) -> tuple[str, Any, Any]:
    choices = item.metadata["choices"]
    text = item.metadata["meaning"] + (f" One of {', '.join(choices)}." if choices else "")
    text += f" [default: {item.default}]" if item.default != "" else ""
    kind = type(item.default) | None
    return item.name, Annotated[kind, Parameter(help=text, group=group)], None
