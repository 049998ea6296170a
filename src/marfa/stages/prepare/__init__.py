"""prepare: texts become numbers on disk, and what a person wants to see of them is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marfa import files, record
from marfa.console import Silence, Talk
from marfa.data import source
from marfa.errors import DataError, SettingsError
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings
from marfa.settings import outcome
from marfa.stages.prepare import classifier, generator

STAGE = "prepare"


def prepare(settings: Settings, talk: Talk | None = None) -> dict[str, Any]:
    """Read the texts, learn words or letters from the training part, and write everything as numbers.

    Args:
        settings: the sections `data` and `text` decide the result.
        talk: whom to tell; nobody if not given.

    Returns:
        The document dataset.json: counts, commonest words or letters, an example before and after.

    Raises:
        DataError: if the texts cannot be read, or nothing is left to learn from.
        BusyError: if another marfa is at work in the folder.
    """
    talk = talk or Silence()
    folder = settings.folder / "dataset"
    match settings:
        case ClassifierSettings() | GeneratorSettings():
            deciding = outcome(settings.data, settings.text)
    inputs = {"source": source.fingerprint(settings)}
    with files.lock(folder):
        if record.is_done(folder, STAGE, inputs, deciding):
            talk.say(f"prepare: nothing has changed, {folder} is kept")
            return dict(files.read_json(folder / "dataset.json"))
        _check_owner(settings, folder)
        record.forget(folder, STAGE)
        match settings:
            case ClassifierSettings():
                paths, found = classifier.write(settings, folder, talk)
            case GeneratorSettings():
                paths, found = generator.write(settings, folder, talk)
        document = {
            "format": 1,
            "task": settings.task,
            "name": settings.run_name,
            "recipe": settings.recipe,
            "preset": settings.preset,
            "settings": deciding,
            "source": {"data": source.described(settings), "sha256": inputs["source"]},
            **found,
        }
        paths.append(folder / "dataset.json")
        files.write_json(paths[-1], document)
        record.write(folder, STAGE, inputs, deciding, paths)
    return document


def _check_owner(settings: Settings, folder: Path) -> None:
    """Refuse to write over the texts of another file that happens to have the same name."""
    try:
        document = files.read_json(folder / "dataset.json")
        before, task = document["source"]["data"], document["task"]
    except (DataError, KeyError, TypeError):
        return
    if (before, task) != (source.described(settings), settings.task):
        message = f"this folder holds the run of {before}, of the task {task}"
        hint = "give this one a name of its own: --name NAME"
        raise SettingsError(message, where=str(folder.parent), hint=hint)
