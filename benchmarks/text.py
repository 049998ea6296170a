"""Cleaning and encoding the labelled reviews of IMDb, and the commonest words they give."""

from __future__ import annotations

import resource
import sys
import time

from machine import table

from marfa import environment
from marfa.data import source
from marfa.recipes import resolve
from marfa.stages.fetch import fetch
from marfa.text.codec import Codec, count_words
from marfa.text.vocab import Vocab

COMMONEST = ["movi", "film", "one", "like", "time"]
LABELLED = 50_000


def main() -> int:
    """Print the table; fail if the commonest words are others."""
    rows, wrong = [], []
    for preset in ("tutorial", "default"):
        settings = resolve("sentiment", {"preset": preset}, environment.read().settings)
        fetch(settings)
        found = list(source.rows(settings))
        train = [row.text for row in found if row.split == "train"]
        began = time.perf_counter()
        counts = count_words(train, settings.text)
        counted = time.perf_counter() - began
        vocab = Vocab.build(
            counts, size=settings.text.vocabulary, min_count=settings.text.min_count
        )
        codec = Codec(settings.text, vocab)
        began = time.perf_counter()
        words = sum(codec.encode(row.text).total for row in found)
        seconds = time.perf_counter() - began
        if preset == "tutorial" and list(vocab.words[:5]) != COMMONEST:
            wrong = list(vocab.words[:5])
        rows.append(
            (
                preset,
                f"{len(found):,}",
                f"{words:,}",
                f"{seconds:.1f}",
                f"{seconds * LABELLED / len(found):.1f}",
                f"{counted:.1f}",
                f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f}",
                " ".join(vocab.words[:5]),
            )
        )
    table(
        "Clean and encode",
        (
            *("preset", "reviews here", "words", "clean + encode, s", "the same for 50,000, s"),
            *("counting words, s", "most memory, GB", "commonest"),
        ),
        rows,
    )
    if wrong:
        print(f"\nthe commonest words are {wrong}, expected {COMMONEST}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
