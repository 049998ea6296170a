"""What writing letter by letter needs: one text, an alphabet, a network, its training, its bundle."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.settings.common import LearningSettings, SourceSettings
from marfa.settings.declare import Checked, setting


@dataclass(frozen=True, kw_only=True)
class CorpusSettings(SourceSettings):
    """Which text is learnt from."""

    data: str = setting(
        "shakespeare", "shakespeare, sample, or a path to a text file or a folder of text files."
    )
    max_chars: int = setting(
        200_000_000, "Longest text accepted, in characters.", low=2, high=1 << 31
    )


@dataclass(frozen=True, kw_only=True)
class AlphabetSettings(Checked):
    """How text becomes characters; a prompt is read in the same way."""

    case: str = setting("keep", "What happens to capitals.", choices=("keep", "lower"))
    speakers: str = setting(
        "keep",
        "Whether lines with a colon, which in a play name who speaks, are dropped.",
        choices=("keep", "drop"),
    )
    lines: str = setting(
        "keep",
        "Whether lines are joined by blanks, those without a character being dropped.",
        choices=("keep", "join"),
    )
    symbols: int = setting(
        8192,
        "Ids, the unknown character included; rarer characters are unknown.",
        low=2,
        high=65_536,
    )


@dataclass(frozen=True, kw_only=True)
class WriterSettings(Checked):
    """The shape of the network that writes."""

    input: str = setting(
        "embedding",
        "How a character enters: as learnt numbers, or as a one among zeros.",
        choices=("embedding", "one-hot"),
    )
    embedding: int = setting(64, "Numbers that stand for a character.", low=1, high=4096)
    hidden: int = setting(512, "Units of each LSTM layer.", low=1, high=4096)
    layers: int = setting(2, "LSTM layers.", low=1, high=8)
    dropout: float = setting(0.2, "Share of each layer's output dropped.", low=0.0, high=0.95)


@dataclass(frozen=True, kw_only=True)
class WriterTrainSettings(LearningSettings):
    """How the network that writes is trained."""

    epochs: int = setting(7, "Passes over the training texts.", low=1, high=10_000)
    learning_rate: float = setting(0.005, "Adam's step size at its peak.", low=1e-7, high=1e9)
    batch_size: int = setting(
        32, "Texts, or stretches of one text, that are read side by side.", low=1, high=65_536
    )
    unroll: int = setting(
        64,
        "Characters of each stretch in a step; the state is carried on to the next.",
        low=1,
        high=10_000,
    )
    cell_penalty: float = setting(
        1e-5,
        "Weight of the cells' mean square in the loss, which keeps them from counting up for ever.",
        low=0.0,
        high=1.0,
    )
    precision: str = setting(
        "auto",
        "Numbers in training: bfloat16 where the processor computes with it, or float32.",
        choices=("auto", "float32", "bfloat16"),
    )
    from_: str = setting(
        "",
        "Model (model.tar.gz, or a bundle's folder) whose weights are the first ones.",
        outcome=False,  # its path is not; its content is, and stands in the record
    )


@dataclass(frozen=True, kw_only=True)
class WriterPackageSettings(Checked):
    """What the bundle of a network that writes holds."""

    max_int8_loss: float = setting(
        0.01,
        "Nats a character that eight-bit weights may lose on held-out text to be the default.",
        low=0.0,
        high=10.0,
    )


@dataclass(frozen=True, kw_only=True)
class DrawSettings(Checked):
    """What `marfa generate` writes; a server is asked with each request."""

    length: int = setting(
        200,
        "Characters of a text that is generated, the prompt included.",
        low=1,
        high=1 << 24,
        outcome=False,
    )
    temperature: float = setting(
        0.8,
        "Draw: 0 for always the likeliest character, 1 for the model's own shares.",
        low=0.0,
        high=10.0,
        outcome=False,
    )
    top_k: int = setting(
        0,
        "Draw from so many of the likeliest characters only; 0 for all.",
        low=0,
        high=1 << 24,
        outcome=False,
    )
    top_p: float = setting(
        1.0,
        "Draw from the likeliest characters that together have this share; 1 for all.",
        low=1e-6,
        high=1.0,
        outcome=False,
    )
