"""What runs inside a training job, from SageMaker's files to a model that deploys as it is.

    /opt/ml/input/config/hyperparameters.json   what to train; every value is a text
    /opt/ml/input/config/resourceconfig.json    which machines train together, and which one this is
    /opt/ml/input/data/CHANNEL/                 the texts, or the numbers made of them, if they were sent
    /opt/ml/checkpoints/                        kept in S3 meanwhile, and put back after an interruption
    /opt/ml/model/                              becomes model.tar.gz: the bundle
    /opt/ml/output/data/                        becomes output.tar.gz: report, figures, history
    /opt/ml/output/failure                      why it failed

It may also be started by AWS's launcher, which makes flags and SM_* variables of the same, or by hand,
with SAGEMAKER_BASE_DIR in the place of /opt/ml.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from marfa import bundle, environment, files, hyperparameters
from marfa.console import Silence, Talk
from marfa.container import torchrun
from marfa.container.lines import Lines
from marfa.environment import Environment
from marfa.errors import DataError, MarfaError, StoppedError
from marfa.recipes import Settings

ROOT = Path("/opt/ml")
"""Where SageMaker puts what a job needs, and looks for what it leaves."""

CODE, PREPARED, EARLIER = "code", "prepared", "earlier"
"""Channels with a meaning of their own; any other brings texts."""

FAILURE_LIMIT = 1024
"""Characters of a failure that SageMaker shows."""

_SUMS = "SHA256SUMS"
_RESULTS = ("report.html", "metrics.json", "history.jsonl")
_STOPPED = "the same job, started again, goes on from its last checkpoint"


def main(arguments: Sequence[str] = (), talk: Talk | None = None) -> int:
    """Train a model as told, and leave it where SageMaker takes it from.

    Args:
        arguments: settings as flags; they win over those in SageMaker's files.
        talk: whom to tell; lines on stdout, which CloudWatch keeps, if not given.

    Returns:
        The exit code: 0 also after a stop that was asked for, since then all is saved.
    """
    talk = talk or Lines(sys.stdout)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        return _main(arguments, environment.read(), talk)
    except StoppedError as error:
        talk.say(f"{error.what}; {_STOPPED}")
        return 0
    except MarfaError as error:
        return failed(f"{error}. {error.hint}" if error.hint else str(error))
    except Exception as error:  # noqa: BLE001 - the last door: what is not foreseen is told as well
        at = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {Path(at.filename).name}, line {at.lineno}"
        return failed(f"something that should not happen did: {what}")


def failed(why: str) -> int:
    """Tell SageMaker, and whoever reads the log, why a job failed.

    Args:
        why: a sentence or two.

    Returns:
        The exit code.
    """
    place = _root(environment.read()) / "output" / "failure"
    with contextlib.suppress(MarfaError, OSError):  # the log has it in any case
        files.write_bytes(place, why[:FAILURE_LIMIT].encode())
    sys.stderr.write(f"marfa: {why}\n")
    sys.stderr.flush()
    return 1


def _root(snapshot: Environment) -> Path:
    return Path(snapshot.base_dir) if snapshot.base_dir else ROOT


def _stop(number: int, frame: FrameType | None) -> None:
    sys.stdout.write(f"asked to stop; {_STOPPED}\n")
    sys.exit(0)


def _main(arguments: Sequence[str], snapshot: Environment, talk: Talk) -> int:
    root = _root(snapshot)
    settings = _settings(root, arguments, snapshot)
    crew = torchrun.crew(_document(root / "input/config/resourceconfig.json"))
    if crew.size > 1 and snapshot.processes[1] == 1:
        return torchrun.launch(crew, arguments, talk)
    _train(settings, root, talk, is_first=snapshot.processes[0] == 0)
    return 0


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = files.read_json(path)
    if not isinstance(found, dict):
        message = f"expected an object, found {type(found).__name__}"
        raise DataError(message, where=str(path))
    return found


def _settings(root: Path, arguments: Sequence[str], snapshot: Environment) -> Settings:
    """Decide what is trained, and where its texts are."""
    given: dict[str, Any] = {}
    if snapshot.hyperparameters:
        try:
            given |= dict(json.loads(snapshot.hyperparameters))
        except (ValueError, TypeError):
            message = "expected an object of JSON"
            raise DataError(message, where="SM_HPS") from None
    given |= _document(root / "input/config/hyperparameters.json")
    given |= hyperparameters.flags(arguments)
    rank, _ = snapshot.processes
    here: dict[str, Any] = {
        # each process has a folder of its own, as if each had a machine of its own
        "workdir": str(
            Path(tempfile.gettempdir()) / (f"marfa-work-{rank}" if rank else "marfa-work")
        ),
        "checkpoints": str(root / "checkpoints"),
    }
    channels = root / "input" / "data"
    if (channels / EARLIER).is_dir():
        here["from"] = str(channels / EARLIER / "model.tar.gz")
    texts = _texts(channels)
    if texts is not None:
        here |= _where(texts, hyperparameters.read(given).data.data)
    return hyperparameters.read(given, here, snapshot.settings)


def _texts(channels: Path) -> Path | None:
    """Return the channel that brings texts, if one does."""
    own = {CODE, PREPARED, EARLIER}
    found = sorted(each for each in channels.glob("*") if each.is_dir() and each.name not in own)
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        message = f"expected one channel of texts, found {names}"
        raise DataError(message, where=str(channels))
    return found[0] if found else None


def _where(texts: Path, named: str) -> dict[str, str]:
    """Say what the texts of a channel are: a mirror of a data set, a file of one's own, or a folder."""
    if (texts / _SUMS).is_file():
        return {"mirror": str(texts)}
    if (texts / Path(named).name).exists():
        return {"data": str(texts / Path(named).name)}
    found = [each for each in texts.iterdir() if not each.name.startswith(".")]
    if not found:
        message = "the channel is empty"
        raise DataError(message, where=str(texts), hint="is the address of its texts in S3 right?")
    return {"data": str(found[0] if len(found) == 1 else texts)}


def _train(settings: Settings, root: Path, talk: Talk, *, is_first: bool) -> None:
    from marfa.stages.evaluate import evaluate
    from marfa.stages.fetch import fetch
    from marfa.stages.package import package
    from marfa.stages.prepare import prepare
    from marfa.stages.train import train

    talk = talk if is_first else Silence()
    prepared = root / "input" / "data" / PREPARED
    if prepared.is_dir():
        shutil.copytree(prepared, settings.folder / "dataset", dirs_exist_ok=True)
    else:
        fetch(settings, talk)
        prepare(settings, talk)
    train(settings, talk)
    if is_first:
        evaluate(settings, talk)
        package(settings, talk)
        _deliver(settings, root)
        talk.say("done: the model is where SageMaker takes it from")


def _deliver(settings: Settings, root: Path) -> None:
    """Put the bundle, its manifest last, and what tells of it where SageMaker takes them from."""
    packed = bundle.load(settings.model_file)
    for name in sorted(packed.contents):
        files.write_bytes(root / "model" / name, packed.contents[name])
    files.write_bytes(root / "model" / bundle.MANIFEST, files.to_json(packed.manifest))
    for name in _RESULTS:
        files.write_bytes(
            root / "output" / "data" / name, (settings.run_folder / name).read_bytes()
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
