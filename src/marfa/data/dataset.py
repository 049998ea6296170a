"""The prepared texts on disk: flat arrays that are mapped, not read, and the texts beside them.

dataset.json              counts, labels, lengths, where it came from
codec.json                how the numbers were made
<split>.ids.npy           all word ids of all texts, one after the other
<split>.offsets.npy       where each text begins; one more than there are texts
<split>.labels.npy        the label's index of each text
<split>.texts.jsonl       {"text": ..., "origin": ...} of each text, in the same order

One running text is only <split>.ids.npy: its characters' ids, whose text the alphabet gives back.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marfa import files
from marfa.errors import DataError

Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Split:
    """One split, mapped into memory.

    Attributes:
        ids: word ids of all texts, shape (total words,).
        offsets: begin of each text and the end of the last, shape (N + 1,).
        labels_N: the label's index of each text, shape (N,).
    """

    ids: Ints
    offsets: Ints
    labels_N: Ints

    def __len__(self) -> int:
        return len(self.labels_N)

    @property
    def lengths_N(self) -> Ints:
        """Number of words of each text, shape (N,)."""
        return np.diff(self.offsets)

    def text_ids(self, index: int) -> Ints:
        """Return the word ids of one text, shape (its length,)."""
        return self.ids[self.offsets[index] : self.offsets[index + 1]]


def write_split(
    folder: Path,
    name: str,
    encoded: Sequence[Sequence[int]],
    labels: Sequence[int],
    texts: Sequence[tuple[str, str]],
    vocabulary: int,
) -> list[Path]:
    """Write one split.

    Args:
        folder: the dataset's folder.
        name: "train", "validation" or "test".
        encoded: word ids of each text.
        labels: the label's index of each text.
        texts: text and origin of each.
        vocabulary: number of ids, which decides the width of the array.

    Returns:
        The files written.
    """
    lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    kind = np.uint16 if vocabulary <= 1 << 16 else np.int32
    ids: Ints = np.empty(int(offsets[-1]), dtype=kind)
    for index, row in enumerate(encoded):
        ids[offsets[index] : offsets[index + 1]] = row
    paths = [
        write_ids(folder, name, ids),
        _write_array(folder / f"{name}.offsets.npy", offsets),
        _write_array(folder / f"{name}.labels.npy", np.asarray(labels, dtype=np.int32)),
    ]
    paths.append(folder / f"{name}.texts.jsonl")
    with files.atomic(paths[-1]) as file:
        for text, origin in texts:
            # ASCII escapes, because a text may hold half a surrogate pair
            file.write(json.dumps({"text": text, "origin": origin}).encode("ascii") + b"\n")
    return paths


def read_split(folder: Path, name: str) -> Split:
    """Map one split into memory.

    Args:
        folder: the dataset's folder.
        name: "train", "validation" or "test".

    Raises:
        DataError: if a file is missing or is no array.
    """
    offsets, labels = (_read_array(folder / f"{name}.{part}.npy") for part in ("offsets", "labels"))
    return Split(read_ids(folder, name), offsets, labels)


def write_ids(folder: Path, name: str, ids: Ints) -> Path:
    """Write the ids of one split, shape (their number,); return the file."""
    return _write_array(folder / f"{name}.ids.npy", ids)


def read_ids(folder: Path, name: str) -> Ints:
    """Map the ids of one split into memory, shape (their number,).

    Raises:
        DataError: if the file is missing or is no array.
    """
    return _read_array(folder / f"{name}.ids.npy")


def _write_array(path: Path, array: Ints) -> Path:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    files.write_bytes(path, buffer.getvalue())
    return path


def _read_array(path: Path) -> Ints:
    try:
        found: Ints = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        message = "missing, or not an array"
        raise DataError(
            message, where=str(path), hint="prepare the texts again: marfa prepare RECIPE"
        ) from error
    return found


def read_texts(folder: Path, name: str) -> Iterator[str]:
    """Yield the texts of one split, in the order of its arrays."""
    with open(folder / f"{name}.texts.jsonl", encoding="ascii") as file:
        for line in file:
            yield json.loads(line)["text"]
