"""The wheels that a Lambda function brings along: fetched by pip, and never trusted before the hash.

`wheels.txt` lists them as `sha256sum` does, so that a folder of them can be checked by hand too.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from marfa import files
from marfa.console import Silence, Talk
from marfa.errors import ChecksumError, DataError, MissingExtraError, NetworkError

PYTHON = "3.13"
"""Of Lambda's runtime, which the wheels are for."""

_PROCESSORS = {"arm64": "aarch64", "x86_64": "x86_64"}
"""Wheels' names for processors, by Lambda's."""

_LIMIT = 200 << 20
"""Bytes of a wheel at most, unpacked; Lambda takes 250 MB in all."""

_PIP = (sys.executable, "-m", "pip")


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel.

    Attributes:
        file: its name, which says what it is and what it is for.
        sha256: its hash in hexadecimal.
    """

    file: str
    sha256: str

    @property
    def requirement(self) -> str:
        """Return what it is, as pip is asked for it.

        >>> Wheel("snowballstemmer-3.1.1-py3-none-any.whl", "0a1b").requirement
        'snowballstemmer==3.1.1'
        """
        name, version = self.file.split("-")[:2]
        return f"{name}=={version}"

    @property
    def _target(self) -> list[str]:
        """Return pip's options for the host that it is for, which is not this one."""
        python, abi, platforms = self.file.removesuffix(".whl").split("-")[2:]
        if platforms == "any":
            return []
        platform = platforms.split(".")[-1]
        return [
            *("--python-version", PYTHON, "--implementation", python[:2]),
            *("--abi", abi, "--platform", platform),
        ]


def listed() -> Iterator[Wheel]:
    """Yield all wheels."""
    text = resources.files("marfa").joinpath("aws/wheels.txt").read_text(encoding="ascii")
    for line in text.splitlines():
        sha256, file = line.split()
        yield Wheel(file, sha256)


def numpy(architecture: str) -> Wheel:
    """Return the wheel of numpy for a processor, as Lambda names it.

    >>> numpy("arm64").requirement == numpy("x86_64").requirement
    True
    """
    end = f"_{_PROCESSORS[architecture]}.whl"
    return next(
        wheel for wheel in listed() if wheel.file.startswith("numpy-") and wheel.file.endswith(end)
    )


def stemmer() -> Wheel:
    """Return the wheel of snowballstemmer, which is for any processor."""
    return next(wheel for wheel in listed() if wheel.file.startswith("snowballstemmer-"))


def fetch(wheel: Wheel, folder: Path, talk: Talk | None = None, pip: Sequence[str] = _PIP) -> bytes:
    """Return a wheel, from a folder that has it already, or else from wherever pip gets packages.

    Args:
        wheel: which one.
        folder: where wheels are kept; it is made.
        talk: whom to tell; nobody if not given.
        pip: the command.

    Returns:
        Its bytes, whose hash is the one that is listed.

    Raises:
        NetworkError: if pip cannot get it.
        ChecksumError: if it gets something else.
        MissingExtraError: if there is no pip.
        BusyError: if another process is fetching into this folder.
    """
    path = folder / wheel.file
    found = kept(wheel, folder)
    if found is not None:
        return found
    with files.lock(folder):
        if pip is _PIP and find_spec("pip") is None:
            message = "pip is needed to fetch numpy for Lambda, and is not installed"
            raise MissingExtraError(message, hint=f"{sys.executable} -m ensurepip")
        (talk or Silence()).say(f"fetching {wheel.requirement} for Lambda")
        _download(wheel, path, pip)
    found = kept(wheel, folder)
    if found is None:
        path.unlink(missing_ok=True)
        message = f"what pip got is not the wheel with SHA-256 {wheel.sha256}"
        raise ChecksumError(message, where=str(path), hint="check which index pip asks")
    return found


def kept(wheel: Wheel, folder: Path) -> bytes | None:
    """Return a wheel that is in a folder already, or None where it is not, or is not the right one."""
    path = folder / wheel.file
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.disk_error(error, path) from error
    return content if hashlib.sha256(content).hexdigest() == wheel.sha256 else None


def _download(wheel: Wheel, path: Path, pip: Sequence[str]) -> None:
    """Let pip fetch into a folder of its own, and move what it got to its place."""
    aside = path.with_name(".pip")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
    wanted = aside / "wanted.txt"
    files.write_bytes(wanted, f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n".encode())
    command = [
        *(*pip, "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"),
        *("--disable-pip-version-check", "--no-input", *wheel._target),  # noqa: SLF001
        *("--dest", str(aside), "--requirement", str(wanted)),
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    got = aside / wheel.file
    if done.returncode or not got.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        message = f"pip could not get {wheel.requirement}: {said[-1] if said else 'no reason told'}"
        hint = (
            f"check the line, then run the same command again; or put the file into {path.parent}"
        )
        raise NetworkError(message, where=wheel.file, hint=hint)
    files.write_bytes(path, got.read_bytes())
    shutil.rmtree(aside, ignore_errors=True)


def members(content: bytes, where: str) -> dict[str, bytes]:
    """Read the files in a wheel.

    Args:
        content: the wheel's bytes.
        where: its name, for messages.

    Returns:
        Content by name.

    Raises:
        DataError: if it is no zip, is damaged, is too large, or holds a name that would lead elsewhere.
    """
    found: dict[str, bytes] = {}
    left = _LIMIT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():
                if entry.is_dir():
                    continue
                name, left = entry.filename, left - entry.file_size
                if left < 0 or name in found or not _is_plain(name):
                    message = f"{name!r} stands in it twice, leads elsewhere, or is too large"
                    raise DataError(message, where=where)
                found[name] = packed.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        message = "damaged, or no wheel"
        raise DataError(message, where=where) from error
    return found


def _is_plain(name: str) -> bool:
    """Say whether a name stays in the folder that it is unpacked to, on every system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not set(name) & set("\\:\0") and not {"..", "/"} & set(parts)
