"""The binary frames of AWS's event streams, as far as a streamed answer of SageMaker needs them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping

KIND = "application/vnd.amazon.eventstream"

_TEXT = 7
"""The type of a header whose value is a text."""


def part(content: bytes) -> bytes:
    """Write a piece of a streamed answer.

    >>> len(part(b"harbour"))
    112
    """
    headers = {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    return frame(headers, content)


def failure(message: str, code: str) -> bytes:
    """Write that a stream has broken off.

    Args:
        message: what happened, in words.
        code: "StreamBroken" or "ModelInvocationTimeExceeded".
    """
    headers = {
        ":exception-type": "ModelStreamError",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(headers, json.dumps({"Message": message, "ErrorCode": code}).encode())


def frame(headers: Mapping[str, str], content: bytes) -> bytes:
    """Write one frame: lengths with their checksum, headers, content, and the checksum of all.

    Args:
        headers: texts by name.
        content: the bytes.
    """
    written = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack(">II", len(written) + len(content) + 16, len(written))
    begun = lengths + struct.pack(">I", zlib.crc32(lengths)) + written + content
    return begun + struct.pack(">I", zlib.crc32(begun))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode("ascii"), value.encode()
    return bytes([len(key)]) + key + struct.pack(">BH", _TEXT, len(text)) + text
