"""Held-out loss on tiny Shakespeare, with the time that training took, one preset after the other.

With `--nanogpt DIR`, a clone of that project is trained in the same run, by its own recipe for a CPU,
on the same text (its README, "I only have a macbook").
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from machine import table

from marfa import environment
from marfa.cli.show import stdout
from marfa.cli.talk import Terminal
from marfa.data import source
from marfa.recipes import GeneratorSettings, resolve
from marfa.stages.evaluate import evaluate
from marfa.stages.fetch import fetch
from marfa.stages.package import package
from marfa.stages.prepare import prepare
from marfa.stages.train import train

TUTORIAL = (894_876, 38)
"""Characters and ids, the unknown one's included, of the text as the tutorial cleans it."""
NANOGPT = (
    "--device=cpu --compile=False --eval_iters=20 --log_interval=100 --block_size=64 --batch_size=12 "
    "--n_layer=4 --n_head=4 --n_embd=128 --max_iters=2000 --lr_decay_iters=2000 --dropout=0.0"
)


def ours(preset: str, talk: Terminal) -> tuple[object, ...]:
    """Train and measure one preset from nothing."""
    flags = {"preset": preset, "name": f"bench-writing-{preset}", "threads": os.cpu_count()}
    settings = resolve("shakespeare", flags, environment.read().settings)
    assert isinstance(settings, GeneratorSettings)
    fetch(settings)
    prepared = prepare(settings)
    if preset == "tutorial" and (prepared["characters"], prepared["vocabulary"]) != TUTORIAL:
        sys.exit(
            f"{prepared['characters']} characters, {prepared['vocabulary']} ids: not {TUTORIAL}"
        )
    shutil.rmtree(settings.folder / "run", ignore_errors=True)
    began = time.perf_counter()
    train(settings, talk)
    seconds = time.perf_counter() - began
    systems = evaluate(settings)["systems"]
    package(settings, talk)  # for the other benchmarks
    shape = settings.model
    return (
        f"{preset}: {shape.layers} x {shape.hidden}, {shape.input}",
        f"{systems['network']['loss']:.4f}",
        f"{systems['network']['loss'] / systems['7-gram']['loss']:.3f}",
        f"{systems['network']['bits_per_character']:.3f}",
        f"{systems['5-gram']['loss']:.4f}",
        f"{systems['7-gram']['loss']:.4f}",
        f"{seconds:.0f}",
    )


def nanogpt(clone: Path) -> tuple[object, ...]:
    """Train nanoGPT by its recipe for a CPU, on the same text; its loss is its own estimate."""
    settings = resolve("shakespeare", {}, environment.read().settings)
    assert isinstance(settings, GeneratorSettings)
    text = source.text(settings)
    symbols = sorted(set(text))
    ids = np.array([symbols.index(symbol) for symbol in text], dtype=np.uint16)
    folder = clone / "data" / "shakespeare_char"
    cut = int(0.9 * len(ids))
    ids[:cut].tofile(folder / "train.bin")
    ids[cut:].tofile(folder / "val.bin")
    began = time.perf_counter()
    command = [sys.executable, "train.py", "config/train_shakespeare_char.py", *NANOGPT.split()]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    losses = re.findall(r"val loss ([\d.]+)", done.stdout)
    if not losses:
        sys.exit(f"nanoGPT did not run: {done.stderr[-500:]}")
    loss = float(losses[-1])
    bits = f"{loss / np.log(2):.3f}"
    return "nanoGPT, its CPU recipe", f"{loss:.4f}", "", bits, "", "", f"{seconds:.0f}"


def main() -> None:
    """Print the table of the presets named, or of all."""
    arguments = sys.argv[1:]
    clone = None
    if "--nanogpt" in arguments:
        at = arguments.index("--nanogpt")
        clone = Path(arguments[at + 1])
        del arguments[at : at + 2]
    talk = Terminal(stdout())
    rows = [ours(preset, talk) for preset in arguments or ("quick", "tutorial", "default")]
    if clone:
        rows.append(nanogpt(clone))
    table(
        "Held-out loss on tiny Shakespeare",
        (
            *("network", "nats a character", "times the 7-gram", "bits"),
            *("5-gram, nats", "7-gram, nats", "training, s"),
        ),
        rows,
    )


if __name__ == "__main__":
    main()
