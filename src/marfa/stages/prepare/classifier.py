"""Labelled texts become numbers on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from marfa import files
from marfa.console import Talk
from marfa.data import dataset, source, splits
from marfa.data.rows import Row
from marfa.errors import DataError
from marfa.recipes import ClassifierSettings
from marfa.text.codec import Codec, Encoded, count_words
from marfa.text.vocab import FIRST, Vocab

_COMMONEST = 20
_EXCERPT = 300


@dataclass
class _Part:
    """What goes into one split."""

    encoded: list[list[int]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    cut: int = 0
    known: int = 0
    total: int = 0


def write(
    settings: ClassifierSettings, folder: Path, talk: Talk
) -> tuple[list[Path], dict[str, Any]]:
    """Split the texts, learn the vocabulary from the training part, and write all as numbers.

    Args:
        settings: the sections `data` and `text` decide the result.
        folder: where to write.
        talk: whom to tell.

    Returns:
        The files written, and what there is to know: counts, lengths, commonest words, an example
        before and after.

    Raises:
        DataError: if the texts cannot be read, have one label only, or leave no word.
    """
    rows = _read(settings, talk)
    labels = _labels(rows, settings.data.data)
    order, placed, duplicates = _place(rows, labels, settings)
    rows = [rows[index] for index in order]
    placed = [placed[index] for index in order]
    codec = _learn(rows, placed, settings, talk)
    parts, empty = _encode(rows, placed, labels, codec, talk)
    paths = [folder / "codec.json"]
    files.write_json(paths[0], codec.to_json())
    for name, part in parts.items():
        paths += dataset.write_split(
            folder, name, part.encoded, part.labels, part.texts, codec.vocab.size
        )
    return paths, _describe(parts, labels, codec) | {
        "commonest": _commonest(parts["train"], codec),
        "empty": empty,
        "duplicates": duplicates,
    }


def _read(settings: ClassifierSettings, talk: Talk) -> list[Row]:
    rows = []
    with talk.bar("reading the texts", None, "texts") as bar:
        for row in source.rows(settings):
            rows.append(row)
            if len(rows) % 1000 == 0:
                bar.update(len(rows))
    return rows


def _labels(rows: Sequence[Row], where: str) -> list[str]:
    found = sorted({row.label for row in rows})
    if len(found) < 2:
        message = f"{len(rows)} text(s) with {len(found)} label(s); at least 2 labels are needed"
        raise DataError(message, where=where, hint="check the file and --label-column")
    return found


def _place(
    rows: Sequence[Row], labels: Sequence[str], settings: ClassifierSettings
) -> tuple[list[int], list[str], dict[str, int]]:
    """Return the rows' order, each row's split, and how many copies there are."""
    digests = [splits.digest(row.text, settings.data.split_seed) for row in rows]
    placed = splits.share_out(
        digests,
        [row.label for row in rows],
        [row.split for row in rows],
        validation_share=settings.data.validation_share,
        test_share=settings.data.test_share,
        where=settings.data.data,
    )
    _check_labels(rows, placed, labels, settings.data.data)
    sides: dict[bool, set[bytes]] = {True: set(), False: set()}
    for digest, split in zip(digests, placed, strict=True):
        sides[split == "test"].add(digest)
    duplicates = {
        "texts": len(digests) - len(set(digests)),
        "test texts also trained on": len(sides[True] & sides[False]),
    }
    # The digest's order is as good as a shuffle and the same whatever the order of the source.
    order = sorted(range(len(rows)), key=lambda index: (digests[index], rows[index].label))
    return order, placed, duplicates


def _check_labels(
    rows: Sequence[Row], placed: Sequence[str], labels: Sequence[str], where: str
) -> None:
    """Refuse a label that is never trained on, and a part that holds one label only."""
    inside: dict[str, set[str]] = {split: set() for split in splits.SPLITS}
    for row, split in zip(rows, placed, strict=True):
        inside[split].add(row.label)
    hint = "give more different texts of each label"
    if missing := [label for label in labels if label not in inside["train"]]:
        message = f"no text of the label {missing[0]!r} is left to train on"
        raise DataError(message, where=where, hint=hint)
    for split, found in inside.items():
        if len(found) < 2:
            message = f"the {split} part holds {len(found)} label(s); at least 2 are needed"
            raise DataError(message, where=where, hint=hint)


def _learn(
    rows: Sequence[Row], placed: Sequence[str], settings: ClassifierSettings, talk: Talk
) -> Codec:
    training = [row.text for row, split in zip(rows, placed, strict=True) if split == "train"]
    with talk.bar("counting words", len(training), "texts") as bar:
        counts = count_words(training, settings.text, bar.update)
    vocab = Vocab.build(counts, size=settings.text.vocabulary, min_count=settings.text.min_count)
    return Codec(settings.text, vocab)


def _encode(
    rows: Sequence[Row], placed: Sequence[str], labels: Sequence[str], codec: Codec, talk: Talk
) -> tuple[dict[str, _Part], int]:
    index_of = {label: index for index, label in enumerate(labels)}
    parts = {split: _Part() for split in splits.SPLITS}
    empty = 0
    with talk.bar("encoding", len(rows), "texts") as bar:
        for done, (row, split) in enumerate(zip(rows, placed, strict=True), 1):
            encoded = codec.encode(row.text)
            if encoded.ids:
                _add(parts[split], encoded, index_of[row.label], row)
            else:
                empty += 1
            if done % 1000 == 0:
                bar.update(done)
    for split, part in parts.items():
        if not part.encoded:
            message = f"no word is left in any text of the {split} part"
            raise DataError(message, hint="check the text column and the settings of the text")
    if empty:
        talk.warn(f"{empty} text(s) left out: no word remains after cleaning")
    return parts, empty


def _add(part: _Part, encoded: Encoded, label: int, row: Row) -> None:
    part.encoded.append(encoded.ids)
    part.labels.append(label)
    part.texts.append((row.text, row.origin))
    part.known += encoded.known
    part.total += encoded.total
    part.cut += encoded.total > len(encoded.ids)


def _commonest(part: _Part, codec: Codec) -> list[list[Any]]:
    counts: Counter[int] = Counter()
    for ids in part.encoded:
        counts.update(ids)
    return [
        [codec.vocab.words[index], counts.get(index + FIRST, 0)]
        for index in range(min(_COMMONEST, len(codec.vocab.words)))
    ]


def _describe(parts: dict[str, _Part], labels: Sequence[str], codec: Codec) -> dict[str, Any]:
    example = parts["train"]
    ids = example.encoded[0]
    return {
        "labels": list(labels),
        "vocabulary": codec.vocab.size,
        "splits": {name: _count(part, labels) for name, part in parts.items()},
        "example": {
            "before": example.texts[0][0][:_EXCERPT],
            "after": " ".join(
                codec.vocab.words[id_ - FIRST] if id_ >= FIRST else "·" for id_ in ids
            )[:_EXCERPT],
            "ids": ids[:12],
        },
    }


def _count(part: _Part, labels: Sequence[str]) -> dict[str, Any]:
    lengths = np.fromiter(map(len, part.encoded), dtype=np.int64)
    return {
        "texts": len(part.labels),
        "labels": {label: part.labels.count(i) for i, label in enumerate(labels)},
        "words": int(lengths.sum()),
        "lengths": _lengths(lengths),
        "cut": part.cut,
        "known_share": round(part.known / max(part.total, 1), 4),
    }


def _lengths(lengths: Iterable[int]) -> dict[str, int]:
    points = np.percentile(np.asarray(lengths), [0, 5, 50, 95, 100], method="nearest")
    names = ("shortest", "p05", "median", "p95", "longest")
    return {name: int(value) for name, value in zip(names, points, strict=True)}
