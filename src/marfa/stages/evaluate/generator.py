"""How well the next character is foreseen, what is written, and how much of it is remembered."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load

from marfa import files
from marfa.console import Talk
from marfa.container.client import Client
from marfa.data import dataset
from marfa.data.dataset import Ints
from marfa.engines import weights
from marfa.engines.numpy_writer import NumpyWriter
from marfa.engines.sampling import Sampling
from marfa.errors import DataError
from marfa.evaluation import ngrams, writing_report
from marfa.evaluation.copying import agreement, longest_copy
from marfa.evaluation.crossentropy import bits, held_out, steps_of
from marfa.evaluation.verdict import writing_verdict
from marfa.models.generator import Generator
from marfa.models.reading import reader
from marfa.recipes import GeneratorSettings
from marfa.settings import WriterSettings, from_mapping
from marfa.stages.evaluate import made_with
from marfa.text.alphabet import Alphabet
from marfa.writer import Task, continued

NETWORK, UNIGRAM = "network", "unigram"
NGRAMS = {"5-gram": 5, "7-gram": 7}
_COUNTED = 20_000_000
"""Characters before the held-out part that n-grams are counted on at most; they take memory."""
TEMPERATURES = (0.5, 0.8, 1.0)
_SAMPLE = 800
_SEED = 1
_PROMPTS = 16
_PROMPT = 100
_LONGEST = 400
"""Characters of a sample, and of a memory test: how many prompts, how long, how long a continuation."""


def measure(settings: GeneratorSettings, prepared: Path, run: Path, talk: Talk) -> list[Path]:
    """Measure a trained run on the held-out part, beside n-grams; let it write; test its memory.

    Args:
        settings: they say which run.
        prepared: the dataset's folder.
        run: the run's folder, which metrics.json and report.html are written to.
        talk: whom to tell.

    Returns:
        The files written.
    """
    described = files.read_json(prepared / "dataset.json")
    config = files.read_json(run / "config.json")
    codec = Alphabet.from_json(files.read_json(prepared / "codec.json"))
    training, after = dataset.read_ids(prepared, "train"), dataset.read_ids(prepared, "validation")
    training = training[: config["train"]["sample"] or None]
    systems = _systems(config, run, training, after, codec.size, talk)
    engine = NumpyWriter(
        from_mapping(WriterSettings, config["model"], where=str(run / "config.json")),
        weights.read((run / "weights.safetensors").read_bytes()),
        codec.size,
    )
    source = codec.decode(training)
    talk.say("evaluate: writing samples, and testing what it remembers")
    samples = [_sample(engine, codec, temperature, source) for temperature in TEMPERATURES]
    memory = _memory(engine, codec, source)
    summary = _summary(systems, memory, samples)
    best = strongest(systems)
    verdict = writing_verdict(systems[NETWORK], best, systems[best])
    document = {
        "format": 1,
        "task": settings.task,
        "summary": summary,
        "systems": systems,
        "memory": {key: memory[key] for key in ("prompts", "median", "longest", "tried", "agreed")},
        "samples": samples,
        "verdict": verdict,
    }
    paths = [run / "metrics.json", run / "report.html"]
    files.write_json(paths[0], document)
    page = writing_report.page(
        {
            "title": f"{settings.run_name}: what it writes",
            "name": settings.run_name,
            "preset": config["preset"],
            "network": systems[NETWORK],
            "baselines": {name: found for name, found in systems.items() if name != NETWORK},
            "history": made_with.history(run),
            "samples": samples,
            "memory": memory if memory["prompts"] else None,
            "alphabet": described["alphabet"],
            "settings": {**config["data"], **config["model"], **config["train"]},
            "data": {
                "source": {**described["source"], "data": Path(described["source"]["data"]).name},
                "splits": described["splits"],
                "held out": "the end of the text; it also chose the best epoch",
                "n-grams counted on": f"{min(len(training), _COUNTED):,} characters",
            },
            "versions": made_with.versions(),
        }
    )
    files.write_bytes(paths[1], page.encode("utf-8"))
    return paths


def _systems(
    config: dict[str, Any], run: Path, training: Ints, after: Ints, vocabulary: int, talk: Talk
) -> dict[str, dict[str, Any]]:
    shape = from_mapping(WriterSettings, config["model"], where=str(run / "config.json"))
    network = Generator(shape, vocabulary)
    network.load_state_dict(load((run / "weights.safetensors").read_bytes()))
    whole = np.concatenate([training, after])
    with talk.bar("testing", len(after), "characters") as bar:
        loss = held_out(
            reader(network), whole, len(training), steps=steps_of(vocabulary), seen=bar.update
        )
    talk.say("evaluate: n-grams beside it")
    counted = training[-_COUNTED:]
    losses = {NETWORK: loss}
    losses |= {
        name: ngrams.kneser_ney(counted, after, vocabulary, order) for name, order in NGRAMS.items()
    }
    losses[UNIGRAM] = ngrams.unigram(counted, after, vocabulary)
    return {
        name: {
            "loss": round(nats, 6),
            "bits_per_character": round(bits(nats), 6),
            "perplexity": round(math.exp(nats), 4),
            "n": len(after),
        }
        for name, nats in losses.items()
    }


def strongest(systems: dict[str, dict[str, Any]]) -> str:
    """Return the name of the best n-gram model."""
    return min(NGRAMS, key=lambda name: float(systems[name]["loss"]))


def _sample(
    engine: NumpyWriter, codec: Alphabet, temperature: float, source: str
) -> dict[str, Any]:
    task = Task("", _SAMPLE, Sampling(temperature=temperature, seed=_SEED), 0)
    text = "".join(continued(engine, codec, task))
    start, length = longest_copy(text, source)
    return {
        "temperature": temperature,
        "seed": _SEED,
        "text": text,
        "copied": length,
        "copied_text": text[start : start + length],
    }


def _prompts(source: str) -> list[tuple[str, str]]:
    """Return passages of the training text, evenly spread, and what follows each."""
    length = min(_PROMPT, len(source) // 4)
    last = len(source) - length - min(_LONGEST, len(source) // 4)
    places = sorted({int(at) for at in np.linspace(0, max(last, 0), _PROMPTS)})
    return [
        (source[at : at + length], source[at + length : at + length + _LONGEST])
        for at in places
        if length
    ]


def _memory(engine: NumpyWriter, codec: Alphabet, source: str) -> dict[str, Any]:
    """Continue passages of the training text greedily, and count for how long they agree with it."""
    found: list[dict[str, Any]] = []
    agreed: list[int] = []
    for prompt, truth in _prompts(source):
        task = Task(prompt, len(prompt) + len(truth), Sampling(temperature=0.0), 0)
        written = ""
        for piece in continued(engine, codec, task):
            written += piece
            if not truth.startswith(written) and len(written) >= 120:
                break  # enough to show where it went instead
        agreed.append(agreement(written, truth))
        found.append({"prompt": prompt, "truth": truth, "written": written, "agreed": agreed[-1]})
    example = max(found, key=lambda item: int(item["agreed"]), default=None)
    return {
        "prompts": len(found),
        "median": statistics.median(agreed) if agreed else 0,
        "longest": max(agreed, default=0),
        "tried": _LONGEST,
        "agreed": agreed,
        "example": example,
    }


def _summary(
    systems: dict[str, dict[str, Any]], memory: dict[str, Any], samples: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        **systems[NETWORK],
        "baseline": strongest(systems),
        "baseline_bits_per_character": systems[strongest(systems)]["bits_per_character"],
        "unigram_bits_per_character": systems[UNIGRAM]["bits_per_character"],
        "median_memory": memory["median"],
        "longest_copy": max(sample["copied"] for sample in samples),
    }


def ask(prepared: Path, client: Client, talk: Talk) -> dict[str, Any]:
    """Let a running server continue passages of the training text, and time it.

    Args:
        prepared: the dataset's folder.
        client: the server.
        talk: whom to tell.

    Returns:
        For how long its greedy continuations agree with the text, and how fast they came.
    """
    served = client.describe()
    if served.get("task") != "generator":
        message = "the model that is served there writes no text"
        raise DataError(message, where=client.url, hint="evaluate it with its own recipe")
    longest = int(served["limits"]["length"])
    codec = Alphabet.from_json(files.read_json(prepared / "codec.json"))
    prompts = _prompts(codec.decode(dataset.read_ids(prepared, "train")))
    if not prompts or longest <= _PROMPT:
        message = "the text, or the length that the server allows, is too short to test its memory"
        raise DataError(message, where=client.url)
    agreed, first, speeds = [], [], []
    with talk.bar("asking", len(prompts), "prompts") as bar:
        for done, (prompt, truth) in enumerate(prompts, 1):
            length = min(len(prompt) + len(truth), longest)
            began = time.perf_counter()
            made, heard = "", 0.0
            pieces = client.stream(prompt, length=length, temperature=0.0)
            next(pieces)  # the prompt
            for seconds, piece in pieces:
                heard = heard or seconds
                made += piece
            took = time.perf_counter() - began
            agreed.append(agreement(made, truth))
            first.append(heard)
            speeds.append(len(made) / took)
            bar.update(done)
    measured = {
        "prompts": len(prompts),
        "median_memory": statistics.median(agreed),
        "longest_memory": max(agreed),
        "first_character_seconds": round(statistics.median(first), 4),
        "characters_per_second": round(statistics.median(speeds)),
    }
    return {
        "systems": {client.url: measured},
        "verdict": f"{client.url} writes {measured['characters_per_second']:,} characters a second, "
        f"the first after {1000 * measured['first_character_seconds']:.0f} ms.",
    }
