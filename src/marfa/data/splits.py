"""Which texts train, which choose the best epoch, and which are for the final test.

A text's place is decided by a hash of the text itself: the order of the rows, the machine and the time
do not matter, and copies of one text under one label stand together (an origin's own test split is
kept as it is).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from marfa.errors import DataError

SPLITS = ("train", "validation", "test")
_FEWEST = 3


def digest(text: str, seed: int) -> bytes:
    """Return the sixteen bytes that place a text, and order it among its like.

    >>> digest("a film", 1) == digest("a film", 1) != digest("a film", 2)
    True
    """
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16, salt=seed.to_bytes(8, "big")).digest()


def share_out(
    digests: Sequence[bytes],
    labels: Sequence[str],
    given: Sequence[str],
    *,
    validation_share: float,
    test_share: float,
    where: str = "",
) -> list[str]:
    """Place every text.

    Within each label, the texts with the smallest digests go to the test split (only where the origin
    names no test texts), the next ones to validation; so every split has every label in proportion.

    Args:
        digests: `digest` of each text.
        labels: each text's label.
        given: "train", "test" or "" as the origin says.
        validation_share: part of the training texts, 0 to 1.
        test_share: part of all texts, 0 to 1.
        where: the source, for the message.

    Returns:
        One of `SPLITS` for each text.

    Raises:
        DataError: if a label has too few texts to be in every split.

    >>> share_out([b"a", b"b", b"c", b"d"], ["x"] * 4, [""] * 4, validation_share=0.2, test_share=0.2)
    ['test', 'validation', 'train', 'train']
    """
    placed = ["test" if split == "test" else "train" for split in given]
    has_test = "test" in given
    groups: dict[str, list[int]] = {}
    for index, split in enumerate(placed):
        if split == "train":
            groups.setdefault(labels[index], []).append(index)
    for label, group in groups.items():
        if len(group) < _FEWEST:
            message = f"the label {label!r} has {len(group)} text(s); at least {_FEWEST} are needed"
            hint = f"give each label at least {_FEWEST} different texts"
            raise DataError(message, where=where, hint=hint)
        group.sort(key=lambda index: digests[index])
        if not has_test:
            group = _move(group, placed, "test", _part(test_share, len(group)), digests)
        _move(group, placed, "validation", _part(validation_share, len(group)), digests)
    return placed


def _part(share: float, size: int) -> int:
    return max(1, round(share * size))


def _move(
    group: list[int], placed: list[str], split: str, size: int, digests: Sequence[bytes]
) -> list[int]:
    """Place the first `size` of a sorted group, copies of the last one included, and keep the rest."""
    while size < len(group) and digests[group[size]] == digests[group[size - 1]]:
        size += 1
    for index in group[:size]:
        placed[index] = split
    return group[size:]
