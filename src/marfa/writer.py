"""A bundle that writes: a prompt in, text out. The Python API, and what every door calls."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from marfa.bundle import Bundle
from marfa.engines import weights
from marfa.engines.numpy_engine import check
from marfa.engines.numpy_writer import NumpyWriter, shapes
from marfa.engines.sampling import MAX_SEED, Sampler, Sampling
from marfa.errors import BundleError, EmptyTextError, RequestError, UnknownTextError
from marfa.model import Model, configuration, graph
from marfa.settings import DrawSettings, WriterSettings, from_mapping
from marfa.text.alphabet import UNKNOWN, Alphabet

_PIECE = 16
"""Characters made at a time, so that several texts under way can take turns."""

Floats = npt.NDArray[np.float32]


class Reading(Protocol):
    """A text being read, which an engine keeps the state of."""

    logits_V: Floats

    def step(self, token: int) -> Floats:
        """Read one character; return the scores of the next."""


class Engine(Protocol):
    """Something that reads characters and scores what may come next."""

    name: str
    precision: str

    def open(self, tokens_T: npt.NDArray[np.int64]) -> Reading:
        """Read a prompt, in one pass."""

    def read(self, tokens_TB: npt.NDArray[np.int64], state: Any = None) -> tuple[Floats, Any]:
        """Return logits_TBV and the state after them."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written.

    Attributes:
        prompt: as the model reads it; the text begins with it.
        length: characters of the whole text.
        sampling: how characters are drawn.
        unknown: characters of the prompt that the alphabet does not hold.
    """

    prompt: str
    length: int
    sampling: Sampling
    unknown: int


class Writer(Model):
    """A loaded model that writes text.

    Args:
        bundle: a verified bundle.
        engine: "numpy", "onnx", "int8", or "auto" for the best that is installed and in the bundle.
        threads: CPU threads for one call.

    Raises:
        BundleError: if the parts of the bundle do not fit each other, or hold no graph for the engine.
        MissingExtraError: if the engine is not installed.
        SettingsError: if there is no such engine.
    """

    task = "generator"

    def __init__(self, bundle: Bundle, engine: str = "auto", threads: int = 1) -> None:
        super().__init__(bundle)
        config = configuration(bundle)
        self.codec = Alphabet.from_json(bundle.json("codec.json"))
        if self.codec.size != config["vocabulary"]:
            message = (
                f"the alphabet has {self.codec.size} ids, the network {config['vocabulary']}: "
                "they are not of one model"
            )
            raise BundleError(message, where=bundle.where)
        self.engine = _engine(bundle, config, engine, threads)

    def plan(
        self, prompt: str, length: int = DrawSettings.length, sampling: Sampling | None = None
    ) -> Task:
        """Understand what is asked for, before a character is made.

        Args:
            prompt: how the text begins, as a person wrote it; empty for one that begins as a line does
                (after a line break, or a blank where the alphabet has none).
            length: characters of the whole text, the prompt included, at least 1.
            sampling: how characters are drawn; with a seed of its own if not given.

        Raises:
            RequestError: if the length is no whole number from 1 on, or the prompt is longer.
            EmptyTextError: if nothing is left of the prompt once it is read.
            UnknownTextError: if no character of it is known.
        """
        if type(length) is not int or length < 1:
            message = f"length is {length!r:.40}, expected a whole number from 1 on"
            raise RequestError(message)
        # a half of a surrogate pair cannot be sent or printed
        whole = prompt.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        read = self.codec.read(whole)
        if prompt and not read:
            message = "nothing is left of the prompt once it is read as the training text was"
            raise EmptyTextError(message, hint="send another prompt, or none")
        if len(read) > length:
            message = (
                f"the prompt has {len(read)} characters, more than the {length} asked for in all"
            )
            raise RequestError(message, hint="ask for a greater length; it includes the prompt")
        unknown = self.codec.encode(read).count(UNKNOWN)
        if read and unknown == len(read):
            message = f"none of the {unknown} characters of the prompt is known to the model"
            raise UnknownTextError(message, hint="send a prompt in the model's alphabet, or none")
        return Task(read, length, sampling or Sampling(seed=new_seed()), unknown)

    def write(self, task: Task, position: int | None = None) -> Iterator[str]:
        """Make the text of a task, a few characters at a time.

        All chance in a character comes from the seed and its place, so what is made after a place does
        not depend on whether what stands before was handed out.

        Args:
            task: what `plan` returned.
            position: characters that are there already, not to be handed out again; those of the
                prompt if not given.

        Yields:
            What comes next; an empty text while what is there already is made once more.
        """
        yield from continued(self.engine, self.codec, task, position)

    def text(self, task: Task) -> Iterator[str]:
        """Yield the whole text of a task as it is made, its prompt first."""
        yield task.prompt
        yield from self.write(task)

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = DrawSettings.length,
        temperature: float = DrawSettings.temperature,
        top_k: int = DrawSettings.top_k,
        top_p: float = DrawSettings.top_p,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Yield a text as it is made, its prompt first; arguments as `generate`."""
        chosen = new_seed() if seed is None else seed
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=chosen)
        yield from self.text(self.plan(prompt, length, sampling))

    def generate(
        self,
        prompt: str = "",
        *,
        length: int = DrawSettings.length,
        temperature: float = DrawSettings.temperature,
        top_k: int = DrawSettings.top_k,
        top_p: float = DrawSettings.top_p,
        seed: int | None = None,
    ) -> str:
        """Write a text.

        Args:
            prompt: how it begins; empty for one that begins as a line does.
            length: characters in all, the prompt included, at least 1.
            temperature: 0 for always the likeliest character, 1 for the model's own shares, 10 at most.
            top_k: draw from so many of the likeliest only; 0 for all.
            top_p: draw from the likeliest that together have this share only, above 0, 1 for all.
            seed: the same seed gives the same text; a new one each time if not given.

        Returns:
            The text, which begins with the prompt as the model reads it.

        Raises:
            RequestError: if an option is outside its limits, or the prompt cannot be continued.
        """
        made = self.stream(
            prompt, length=length, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed
        )
        return "".join(made)


def continued(
    engine: Engine, codec: Alphabet, task: Task, position: int | None = None
) -> Iterator[str]:
    """Make the text of a task with any engine; see `Writer.write`."""
    start = len(task.prompt) if position is None else position
    sampler = Sampler(task.sampling)
    shown = ("\N{REPLACEMENT CHARACTER}", *codec.symbols)
    ids = codec.encode(task.prompt or codec.opening)
    reading = engine.open(np.array(ids, dtype=np.int64))
    logits_V, place, count = reading.logits_V, len(task.prompt), 1
    while place < task.length:
        piece = []
        for at in range(place, min(place + count, task.length)):
            token = sampler.draw(logits_V, at)
            piece.append(shown[token])
            if at + 1 < task.length:
                logits_V = reading.step(token)
        made = "".join(piece)
        yield made[max(0, start - place) :]
        place += len(made)
        count = _PIECE  # the first character is handed out at once


def new_seed() -> int:
    """Return a seed that nobody has chosen."""
    return secrets.randbelow(MAX_SEED + 1)


def _engine(bundle: Bundle, config: Mapping[str, Any], name: str, threads: int) -> Engine:
    chosen = graph(bundle, name)
    settings = from_mapping(WriterSettings, config.get("model"), where="config.json")
    stored = bundle.contents["weights.safetensors"]
    if chosen is None:
        return NumpyWriter(settings, weights.read(stored), config["vocabulary"])
    check(weights.shapes(stored), shapes(settings, config["vocabulary"]))
    from marfa.engines.onnx_writer import OnnxWriter

    return OnnxWriter(chosen[1], chosen[0], threads)
