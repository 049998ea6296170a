"""The state of a training run on disk, in two generations, so that nothing can lose both.

A generation is a safetensors file (weights, Adam's moments, averages, the best weights so far) and a
JSON file that names it, its SHA-256 and everything that is not a tensor. The JSON is written last; a
generation that was cut, or has rotted, is passed over for the one before.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from marfa import files
from marfa.errors import DataError

_KEEP = 2


def write(folder: Path, number: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write one generation, then forget all but the newest two.

    Args:
        folder: where checkpoints are kept.
        number: the step, higher than any before.
        tensors: everything that is a tensor, by name.
        state: everything else, as JSON.

    Raises:
        DiskFullError: if there is no room; the generations before are untouched.
    """
    weights = folder / f"{number:09}.safetensors"
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    files.write_bytes(weights, save(contiguous))
    files.write_json(
        weights.with_suffix(".json"), {"sha256": files.hash_file(weights), "state": state}
    )
    for old in sorted(folder.glob("*.json"))[:-_KEEP]:
        old.unlink()
        old.with_suffix(".safetensors").unlink(missing_ok=True)


def read_newest(folder: Path, key: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read the newest whole generation of this very run.

    Args:
        folder: where checkpoints are kept.
        key: what `state["key"]` must be: the run's settings and data, hashed.

    Returns:
        Tensors and state, or None when there is no such generation.
    """
    for path in sorted(folder.glob("*.json"), reverse=True):
        with contextlib.suppress(DataError, OSError, KeyError, TypeError):
            document = files.read_json(path)
            data = path.with_suffix(".safetensors").read_bytes()
            digest = files.hash_file(path.with_suffix(".safetensors"))
            if document["sha256"] == digest and document["state"]["key"] == key:
                return load(data), document["state"]
    return None


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def clear(folder: Path) -> None:
    """Forget all generations."""
    for path in folder.glob("*"):
        if path.suffix in {".json", ".safetensors", ".tmp"}:
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty: another run's stand beside
        folder.rmdir()
        folder.parent.rmdir()
