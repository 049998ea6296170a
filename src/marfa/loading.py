"""From a path, or a bundle, to the model that it holds, of whichever task."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from marfa import bundle as bundles
from marfa.bundle import Bundle
from marfa.errors import BundleError
from marfa.model import configuration
from marfa.predictor import Predictor
from marfa.writer import Writer

M = TypeVar("M", Predictor, Writer)

KINDS: dict[str, type[Predictor] | type[Writer]] = {Predictor.task: Predictor, Writer.task: Writer}


def load(path: str | Path, *, engine: str = "auto", threads: int = 1) -> Predictor | Writer:
    """Load a model.

    Args:
        path: a model.tar.gz, or a folder with its files.
        engine: "auto", "numpy", "onnx" or "int8".
        threads: CPU threads for one call.

    Returns:
        The model, verified: a `Predictor` that judges texts, or a `Writer` that writes them.

    Raises:
        BundleError: if it is incomplete, altered or of another version.
        SettingsError: if there is no such engine.

    >>> load("work/sentiment/model.tar.gz").predict(["A gem."])   # doctest: +SKIP
    ['positive']
    >>> load("work/shakespeare/model.tar.gz").generate("My lord, ")   # doctest: +SKIP
    'My lord, ...'
    """
    return of(bundles.load(Path(path)), engine, threads)


def of(bundle: Bundle, engine: str = "auto", threads: int = 1) -> Predictor | Writer:
    """Return the model that a verified bundle holds.

    Raises:
        BundleError: if its task is none that this marfa knows, or its parts do not fit.
    """
    task = configuration(bundle)["task"]
    if task not in KINDS:
        message = f"a model of the task {task!r:.40}; this marfa knows {', '.join(KINDS)}"
        raise BundleError(message, where=bundle.where, hint="install a newer marfa")
    return KINDS[task](bundle, engine, threads)


def predictor(path: str | Path, engine: str = "auto") -> Predictor:
    """Load a model that judges texts.

    Raises:
        BundleError: if it is no such model.
    """
    return _of_kind(path, engine, Predictor, "it judges no texts; it writes them: marfa generate")


def writer(path: str | Path, engine: str = "auto") -> Writer:
    """Load a model that writes text.

    Raises:
        BundleError: if it is no such model.
    """
    return _of_kind(path, engine, Writer, "it writes no text; it judges texts: marfa predict")


def _of_kind(path: str | Path, engine: str, kind: type[M], hint: str) -> M:
    found = load(path, engine=engine)
    if isinstance(found, kind):
        return found
    message = f"a model of the task {found.task!r}, expected {kind.task!r}"
    raise BundleError(message, where=str(path), hint=hint)
