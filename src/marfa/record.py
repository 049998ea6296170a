"""What a stage has done, so that the same command again is free, and says so.

A record names the inputs by their hashes, the settings that can change a result, and the hash of each
file made. It is written last: a stage that was killed has none, and runs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from marfa import __version__, files
from marfa.errors import DataError


def place(folder: Path, stage: str) -> Path:
    """Return where the record of a stage is."""
    return folder / f"{stage}.record.json"


def _key(inputs: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": __version__, "inputs": dict(inputs), "settings": dict(settings)}


def is_done(
    folder: Path, stage: str, inputs: Mapping[str, str], settings: Mapping[str, Any]
) -> bool:
    """Say whether the stage has been done with exactly these inputs and settings, and is intact.

    Args:
        folder: where the stage writes.
        stage: its name.
        inputs: hashes of what it reads, by name.
        settings: the settings that can change its result.

    Returns:
        True when there is nothing to do.
    """
    try:
        record = files.read_json(place(folder, stage))
    except DataError:
        return False
    if not isinstance(record, dict) or record.get("key") != _key(inputs, settings):
        return False
    outputs = record.get("outputs", {})
    return all(
        (folder / name).is_file() and files.hash_file(folder / name) == digest
        for name, digest in outputs.items()
    )


def forget(folder: Path, stage: str) -> None:
    """Forget that the stage was done; call it before the first file is written again."""
    place(folder, stage).unlink(missing_ok=True)


def write(
    folder: Path,
    stage: str,
    inputs: Mapping[str, str],
    settings: Mapping[str, Any],
    outputs: Iterable[Path],
) -> None:
    """Record that the stage is done; call it last.

    Args:
        folder: where the stage has written.
        stage: its name.
        inputs: hashes of what it read, by name.
        settings: the settings that could change its result.
        outputs: the files it made, all in `folder`.
    """
    made = {path.relative_to(folder).as_posix(): files.hash_file(path) for path in outputs}
    files.write_json(place(folder, stage), {"key": _key(inputs, settings), "outputs": made})


def outputs(
    folder: Path, stage: str, inputs: Mapping[str, str] | None = None, *, hint: str = ""
) -> dict[str, str]:
    """Return the files that the stage made and their hashes: the next stage's inputs.

    Args:
        folder: where the stage has written.
        stage: its name.
        inputs: what it must have read, where that can have changed since.
        hint: the command that does the stage.

    Raises:
        DataError: if the stage has not been done, or with other inputs, or its files have changed.
    """
    command = hint or f"marfa {stage}"
    try:
        record = files.read_json(place(folder, stage))
        made = {str(name): str(digest) for name, digest in record["outputs"].items()}
        read = record["key"]["inputs"]
    except (DataError, KeyError, TypeError, AttributeError):
        message = f"the stage {stage!r} has not been done here"
        raise DataError(message, where=str(folder), hint=f"run: {command}") from None
    if inputs is not None and read != dict(inputs):
        message = f"what the stage {stage!r} read has changed since"
        raise DataError(message, where=str(folder), hint=f"run again: {command}")
    for name, digest in made.items():
        path = folder / name
        if not path.is_file() or files.hash_file(path) != digest:
            message = f"not the file that the stage {stage!r} made"
            raise DataError(message, where=str(path), hint=f"run again: {command}")
    return made
