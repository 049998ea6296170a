"""How learning went: training dashed, validation solid, one point per epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from marfa.errors import DataError
from marfa.evaluation.drawing import (
    BLUE,
    ORANGE,
    Names,
    label_ends,
    panel,
    percent,
    render,
    sheet,
    style,
)

_STEPS = (1, 2, 2.5, 5, 10)


@style()
def history(records: Sequence[Mapping[str, Any]]) -> str:
    """Draw loss and accuracy of each epoch, training dashed and validation solid.

    Args:
        records: one mapping per epoch: `epoch`, `train_loss`, `train_accuracy`, `validation_loss`,
            `validation_accuracy`; losses in nats, accuracies 0 to 1.

    Returns:
        An SVG element.

    Raises:
        DataError: if there is no epoch.

    >>> svg = history([{"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.8,
    ...                 "validation_loss": 0.4, "validation_accuracy": 0.85}])
    >>> svg.startswith("<svg") and "validation" in svg
    True
    """
    _need(records)
    figure = sheet(400)
    for bottom, measure, title in ((0.575, "loss", "Loss, nats"), (0.09, "accuracy", "Accuracy")):
        axes = panel(figure, (0.115, bottom, 0.665, 0.355), title)
        _draw(axes, records, measure)
        if measure == "accuracy":
            axes.yaxis.set_major_formatter(percent)
            axes.set_xlabel("epoch")
    last = records[-1]
    described = (
        f"{len(records)} epochs. In the last, the validation loss is "
        f"{last['validation_loss']:.3f} and the validation accuracy "
        f"{last['validation_accuracy']:.1%}."
    )
    return render(figure, "history", "Loss and accuracy by epoch", described, Names())


@style()
def bits(records: Sequence[Mapping[str, Any]]) -> str:
    """Draw how many bits a character needs after each epoch, training dashed, validation solid.

    Args:
        records: one mapping per epoch: `epoch`, `train_bits`, `validation_bits`, bits a character.

    Returns:
        An SVG element.

    Raises:
        DataError: if there is no epoch.

    >>> svg = bits([{"epoch": 1, "train_bits": 2.4, "validation_bits": 2.3}])
    >>> svg.startswith("<svg") and "Bits a character" in svg
    True
    """
    _need(records)
    figure = sheet(320)
    axes = panel(figure, (0.115, 0.145, 0.665, 0.73), "Bits a character")
    _draw(axes, records, "bits")
    axes.set_xlabel("epoch")
    best = min(records, key=lambda record: float(record["validation_bits"]))
    described = (
        f"{len(records)} epochs. The validation text needs fewest bits after epoch "
        f"{best['epoch']}: {best['validation_bits']:.3f} a character."
    )
    return render(figure, "bits", "Bits a character by epoch", described, Names())


def _need(records: Sequence[Mapping[str, Any]]) -> None:
    if not records:
        message = "found no epoch to draw, expected at least one"
        raise DataError(message)


def _draw(axes: Axes, records: Sequence[Mapping[str, Any]], measure: str) -> None:
    epochs = [record["epoch"] for record in records]
    ends = []
    for part, colour, line in (("train", ORANGE, (0, (4, 2))), ("validation", BLUE, "-")):
        values = [record[f"{part}_{measure}"] for record in records]
        axes.plot(epochs, values, color=colour, linestyle=line, linewidth=2.2)
        axes.plot(epochs, values, color=colour, linestyle="", marker="o", markersize=4.5)
        ends.append((values[-1], "training" if part == "train" else part, colour))
    axes.margins(x=0.03, y=0.12)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    label_ends(axes, ends)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)
