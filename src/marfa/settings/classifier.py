"""What sorting texts by labels needs: rows, words, a network, its training, its bundle."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.settings.common import LearningSettings, SourceSettings
from marfa.settings.declare import Checked, setting


@dataclass(frozen=True, kw_only=True)
class DataSettings(SourceSettings):
    """Which texts, and how they are shared out."""

    data: str = setting(
        "imdb", "imdb, sample, or a path to CSV, TSV, JSON Lines, or a folder per label."
    )
    text_column: str = setting("text", "Column or key that holds the text.")
    label_column: str = setting("label", "Column or key that holds the label.")
    split_column: str = setting("", "Column or key that says train or test, if there is one.")
    max_text_chars: int = setting(
        1_000_000, "Longest text accepted, in characters.", low=1, high=1 << 30
    )
    test_share: float = setting(
        0.2, "Part kept for the final test, where the origin has no test split.", low=0.01, high=0.5
    )
    split_seed: int = setting(1, "Seed of the split.", low=0, high=2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class TextSettings(Checked):
    """How text becomes words, and words numbers."""

    alphabet: str = setting(
        "every",
        "Which characters make words: latin (unaccented letters, digits) or every script.",
        choices=("every", "latin"),
    )
    stop_words: str = setting(
        "none", "Function words to drop: none keeps negations.", choices=("none", "english")
    )
    stem: str = setting(
        "none",
        "Snowball stemmer to apply to each word.",
        choices=("none", "porter", "english", "french", "arabic", "german", "spanish"),
    )
    vocabulary: int = setting(
        30_000, "Ids, padding and the rare word included.", low=3, high=1_000_000
    )
    min_count: int = setting(2, "Words seen less often are rare words.", low=1, high=1_000_000)
    max_words: int = setting(600, "Positions the network reads at most.", low=1, high=10_000)
    crop: str = setting(
        "ends",
        "What is kept of a longer text: head, tail, or both ends.",
        choices=("head", "tail", "ends"),
    )


@dataclass(frozen=True, kw_only=True)
class ModelSettings(Checked):
    """The shape of the network."""

    embedding: int = setting(100, "Numbers that stand for a word.", low=1, high=4096)
    hidden: int = setting(64, "Units of the LSTM, in each direction.", low=1, high=4096)
    layers: int = setting(1, "LSTM layers.", low=1, high=8)
    bidirectional: bool = setting(True, "Read backwards as well.")
    pooling: str = setting(
        "mean+max",
        "What of all positions is kept: the last state, or mean and maximum over them.",
        choices=("last", "mean", "max", "mean+max"),
    )
    skip: bool = setting(
        True,
        "Give the mean of the embeddings to the last layer too, a bag of words beside the LSTM.",
    )
    dropout: float = setting(0.5, "Share dropped before the last layer.", low=0.0, high=0.95)
    embedding_dropout: float = setting(
        0.35, "Share of the embedding's numbers dropped in training.", low=0.0, high=0.95
    )


@dataclass(frozen=True, kw_only=True)
class TrainSettings(LearningSettings):
    """How the classifier is trained."""

    start: str = setting(
        "cooccurrence",
        "First embeddings: random, or from which words stand near which in the training texts.",
        choices=("random", "cooccurrence"),
    )
    near: int = setting(5, "Words on either side that count as near.", low=1, high=100)
    context_power: float = setting(
        0.75, "Power of a context's count, so that rare ones are not overrated.", low=0.0, high=1.0
    )
    embedding_size: float = setting(
        0.3, "Root mean square of the first embeddings' numbers.", low=1e-6, high=100.0
    )
    embedding_rate: float = setting(
        0.3, "The embeddings' step size as a share of the others'.", low=0.0, high=100.0
    )
    embedding_bits: int = setting(
        7,
        "Bits of an embedding's number as it is judged and kept; below 32 it is rounded.",
        choices=(6, 7, 8, 32),
    )
    label_smoothing: float = setting(0.05, "Share of a label given away.", low=0.0, high=0.5)
    word_dropout: float = setting(0.15, "Share of words hidden in training.", low=0.0, high=0.95)
    window: int = setting(
        256, "Words of a random window read in training, 0 for the whole text.", low=0, high=10_000
    )
    best_by: str = setting(
        "accuracy", "What makes an epoch the best on validation.", choices=("accuracy", "loss")
    )


@dataclass(frozen=True, kw_only=True)
class PackageSettings(Checked):
    """What the bundle says of itself."""

    min_known_share: float = setting(
        0.0,
        "Below this share of known words the model declines to judge; 0: chosen on validation texts.",
        low=0.0,
        high=1.0,
    )
