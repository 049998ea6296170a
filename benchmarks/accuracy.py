"""Accuracy on IMDb's test reviews, with the time that training took, one preset after the other."""

from __future__ import annotations

import shutil
import sys
import time

from machine import table

from marfa import environment
from marfa.cli.show import stdout
from marfa.cli.talk import Terminal
from marfa.recipes import resolve
from marfa.stages.evaluate import evaluate
from marfa.stages.evaluate.classifier import NETWORK, WORDS
from marfa.stages.fetch import fetch
from marfa.stages.package import package
from marfa.stages.prepare import prepare
from marfa.stages.train import train


def main() -> None:
    """Train and measure each preset named, or both, from nothing, and print one table."""
    rows = []
    talk = Terminal(stdout())
    for preset in sys.argv[1:] or ("tutorial", "default"):
        flags = {"preset": preset, "name": f"bench-{preset}"}
        settings = resolve("sentiment", flags, environment.read().settings)
        fetch(settings)
        prepare(settings)
        shutil.rmtree(settings.folder / "run", ignore_errors=True)
        began = time.perf_counter()
        best = train(settings, talk)["best"]
        seconds = time.perf_counter() - began
        systems = evaluate(settings)["systems"]
        package(settings)  # for the other benchmarks
        network, words = systems[NETWORK], systems[WORDS]
        low, high = network["accuracy_95"]
        rows.append(
            (
                preset,
                f"{network['accuracy']:.4f} ({low:.4f} to {high:.4f})",
                f"{words['accuracy']:.4f}",
                f"{best['validation_accuracy']:.4f}",
                f"{seconds:.0f}",
                f"{network['auroc']:.4f}",
                f"{network['ece']:.4f}",
            )
        )
    table(
        "Accuracy on the test reviews",
        (
            *("preset", "accuracy (95 %)", "n-gram logistic regression"),
            *("validation", "training, s", "AUROC", "calibration error"),
        ),
        rows,
    )


if __name__ == "__main__":
    main()
