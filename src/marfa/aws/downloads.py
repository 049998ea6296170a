"""Fetching from the bucket: a cut costs at most one piece, and what has come is not asked for again."""

from __future__ import annotations

from pathlib import Path

from marfa.aws.bucket import Bucket
from marfa.console import Talk
from marfa.errors import ChecksumError, GoneError
from marfa.files import disk_error

PIECE = 4 << 20
"""Bytes of one request."""

_END = ".part"


def fetch(bucket: Bucket, key: str, target: Path, talk: Talk, *, piece: int = PIECE) -> bool:
    """Bring an object, going on where an earlier process was cut off.

    Args:
        bucket: where it is.
        key: its name there.
        target: the file to write.
        talk: whom to show the progress.
        piece: bytes of one request.

    Returns:
        Whether there is such an object; nothing is written where there is none.

    Raises:
        NetworkError: if the line fails; the same command goes on.
        ChecksumError: if it changes meanwhile.
        MarfaError: if the file cannot be written.
    """
    try:
        found = bucket.call("head_object", Key=key)
    except GoneError:
        return False
    size, tag = int(found["ContentLength"]), str(found["ETag"])
    part = _part(target, tag)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob(f".{target.name}.*{_END}"):
            if old != part:  # of another object that was there before
                old.unlink()
        with open(part, "ab") as file, talk.bar(f"fetching {target.name}", size, "B") as bar:
            done = file.tell()
            content = b"-"
            while done < size and content:
                last = min(done + piece, size) - 1
                _, content = bucket.content(
                    "get_object", Key=key, Range=f"bytes={done}-{last}", IfMatch=tag
                )
                file.write(content)
                file.flush()
                done += len(content)
                bar.update(done)
        if part.stat().st_size != size:
            part.unlink()
            message = f"{done:,} bytes came, expected {size:,}"
            raise ChecksumError(message, where=key, hint="run the same command again")
        part.replace(target)
    except OSError as error:
        raise disk_error(error, target) from error
    return True


def _part(target: Path, tag: str) -> Path:
    """Return where a half of it is kept, under a name that says of which object."""
    plain = "".join(letter for letter in tag if letter.isalnum())[:16]
    return target.with_name(f".{target.name}.{plain}{_END}")
