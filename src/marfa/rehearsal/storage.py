"""S3 on this machine, as far as an upload needs it: objects, parts, and the journal of the parts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from marfa.errors import GoneError, NetworkError

_PIECE = 1 << 14


@dataclass
class _Upload:
    key: str
    wanted: Mapping[str, Any]
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    parts: dict[int, bytes] = field(default_factory=dict)


class Storage:
    """Keeps objects, and takes them as S3 does: whole or not at all.

    Attributes:
        received: bytes that have come in, those of a broken attempt too.
        cut_after: so many further bytes come in, then the line is cut, once; None for never.
    """

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, Mapping[str, Any]]] = {}
        self._uploads: dict[str, _Upload] = {}
        self.received = 0
        self.cut_after: int | None = None

    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            GoneError: if there is none of this name.
        """
        if key not in self._objects:
            message = "The specified key does not exist."
            raise GoneError(message, where=key, code="NoSuchKey")
        return self._objects[key][0]

    def call(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call of S3's.

        Raises:
            GoneError: if there is nothing of that name.
            NetworkError: if the line is cut.
        """
        found: dict[str, Any] = getattr(self, f"_{operation}")(given)
        return found

    def clear(self) -> None:
        """Delete everything."""
        self._objects.clear()
        self._uploads.clear()

    @property
    def keys(self) -> list[str]:
        """Return the names of all objects."""
        return sorted(self._objects)

    def _head_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        content, told = self.read(given["Key"]), self._objects[given["Key"]][1]
        return {
            "ContentLength": len(content),
            "Metadata": told.get("Metadata", {}),
            "ChecksumSHA256": told["checksum"],
        }

    def _put_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        content = self._receive(given["Body"], "put_object")
        self._objects[given["Key"]] = (content, {**given, "checksum": _digest(content)})
        return {}

    def _delete_object(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._objects.pop(given["Key"], None)
        return {}

    def _create_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        name = f"upload-{len(self._uploads)}"
        self._uploads[name] = _Upload(given["Key"], dict(given))
        return {"UploadId": name}

    def _upload_part(self, given: Mapping[str, Any]) -> dict[str, Any]:
        content = self._receive(given["Body"], "upload_part")
        self._uploads[given["UploadId"]].parts[given["PartNumber"]] = content
        return {"ETag": f'"{_digest(content)}"'}

    def _complete_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        upload = self._uploads.pop(given["UploadId"])
        parts = [upload.parts[each["PartNumber"]] for each in given["MultipartUpload"]["Parts"]]
        digests = b"".join(hashlib.sha256(part).digest() for part in parts)
        told = {**upload.wanted, "checksum": f"{_digest(digests)}-{len(parts)}"}
        self._objects[upload.key] = (b"".join(parts), told)
        return {}

    def _abort_multipart_upload(self, given: Mapping[str, Any]) -> dict[str, Any]:
        self._uploads.pop(given["UploadId"], None)
        return {}

    def _list_multipart_uploads(self, given: Mapping[str, Any]) -> dict[str, Any]:
        found = [
            {"UploadId": name, "Key": each.key, "Initiated": each.begun}
            for name, each in self._uploads.items()
        ]
        return {"Uploads": [{**each, "ChecksumAlgorithm": "SHA256"} for each in found]}

    def _list_parts(self, given: Mapping[str, Any]) -> dict[str, Any]:
        parts = self._uploads[given["UploadId"]].parts
        return {
            "Parts": [
                {
                    "PartNumber": number,
                    "Size": len(content),
                    "ETag": f'"{_digest(content)}"',
                    "ChecksumSHA256": _digest(content),
                }
                for number, content in parts.items()
            ]
        }

    def _receive(self, body: Any, operation: str) -> bytes:
        """Take a body piece by piece, as it comes over a line."""
        pieces = []
        while piece := body.read(_PIECE):
            pieces.append(piece)
            self.received += len(piece)
            if self.cut_after is None:
                continue
            self.cut_after -= len(piece)
            if self.cut_after < 0:
                self.cut_after = None
                message = "AWS cannot be reached: ConnectionClosedError"
                hint = "check the line; then run the same command again; it goes on where it was"
                raise NetworkError(message, where=f"s3:{operation}", hint=hint)
        return b"".join(pieces)


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
