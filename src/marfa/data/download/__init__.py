"""Fetch a file over a bad line: what has arrived once is not asked for again.

Run it again after anything (a dropped line, `kill -9`, a power cut) and it goes on from where it
was; the final name only ever holds bytes that were checked.

    address   which addresses are usable, how they are shown           pure
    resume    what to do with an answer, given what is on the disk     pure
    patience  how often to try again, how long to wait                 pure
    checks    what the finished file must be
    transfer  the one door to HTTP
    part      the unfinished file and the record beside it
    collect   the loop that puts them together
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from marfa.data.download.address import checked, shown
from marfa.data.download.checks import Checks, digests
from marfa.data.download.collect import Collector, Options, Progress, Say, no_news, no_progress
from marfa.data.download.part import Part
from marfa.data.download.resume import MIRROR, State
from marfa.errors import ChecksumError
from marfa.files import disk_error, lock

__all__ = ["Options", "download"]

_DEFAULTS = Options()


def download(
    url: str,
    target: Path,
    *,
    sha256: str = "",
    md5: str = "",
    size: int | None = None,
    on_progress: Progress = no_progress,
    say: Say = no_news,
    options: Options = _DEFAULTS,
) -> str:
    """Fetch an address into a file, going on from where an earlier call was interrupted.

    A file that is there and passes the checks is not fetched again; without any check given, that
    it is there is enough, since only this function puts it there. Beside the target lie `NAME.part`
    and `NAME.part.json` while it is unfinished, and `.lock`, which stays.

    Args:
        url: http or https; it may hold a user and password, which are sent and never shown.
        target: the final name; parent folders are made.
        sha256: SHA-256 of the whole in hexadecimal, if known.
        md5: MD5 of the whole in hexadecimal, for origins that publish no other.
        size: bytes of the whole, if known; saves reading a wrong file to its end.
        on_progress: called about ten times a second with the bytes at hand, the total (None when
            unknown), and the bytes per second.
        say: called with one line when there is news, such as why it starts over.
        options: patience, limits, and the way to the network.

    Returns:
        The SHA-256 of the file in hexadecimal.

    Raises:
        SettingsError: if the address, a digest or the size is malformed.
        ChecksumError: if the bytes are not the expected ones; they are removed.
        NetworkError: if the line or the server failed for good; what has come is kept.
        DataError: if the file is larger than allowed or announced.
        DiskFullError: if there is no room; what has come is kept.
        BusyError: if another process is fetching into the same folder.

    >>> download("file:///etc/hostname", Path("hostname"))
    Traceback (most recent call last):
    marfa.errors.SettingsError: file:///etc/hostname: not an http or https address
    """
    checked(url)
    checks = Checks(size, digests(sha256=sha256, md5=md5))
    if target.is_dir():
        error = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise disk_error(error, target)
    wanted = State(url=shown(url), expected=checks.expected, total=size)
    part = Part(target, wanted, clock=options.clock)
    with lock(target.parent):
        if found := _present(target, checks, say):
            part.discard()
            return found
        with part:
            Collector(url, part, checks, options, on_progress, say).collect()
        found, wrong = checks.inspect(part.path)
        if wrong:
            part.discard()
            hint = f"the bytes were removed; {MIRROR}"
            raise ChecksumError(wrong, where=shown(url), hint=hint)
        part.install(target)
        return found


def _present(target: Path, checks: Checks, say: Say) -> str:
    """Find the SHA-256 of a target that is there already and is right; empty otherwise."""
    if not target.is_file():
        return ""
    found, wrong = checks.inspect(target)
    if not wrong:
        return found
    say(f"{target.name} is there, but {wrong}: fetching it again")
    return ""
