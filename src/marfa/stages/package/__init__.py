"""package: a trained run becomes one file that answers anywhere, byte-identical for equal input."""

from __future__ import annotations

import json
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from marfa import __version__, archives, bundle, files, loading, portable, record
from marfa.bundle import Bundle
from marfa.console import Silence, Talk
from marfa.container import golden
from marfa.errors import BundleError
from marfa.evaluation import card
from marfa.recipes import ClassifierSettings, GeneratorSettings, Settings
from marfa.settings import outcome
from marfa.stages.package import classifier, generator, page

STAGE = "package"
TOLERANCE = 1e-4
"""How far two engines' probabilities may lie apart; measured differences are below 1e-6."""

_INFERENCE = '''"""SageMaker's entry point: the four functions that its containers call."""

from marfa.container.handler import input_fn, model_fn, output_fn, predict_fn

__all__ = ["input_fn", "model_fn", "output_fn", "predict_fn"]
'''


def package(settings: Settings, talk: Talk | None = None) -> dict[str, Any]:
    """Make model.tar.gz of a trained run, and prove that it answers.

    Args:
        settings: they say which run.
        talk: whom to tell; nobody if not given.

    Returns:
        The file, its size and SHA-256, the model's name, and how many golden requests it passed.

    Raises:
        DataError: if nothing has been trained or evaluated.
        BundleError: if the bundle does not answer as it should.
    """
    talk = talk or Silence()
    folder, run, target = settings.folder, settings.run_folder, settings.model_file
    command = settings.command
    inputs = record.outputs(folder / "dataset", "prepare", hint=command("prepare"))
    inputs |= record.outputs(run, "train", inputs, hint=command("train"))
    inputs |= record.outputs(run, "evaluate", inputs, hint=command("evaluate"))
    match settings:
        case ClassifierSettings() | GeneratorSettings():
            deciding = outcome(settings.package)
    with files.lock(target.parent):
        if record.is_done(target.parent, STAGE, inputs, deciding):
            talk.say(f"package: nothing has changed, {target} is kept")
            loaded = bundle.load(target)
            return _result(target, loaded, _prove(loaded, talk))
        record.forget(target.parent, STAGE)
        match settings:
            case ClassifierSettings():
                network, extra = classifier.contents(
                    folder / "dataset", run, settings.package, talk
                )
            case GeneratorSettings():
                network, extra = generator.contents(folder / "dataset", run, settings.package, talk)
        contents = _contents(folder / "dataset", run, network, extra, talk)
        made = bundle.verify(contents, "the new bundle")
        passed = _prove(made, talk)
        archives.write_tar_gz(target, contents)
        record.write(target.parent, STAGE, inputs, deciding, [target])
    return _result(target, made, passed)


def _contents(
    prepared: Path, run: Path, network: dict[str, bytes], extra: dict[str, Any], talk: Talk
) -> dict[str, bytes]:
    """Put what every bundle holds beside a task's configuration, weights and graphs."""
    config = json.loads(network["config.json"])
    metrics = files.read_json(run / "metrics.json")
    codec = files.read_json(prepared / "codec.json")
    contents = {
        **network,
        "codec.json": files.to_json(codec),
        "metrics.json": files.to_json(metrics),
        "README.md": card.write(config, metrics).encode(),
        "code/inference.py": _INFERENCE.encode(),
        "code/requirements.txt": _requirements(codec).encode(),
    }
    contents |= {
        f"code/marfa/{name}": each for name, each in portable.read(portable.BUNDLE).items()
    }
    entries = {
        "task": config["task"],
        "tolerance": TOLERANCE,
        "settings": files.hash_json({key: config[key] for key in ("model", "train", "data")}),
        "versions": {"marfa": __version__}
        | {name: metadata.version(name) for name in ("numpy", "onnx", "torch")},
        **extra,
    }
    draft = Bundle({"model": bundle.model_id(contents), **entries}, contents, "the new bundle")
    entries |= page.measured(draft, prepared, talk)
    contents["golden.jsonl"] = golden.record(loading.of(draft, engine="numpy"))
    if "model.int8.onnx" in contents and not _answers(draft, "int8"):
        # one of the golden texts is hardly more of one label than of another
        talk.warn("package: eight bits answer a golden request otherwise, so they are not packaged")
        del contents["model.int8.onnx"]
        entries["int8"] = {**entries["int8"], "default": False}
    return bundle.seal(contents, entries)


def _requirements(codec: dict[str, Any]) -> str:
    lines = ["numpy>=2"]
    if codec["text"].get("stem", "none") != "none":
        lines.append(f"snowballstemmer=={metadata.version('snowballstemmer')}")
    return "\n".join(lines) + "\n"


def _answers(draft: Bundle, engine: str) -> bool:
    try:
        golden.replay(loading.of(draft, engine), draft.contents["golden.jsonl"])
    except BundleError:
        return False
    return True


def _prove(loaded: Bundle, talk: Talk) -> dict[str, int]:
    """Ask every golden request of every engine, before the file gets its name."""
    engines = [name for name, file in bundle.GRAPHS.items() if file in loaded.contents]
    if find_spec("onnxruntime") is None:
        talk.warn("package: onnxruntime is not installed, so only the numpy engine was asked")
        engines = []
    recorded = loaded.contents["golden.jsonl"]
    return {
        engine: golden.replay(loading.of(loaded, engine), recorded)
        for engine in ("numpy", *engines)
    }


def _result(target: Path, packaged: Bundle, passed: dict[str, int]) -> dict[str, Any]:
    return {
        "file": str(target),
        "bytes": target.stat().st_size,
        "sha256": files.hash_file(target),
        "model": packaged.model_id,
        "golden": passed,
    }
