"""fetch: the raw texts, from their origin or a mirror, never trusted before the hash."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from marfa import files, record
from marfa.console import Silence, Talk
from marfa.data import source
from marfa.data.download import Options, download
from marfa.data.origins import ORIGINS, Origin
from marfa.errors import ChecksumError, DataError, NetworkError
from marfa.recipes import Settings

STAGE = "fetch"
SUMS = "SHA256SUMS"
_SUMS_LIMIT = 1 << 20
_ATTEMPTS = 5
"""Without a byte of progress; they take a quarter of a minute, then running again resumes."""


def fetch(settings: Settings, talk: Talk | None = None) -> dict[str, Any]:
    """Bring the raw texts to the work folder, or say that there is nothing to bring.

    Args:
        settings: `data` says what, `mirror` and `offline` say from where.
        talk: whom to tell; nobody if not given.

    Returns:
        Where the file is, its size and SHA-256, and whether it was there already.

    Raises:
        NetworkError: if it cannot be had; running again resumes.
        ChecksumError: if what came is not what was expected.
        DataError: if a mirror lacks the file or its hash.
    """
    talk = talk or Silence()
    origin = ORIGINS.get(settings.data.data)
    if origin is None:
        talk.say(f"fetch: nothing to fetch, the texts are {settings.data.data}")
        return {"file": settings.data.data, "bytes": None, "sha256": None, "kept": True}
    target = source.archive(settings)
    with files.lock(target.parent.parent):  # the download locks the folder of its target itself
        if record.is_done(target.parent, STAGE, {}, {}):
            talk.say(f"fetch: {target} is there and whole")
            return _result(target, origin, kept=True)
        kept = target.is_file() and files.hash_file(target, origin.algorithm) == origin.digest
        if not kept:
            _bring(settings, origin, target, talk)
        sums = target.parent / SUMS  # so that this folder is a mirror for the next machine
        files.write_bytes(sums, f"{files.hash_file(target)}  {target.name}\n".encode())
        record.write(target.parent, STAGE, {}, {}, [target, sums])
    return _result(target, origin, kept=kept)


def _result(target: Path, origin: Origin, *, kept: bool) -> dict[str, Any]:
    return {
        "file": str(target),
        "bytes": target.stat().st_size,
        "sha256": files.hash_file(target),
        "kept": kept,
        "cite": origin.cite,
    }


def _bring(settings: Settings, origin: Origin, target: Path, talk: Talk) -> None:
    mirror, offline = settings.place.mirror, settings.place.offline
    is_url = mirror.startswith(("http://", "https://"))
    if mirror and not is_url:
        _copy(Path(mirror), target, talk)
        return
    if offline:
        message = f"{target.name} is not here, and the network is forbidden"
        raise NetworkError(
            message,
            where=str(target),
            hint="give a folder that holds it: --mirror DIR, or use --data sample",
        )
    if is_url:
        url = mirror.rstrip("/") + "/"
        sums = _parse_sums(_small(url + SUMS), url + SUMS)
        _download(url + target.name, target, talk, sha256=_sum_of(sums, target.name, url))
    else:
        _download(origin.url, target, talk, sha256=origin.sha256, md5=origin.md5, size=origin.size)


def _download(
    url: str,
    target: Path,
    talk: Talk,
    *,
    sha256: str = "",
    md5: str = "",
    size: int | None = None,
) -> None:
    with talk.bar(f"fetching {target.name}", None, "B") as bar:

        def show(done: int, total: int | None, rate: float) -> None:
            bar.update(done, total=total)

        download(
            url,
            target,
            sha256=sha256,
            md5=md5,
            size=size,
            on_progress=show,
            say=talk.warn,
            options=Options(attempts=_ATTEMPTS),
        )


def _copy(folder: Path, target: Path, talk: Talk) -> None:
    """Copy from a folder, through the hash that the folder's SHA256SUMS names."""
    if not folder.is_dir():
        message = "no such folder"
        raise NetworkError(message, where=str(folder), hint="--mirror takes a folder or a URL")
    origin, sums_file = folder / target.name, folder / SUMS
    if not origin.is_file():
        message = f"the mirror does not hold {target.name}"
        raise NetworkError(message, where=str(folder), hint="check --mirror or MARFA_MIRROR")
    if not sums_file.is_file():
        raise _without_sums(str(folder))
    text = sums_file.read_text(encoding="utf-8", errors="replace")
    expected = _sum_of(_parse_sums(text, str(sums_file)), target.name, str(folder))
    size, done, digest = origin.stat().st_size, 0, hashlib.sha256()
    with (
        open(origin, "rb") as file,
        files.lock(target.parent),
        talk.bar(f"copying {target.name}", size, "B") as bar,
        files.atomic(target) as out,
    ):
        while chunk := file.read(files.CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            bar.update(done)
        if digest.hexdigest() != expected:
            message = f"SHA-256 is {digest.hexdigest()}, the mirror's {SUMS} says {expected}"
            hint = "copy the file to the mirror again"
            raise ChecksumError(message, where=str(origin), hint=hint)


def _small(url: str) -> str:
    """Read a short text over HTTP."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http(s) checked above
            return str(answer.read(_SUMS_LIMIT).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise _without_sums(url) from None
        message = f"the mirror answered {error.code}"
        raise NetworkError(message, where=url, hint="run the same command again") from None
    except OSError as error:
        message = f"the mirror cannot be reached: {getattr(error, 'reason', error)}"
        raise NetworkError(message, where=url, hint="run the same command again") from error


def _parse_sums(text: str, where: str) -> dict[str, str]:
    r"""Read lines of `<hash>  <name>`, as sha256sum writes them.

    >>> _parse_sums("ab" * 32 + "  a.txt\n", "SHA256SUMS") == {"a.txt": "ab" * 32}
    True
    """
    sums = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or digest.strip("0123456789abcdefABCDEF"):
            message = f"line {number} is not '<sha256>  <name>'"
            raise DataError(message, where=where)
        sums[name.strip().removeprefix("*").removeprefix("./")] = digest.lower()
    return sums


def _sum_of(sums: dict[str, str], name: str, mirror: str) -> str:
    if name not in sums:
        message = f"the mirror's {SUMS} has no hash of {name}"
        raise DataError(message, where=mirror, hint=f"in that folder: sha256sum * > {SUMS}")
    return sums[name]


def _without_sums(mirror: str) -> DataError:
    message = f"the mirror has no {SUMS}, so nothing there can be checked"
    return DataError(message, where=mirror, hint=f"in that folder: sha256sum * > {SUMS}")
