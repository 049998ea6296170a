"""One running text becomes numbers on disk: the last part held out, the rest to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from marfa import files
from marfa.console import Talk
from marfa.data import dataset, source
from marfa.data.dataset import Ints
from marfa.errors import DataError
from marfa.recipes import GeneratorSettings
from marfa.text.alphabet import FIRST, UNKNOWN, Alphabet, strip

_EXCERPT = 300
_PIECE = 1 << 20


def write(
    settings: GeneratorSettings, folder: Path, talk: Talk
) -> tuple[list[Path], dict[str, Any]]:
    """Collect the alphabet of the training part, and write both parts as numbers.

    Args:
        settings: the sections `data` and `text` decide the result.
        folder: where to write.
        talk: whom to tell.

    Returns:
        The files written, and what there is to know: counts, the alphabet, an example before and after.

    Raises:
        DataError: if the text cannot be read, or is too short or too uniform to learn from.
    """
    found = source.text(settings)
    talk.say(f"prepare: {len(found):,} characters")
    whole = strip(settings.text, found)
    held_out = round(len(whole) * settings.data.validation_share)
    cut = len(whole) - held_out
    if cut < 2 or held_out < 2:
        message = (
            f"{len(whole)} characters are left of the text; expected at least 2 in either part"
        )
        raise DataError(message, where=settings.data.data, hint="give a longer text")
    codec = Alphabet.build(settings.text, whole[:cut])
    if len(codec.symbols) < 2:
        message = f"the text is the character {codec.symbols[0]!r} alone; there is nothing to learn"
        raise DataError(message, where=settings.data.data, hint="give a text of several characters")
    training, validation = _encode(codec, whole[:cut]), _encode(codec, whole[cut:])
    paths = [folder / "codec.json"]
    files.write_json(paths[0], codec.to_json())
    paths.append(dataset.write_ids(folder, "train", training))
    paths.append(dataset.write_ids(folder, "validation", validation))
    return paths, {
        "vocabulary": codec.size,
        "characters": len(whole),
        "splits": {
            "train": _count(training),
            "validation": _count(validation),
        },
        "alphabet": _counts(training, codec),
        "example": {
            "before": found[:_EXCERPT],
            "after": whole[:_EXCERPT],
            "ids": training[:12].tolist(),
        },
    }


def _encode(codec: Alphabet, text: str) -> Ints:
    kind = np.uint16 if codec.size <= 1 << 16 else np.int32
    parts = [
        np.array(codec.encode(text[at : at + _PIECE]), dtype=kind)
        for at in range(0, len(text), _PIECE)
    ]
    return np.concatenate(parts)


def _count(ids: Ints) -> dict[str, int]:
    return {"characters": len(ids), "unknown": int((ids == UNKNOWN).sum())}


def _counts(ids: Ints, codec: Alphabet) -> list[list[Any]]:
    counts = np.bincount(ids, minlength=codec.size)[FIRST:]
    order = np.argsort(-counts, kind="stable")
    return [[codec.symbols[index], int(counts[index])] for index in order]
