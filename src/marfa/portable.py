"""The parts of marfa that travel: what answers in a bundle, in a Lambda function, before an endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

BUNDLE = (
    *("__init__.py", "archives.py", "bundle.py", "errors.py", "explaining.py", "files.py"),
    *("loading.py", "model.py", "predictor.py", "py.typed", "writer.py"),
    *("container/__init__.py", "container/continuation.py", "container/contract.py"),
    *("container/golden.py", "container/handler.py", "container/judging.py"),
    *("container/messages.py", "container/negotiation.py", "container/questions.py"),
    *("container/routing.py", "container/writing.py"),
    *(
        "engines/__init__.py",
        "engines/cells.py",
        "engines/numpy_engine.py",
        "engines/numpy_writer.py",
    ),
    *("engines/onnx_check.py", "engines/onnx_engine.py", "engines/onnx_session.py"),
    *(
        "engines/onnx_writer.py",
        "engines/sampling.py",
        "engines/weights.py",
        "settings/__init__.py",
    ),
    *("settings/classifier.py", "settings/cloud.py", "settings/common.py"),
    *("settings/declare.py", "settings/generator.py", "settings/job.py"),
    *("text/__init__.py", "text/alphabet.py", "text/clean.py", "text/codec.py"),
    *("text/porter.py", "text/scripts.py", "text/spans.py", "text/stopwords.py", "text/vocab.py"),
    "text/words.py",
)
"""What answers, and needs numpy alone; it travels in every bundle, as its `code/marfa`."""

_FRONT = (
    *("container/front.py", "container/gateway.py", "container/noting.py", "container/pages.py"),
    "container/styles.py",
)

FUNCTION = (
    *BUNDLE,
    *_FRONT,
    *("environment.py", "container/function.py", "container/openapi.py", "container/own.py"),
    "container/tally.py",
    *("engines/page_weights.py", "engines/rounding.py"),
    *("container/openapi_judging.py", "container/openapi_writing.py"),
)
"""What answers in a Lambda function, beside the bundle; without the page's files."""

PROXY = (
    *("__init__.py", "environment.py", "errors.py"),
    *("container/__init__.py", "container/messages.py", "container/routing.py"),
    *_FRONT,
    *("proxy/__init__.py", "proxy/endpoint.py", "proxy/handler.py"),
    *("settings/__init__.py", "settings/classifier.py", "settings/cloud.py"),
    *("settings/common.py", "settings/declare.py", "settings/generator.py", "settings/job.py"),
)
"""What stands before an endpoint; it needs boto3 alone, which is in Lambda's runtime."""

_ROOMS = ("data", "engines", "evaluation", "models", "settings", "text")
_STAGES = ("fetch", "prepare", "train", "evaluate", "package")
_JOB = tuple(
    f"container/{name}" for name in ("client.py", "entry.py", "lines.py", "requirements.txt")
)
_JOB += ("container/own.py", "container/training.py", "container/torchrun.py")


def read(names: Iterable[str]) -> dict[str, bytes]:
    """Return files of this marfa by their names in the package.

    >>> sorted(read(["py.typed"]))
    ['py.typed']
    """
    package = resources.files("marfa")
    return {name: package.joinpath(name).read_bytes() for name in names}


def web() -> dict[str, bytes]:
    """Return the files of the page, by their names in the package."""
    folder = resources.files("marfa").joinpath("web")
    return {f"web/{file.name}": file.read_bytes() for file in folder.iterdir() if file.is_file()}


def job(*, sample: bool = False) -> dict[str, bytes]:
    """Return what trains a model from its texts, by its names in the package.

    Args:
        sample: with the texts of the sample, which nothing else needs.

    >>> {"stages/train/here.py", "container/training.py"} <= set(job()), "aws/client.py" in job()
    (True, False)
    """
    package = Path(str(resources.files("marfa")))
    rooms = [package / room for room in _ROOMS]
    stages = [package / "stages" / name for name in _STAGES]
    found = {*BUNDLE, *_JOB, "stages/__init__.py"} | ({"data/sample.jsonl"} if sample else set())
    found |= {each.name for each in package.glob("*.py")}
    for file in (file for folder in [*rooms, *stages] for file in folder.rglob("*.py")):
        found.add(file.relative_to(package).as_posix())
    found |= {f"stages/{name}.py" for name in _STAGES if (package / f"stages/{name}.py").is_file()}
    return read(sorted(found))
