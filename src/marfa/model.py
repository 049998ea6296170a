"""What every loaded model is, whatever its task: a name, figures, an engine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from marfa import bundle as bundles
from marfa.bundle import Bundle
from marfa.errors import BundleError, MissingExtraError
from marfa.settings import ServeSettings


class Model:
    """What is common to the models that bundles hold; `Predictor` and `Writer` are the kinds.

    Args:
        bundle: a verified bundle.

    Attributes:
        task: "classifier" or "generator".
        name: of the run that it was made by.
        model_id: twelve hexadecimal digits that name its weights, codec and configuration.
        metrics: what was measured of it, as far as the bundle says.
        tolerance: how far the numbers of two engines may lie apart.

    Raises:
        BundleError: if the configuration is incomplete.
    """

    task = ""

    def __init__(self, bundle: Bundle) -> None:
        config = configuration(bundle)
        if config.get("task") != self.task:
            message = f"a model of the task {config.get('task')!r:.40}, expected {self.task!r}"
            raise BundleError(message, where=bundle.where)
        self.name = str(config["name"])
        self.model_id = bundle.model_id
        self.metrics: Mapping[str, Any] = _metrics(bundle)
        where = f"{bundle.where}: {bundles.MANIFEST}"
        self.tolerance = share({"tolerance": 1e-4, **bundle.manifest}, "tolerance", where)


def configuration(bundle: Bundle) -> dict[str, Any]:
    """Return a bundle's config.json, of which task, name and vocabulary are certain.

    Raises:
        BundleError: if it is incomplete.
    """
    config = bundle.json("config.json")
    match config:
        case {"task": str(), "name": str(), "vocabulary": int()}:
            return dict(config)
    message = "the configuration is incomplete"
    raise BundleError(message, where=f"{bundle.where}: config.json")


def share(document: Mapping[str, Any], name: str, where: str) -> float:
    """Return an entry that must be a number from 0 to 1.

    Raises:
        BundleError: if it is not.
    """
    value: Any = document.get(name)
    if type(value) not in {int, float} or not 0 <= value <= 1:  # NaN is not in there either
        message = f"{name} is {value!r:.40}, expected a number from 0 to 1"
        raise BundleError(message, where=where)
    return float(value)


def graph(bundle: Bundle, engine: str) -> tuple[str, bytes] | None:
    """Choose what ONNX Runtime is to run, if it is to run anything.

    Args:
        bundle: the bundle, whose manifest says whether eight bits lose nothing worth mention.
        engine: "auto" for the fastest of those that is installed, or "numpy", "onnx" or "int8".

    Returns:
        The engine's name and its graph, or None for numpy.

    Raises:
        BundleError: if the bundle holds no such graph.
        MissingExtraError: if ONNX Runtime is asked for and not installed.
        SettingsError: if there is no such engine.
    """
    ServeSettings(engine=engine)  # whose choices these are, and whose error
    installed = find_spec("onnxruntime") is not None
    if engine == "auto":
        names = ("int8", "onnx") if small(bundle).get("default") is True else ("onnx",)
        held = [name for name in names if installed and bundles.GRAPHS[name] in bundle.contents]
        engine = held[0] if held else "numpy"
    if engine == "numpy":
        return None
    found = bundle.contents.get(bundles.GRAPHS[engine])
    if found is None:
        message = f"the bundle holds no {bundles.GRAPHS[engine]} for the {engine} engine"
        raise BundleError(message, where=bundle.where, hint="--engine numpy")
    if not installed:
        message = f"the {engine} engine needs onnxruntime, which is not installed"
        raise MissingExtraError(message, hint="pip install 'marfa[serve]', or --engine numpy")
    return engine, found


def small(bundle: Bundle) -> Mapping[str, Any]:
    """Return what the manifest says of the graph in eight bits; nothing where it says nothing."""
    found = bundle.manifest.get("int8")
    return found if isinstance(found, dict) else {}


def _metrics(bundle: Bundle) -> Mapping[str, Any]:
    if "metrics.json" not in bundle.contents:
        return {}
    metrics = bundle.json("metrics.json")
    if not isinstance(metrics, dict) or not isinstance(metrics.get("summary", {}), dict):
        message = "expected an object, and an object under 'summary' if there is one"
        raise BundleError(message, where=f"{bundle.where}: metrics.json")
    return metrics
