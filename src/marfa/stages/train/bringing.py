"""What a job has made, brought home: checked, packed as `marfa package` packs, and written down."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marfa import archives, bundle, files, record
from marfa.aws.training_job import LOCAL
from marfa.bundle import Bundle
from marfa.errors import BundleError, DataError

STAGE = "job"
MODEL, STATE = "model.tar.gz", "job.json"
RESULTS = ("report.html", "metrics.json", "history.jsonl")

_LARGEST = 64 << 20
_FETCHED = "fetched"


def place(folder: Path, name: str) -> Path:
    """Return where an archive of SageMaker's is kept until it has been looked at."""
    return folder / _FETCHED / name


def model(folder: Path, fetched: Path) -> Bundle:
    """Check the archive of a model, and put the model where it belongs.

    Args:
        folder: the job's.
        fetched: what SageMaker has packed; it is taken away.

    Returns:
        The model's bundle. Its archive is, byte for byte, the one that `package` would make.

    Raises:
        BundleError: if it is not whole; it is taken away too, so that the next try fetches it anew.
    """
    try:
        found = bundle.load(fetched)
    except BundleError as error:
        fetched.unlink(missing_ok=True)
        message = f"what the job has left is no whole model: {error.what}"
        hint = "run the same command again: a new job goes on from the checkpoints of this one"
        raise BundleError(message, where=str(fetched), hint=hint) from error
    archives.write_tar_gz(folder / MODEL, found.members)
    fetched.unlink()
    return found


def results(folder: Path, fetched: Path) -> list[Path]:
    """Put the report and the figures where they belong.

    Args:
        folder: the job's.
        fetched: what SageMaker has packed; it is taken away.

    Returns:
        The files; none where the archive is damaged, since the model is what counts.
    """
    written = []
    try:
        found = archives.read_tar_gz(
            fetched, lambda name: _LARGEST if name in RESULTS else 0, len(RESULTS) * _LARGEST
        )
    except BundleError:
        found = {}
    for name, content in found.items():
        files.write_bytes(folder / name, content)
        written.append(folder / name)
    fetched.unlink(missing_ok=True)
    return written


def is_done(folder: Path, hashed: str, *, rehearsed: bool = False) -> bool:
    """Say whether what a job of this hash has made is here, and whole.

    What a rehearsed job has made is nothing that SageMaker has: where that is asked for, it does not
    count. The other way round it does, since a rehearsal only stands for the job.

    Args:
        folder: the job's.
        hashed: of what it computes.
        rehearsed: the result of a rehearsed job will do.
    """
    known = state(folder)
    if known.get("hash") != hashed or (known.get("on") == LOCAL and not rehearsed):
        return False
    return record.is_done(folder, STAGE, {"job": hashed}, {})


def write(folder: Path, hashed: str, made: list[Path], told: Mapping[str, Any]) -> dict[str, Any]:
    """Write down that all is here; call it last.

    Args:
        folder: the job's.
        hashed: of what it has computed.
        made: the files.
        told: what is to be known of the job.

    Returns:
        What is known of the job and of its model.
    """
    path = folder / MODEL
    with contextlib.suppress(OSError):  # of somebody else's, if it is not empty
        (folder / _FETCHED).rmdir()
    document = {
        **told,
        "hash": hashed,
        "file": str(path),
        "bytes": path.stat().st_size,
        "sha256": files.hash_file(path),
    }
    files.write_json(folder / STATE, document)
    record.write(folder, STAGE, {"job": hashed}, {}, [path, *made])
    return document


def state(folder: Path) -> dict[str, Any]:
    """Return what was written down of the last job; empty where nothing was."""
    try:
        found = files.read_json(folder / STATE)
    except DataError:
        return {}
    return found if isinstance(found, dict) else {}
