"""Training on this machine: what decides a run, and what it leaves in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from marfa import files, record, signals
from marfa.console import Talk
from marfa.models import checkpoint, device
from marfa.models.course import Conditions
from marfa.models.learning import keep_memory, thread_count, threads
from marfa.models.team import gathered
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings
from marfa.settings import outcome
from marfa.stages.train import generator
from marfa.stages.train.classifier import ClassifierCourse
from marfa.stages.train.generator import GeneratorCourse

STAGE = "train"
FORMAT = 1


def learn(settings: Settings, talk: Talk, clock: Callable[[], float]) -> dict[str, Any]:
    """Do what `train` says."""
    prepared = settings.folder / "dataset"
    inputs = record.outputs(prepared, "prepare", hint=settings.command("prepare"))
    deciding = _deciding(settings)
    folder = settings.run_folder
    with files.lock(folder):
        if record.is_done(folder, STAGE, inputs, deciding):
            talk.say(f"train: nothing has changed, {folder} is kept")
        else:
            count = thread_count(settings.train)
            record.forget(folder, STAGE)
            same = {name: value for name, value in deciding.items() if name != "threads"}
            key = files.hash_json({"settings": same, "inputs": inputs})
            with (
                threads(count),
                device.chosen(settings.train.device) as computing,
                gathered() as team,
                signals.caught() as stop,
            ):
                keep_memory()
                kept = Path(settings.train.checkpoints) if settings.train.checkpoints else None
                under = Conditions(folder, key, talk, clock, stop, team, computing, kept)
                paths = _learn(settings, prepared, under, deciding)
                record.write(folder, STAGE, inputs, deciding, paths)
                if kept is None:
                    checkpoint.clear(under.checkpoints)
                if stop.signal_number:
                    message = "stopped when training was just done; all is saved"
                    raise stop.error(message, "run the same command again to go on")
        return _summary(folder)


def _deciding(settings: Settings) -> dict[str, Any]:
    match settings:
        case ClassifierSettings():
            return outcome(settings.model, settings.train)
        case GeneratorSettings():
            return outcome(settings.model, settings.train) | generator.origin(settings)
    raise AssertionError


def _learn(
    settings: Settings, prepared: Path, under: Conditions, deciding: dict[str, Any]
) -> list[Path]:
    course: ClassifierCourse | GeneratorCourse
    match settings:
        case ClassifierSettings():
            course = ClassifierCourse(settings, prepared, under)
        case GeneratorSettings():
            course = GeneratorCourse(settings, prepared, under)
        case _:
            raise AssertionError
    course.begin()
    course.learn()
    paths = course.finish()
    document = files.read_json(prepared / "dataset.json")
    config = {
        "format": FORMAT,
        "task": settings.task,
        "name": settings.run_name,
        "preset": settings.preset,
        "vocabulary": document["vocabulary"],
        "model": asdict(settings.model),
        "train": {
            key: value for key, value in deciding.items() if key not in asdict(settings.model)
        },
        # the file's name says what it was; its folder is nobody else's business
        "data": {**document["settings"], "data": Path(settings.data.data).name},
        "best": course.best,
        **course.config,
        **_where(under),
    }
    paths.append(under.folder / "config.json")
    files.write_json(paths[-1], config)
    return paths


def _where(under: Conditions) -> dict[str, Any]:
    """Say what has computed, where it was not this machine's processor alone: its digits differ."""
    found: dict[str, Any] = {}
    if under.device.type != "cpu":
        found["device"] = under.device.type
    if under.team.size > 1:
        found["processes"] = under.team.size
    return found


def _summary(folder: Path) -> dict[str, Any]:
    config = files.read_json(folder / "config.json")
    with open(folder / "history.jsonl", encoding="utf-8") as lines:
        history = [json.loads(line) for line in lines]
    return {
        "task": config["task"],
        "best": config["best"],
        "epochs": history,
        "folder": str(folder),
    }
