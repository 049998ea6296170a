"""What every task has: places, learning, serving."""

from __future__ import annotations

from dataclasses import dataclass

from marfa.settings.declare import Checked, setting


@dataclass(frozen=True, kw_only=True)
class PlaceSettings(Checked):
    """Where things are kept and where they may come from; none of it changes a result."""

    workdir: str = setting("work", "Folder that holds everything marfa makes.", outcome=False)
    mirror: str = setting(
        "", "Folder or URL with the same file names and a SHA256SUMS.", outcome=False
    )
    offline: bool = setting(False, "Forbid the network.", outcome=False)


@dataclass(frozen=True, kw_only=True)
class SourceSettings(Checked):
    """Where the texts of a run come from."""

    data: str = setting("", "A data set's name, or a path to one's own texts.")
    encoding: str = setting("utf-8", "Character encoding of the files.")
    validation_share: float = setting(
        0.1, "Part kept for choosing the best epoch.", low=0.01, high=0.5
    )


@dataclass(frozen=True, kw_only=True)
class LearningSettings(Checked):
    """How a network is trained, whatever it learns."""

    epochs: int = setting(4, "Passes over the training texts.", low=1, high=10_000)
    batch_size: int = setting(
        64, "Texts, or stretches of one text, that are read side by side.", low=1, high=65_536
    )
    learning_rate: float = setting(0.004, "Adam's step size at its peak.", low=1e-7, high=1e9)
    beta1: float = setting(0.9, "Adam's decay of gradients.", low=0.0, high=0.99999)
    beta2: float = setting(0.99, "Adam's decay of squared gradients.", low=0.0, high=0.99999)
    schedule: str = setting(
        "cycle",
        "Step size over training: constant, or cycle (rise for a tenth, fall to zero).",
        choices=("constant", "cycle"),
    )
    weight_decay: float = setting(0.0, "Decoupled weight decay.", low=0.0, high=10.0)
    clip: float = setting(1.0, "Largest norm of the gradient.", low=1e-6, high=1e6)
    average: float = setting(
        0.998, "Decay of the running average of the weights, 0 for none.", low=0.0, high=0.99999
    )
    patience: int = setting(
        3, "Epochs without a better validation before stopping, 0 for never.", low=0, high=1000
    )
    seed: int = setting(1, "Seed of weights, batches and dropout.", low=0, high=2**31 - 1)
    sample: int = setting(
        0,
        "Train on this many rows, or characters, only, to see that all works; 0 for all.",
        low=0,
        high=2**31 - 1,
    )
    threads: int = setting(
        0, "CPU threads; 0 for all cores but one, four at most.", low=0, high=1024
    )
    checkpoint_seconds: float = setting(
        20.0, "Seconds between checkpoints within an epoch.", low=0.0, high=86_400.0, outcome=False
    )
    checkpoints: str = setting(
        "",
        "Folder of the checkpoints, which stay there; within the run's own if empty.",
        outcome=False,
    )
    device: str = setting(
        "auto",
        "What computes; auto takes a GPU where there is one.",
        choices=("auto", "cpu", "cuda"),
        outcome=False,
    )


@dataclass(frozen=True, kw_only=True)
class ServeSettings(Checked):
    """How the server answers."""

    host: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0 for all.", outcome=False)
    port: int = setting(8080, "Port; 0 for any free one.", low=0, high=65_535, outcome=False)
    engine: str = setting(
        "auto",
        "What computes: numpy, or onnx; int8 is onnx in eight bits, where the model has that. auto "
        "takes the fastest that is installed and loses nothing worth mention.",
        choices=("auto", "numpy", "onnx", "int8"),
        outcome=False,
    )
    max_body_bytes: int = setting(
        1 << 20, "Largest request body.", low=1, high=1 << 30, outcome=False
    )
    max_texts: int = setting(256, "Most texts in one request.", low=1, high=65_536, outcome=False)
    max_length: int = setting(
        10_000,
        "Longest text made in one request, in characters.",
        low=1,
        high=1 << 24,
        outcome=False,
    )
    workers: int = setting(
        0,
        "Processes that answer; 0 for one a core, and of a server four at most.",
        low=0,
        high=256,
        outcome=False,
    )
    queue: int = setting(
        64,
        "Requests waiting in a process at most before 503; fewer where each brings more than 8 texts.",
        low=1,
        high=65_536,
        outcome=False,
    )
    connections: int = setting(
        2048, "Connections that a process holds at most.", low=1, high=1 << 20, outcome=False
    )
    header_seconds: float = setting(
        10.0, "Time for a request's headers to arrive.", low=0.01, high=3600.0, outcome=False
    )
    body_seconds: float = setting(
        10.0, "Time for a body to arrive.", low=0.01, high=3600.0, outcome=False
    )
    answer_seconds: float = setting(
        30.0,
        "Time that a request waits for its turn at most.",
        low=0.01,
        high=3600.0,
        outcome=False,
    )
    send_seconds: float = setting(
        10.0,
        "Time in which a client has to take 10 kB of what waits for it.",
        low=0.01,
        high=3600.0,
        outcome=False,
    )
    drain_seconds: float = setting(
        8.5, "Time for requests under way after SIGTERM.", low=0.0, high=3600.0, outcome=False
    )
    log: str = setting(
        "failures",
        "What is told of requests, as lines of JSON without a word of theirs: nothing, failures "
        "(those that are ours), or all.",
        choices=("nothing", "failures", "all"),
        outcome=False,
    )
