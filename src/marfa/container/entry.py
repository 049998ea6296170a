"""How training begins in a container that knows nothing of marfa: with this file, and Python alone.

It is the start of the one zip that is sent to a training job, `python marfa.zip`, and it is the
`train.py` beside the package for AWS's own launcher. It unpacks the code, installs what is missing, and
hands over. Python is the first process of the container and stays so: a shell in between would keep
SageMaker's signal to itself.
"""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

CODE = "code.tar.bz2"
"""The package within the zip: packed as one, it takes half the bytes of files packed one by one."""

_PIP = ("install", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore")


def main() -> int:
    """Train as the arguments and SageMaker's files say.

    Returns:
        The exit code.
    """
    for number in (signal.SIGTERM, signal.SIGINT):  # a first process without a handler gets neither
        signal.signal(number, _stop)
    here = Path(__file__).resolve().parent
    if here.is_file():
        home = _unpacked(here)
    elif (here / "marfa").is_dir():
        home = here
    else:  # within the package itself
        home = here.parents[1]
    if str(home) not in sys.path:
        sys.path.insert(0, str(home))
    from marfa.container.training import failed
    from marfa.container.training import main as train

    if find_spec("torch") is None:
        return failed(
            "there is no torch in this container; choose an image of PyTorch for training"
        )
    wanted = (home / "marfa/container/requirements.txt").read_text(encoding="utf-8")
    if refused := _install([line for line in wanted.split() if _is_missing(line)]):
        return failed(refused)
    return train(sys.argv[1:])


def _unpacked(archive: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="marfa-"))
    with zipfile.ZipFile(archive) as packed:
        code = io.BytesIO(packed.read(CODE))
    with tarfile.open(fileobj=code, mode="r:bz2") as tar:
        for (
            entry
        ) in tar:  # our own files; to take all at once safely needs a later Python than 3.11.0
            place, content = folder / entry.name, tar.extractfile(entry)
            assert content is not None
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.read())
    return folder


def _is_missing(requirement: str) -> bool:
    """Say whether a library is not there, or of an earlier major version (of 0.x: a minor one)."""
    name, _, wanted = requirement.partition("==")
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return True
    return _series(found) < _series(wanted)


def _series(version: str) -> tuple[int, int]:
    """Return what changes when a library breaks with its past.

    >>> _series("2.4.6"), _series("0.8.0")
    ((2, 0), (0, 8))
    """
    major, minor = (*version.split("."), "0")[:2]
    return int(major), 0 if int(major) else int(minor)


def _install(missing: list[str]) -> str:
    """Install libraries into this container; return why it could not be done, or nothing."""
    if not missing:
        return ""
    sys.stdout.write(f"installing {', '.join(missing)}\n")
    sys.stdout.flush()
    done = subprocess.run([sys.executable, "-m", "pip", *_PIP, *missing], check=False)
    if done.returncode == 0:
        return ""
    return (
        f"the libraries {', '.join(missing)} are not in this container and could not be installed; "
        "the job needs a way to the package index, or an image that has them"
    )


def _stop(number: int, frame: FrameType | None) -> None:
    sys.stdout.write("asked to stop before training began; nothing is lost\n")
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
