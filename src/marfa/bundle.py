"""The artefact: a flat folder, and the same as model.tar.gz, verified before it is used.

    bundle.json          this file's format, the task, and size and SHA-256 of every other file
    config.json          task, the shape of the network, the settings it was made with
    codec.json           text to numbers
    weights.safetensors  the weights, for the numpy engine; rounded embeddings a byte a number
    model.onnx           the same as a graph, for ONNX Runtime
    model.int8.onnx      the same in eight bits: of a generator; of a classifier that loses nothing by it
    golden.jsonl         recorded requests, good and bad, with their exact responses
    metrics.json         what was measured on texts that were not learnt from
    README.md            the model card
    code/                inference.py, requirements.txt and the part of marfa that answers

No pickle and nothing that depends on the version of torch.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marfa import archives, files
from marfa.errors import BundleError

FORMAT = 4
_READ = (1, 2, 3, FORMAT)
"""Formats that are read; the first knew no numbers of eight bits among the weights, and those before
the fourth no words for why a text is declined."""

MANIFEST = "bundle.json"
"""Not `manifest.json`: multi-model-server takes any file of that name in a model's folder for the
description of an archive of its own, and does not start."""

_FORMER = "manifest.json"
"""What the manifest was called in the formats before the third."""

GRAPHS = {"onnx": "model.onnx", "int8": "model.int8.onnx"}
"""Which file is the graph of which engine."""

TOTAL_LIMIT = 500 << 20
"""Bytes of a whole bundle at most, unpacked."""

_LIMITS = {
    MANIFEST: 1 << 20,
    _FORMER: 1 << 20,
    "config.json": 1 << 20,
    "codec.json": 32 << 20,
    "weights.safetensors": 400 << 20,
    "model.onnx": 400 << 20,
    "model.int8.onnx": 400 << 20,
    "golden.jsonl": 1 << 19,  # each of its requests is asked before a server answers
    "metrics.json": 8 << 20,
    "README.md": 1 << 20,
    "code/inference.py": 1 << 20,
    "code/requirements.txt": 1 << 16,
}
_REQUIRED = {"config.json", "codec.json", "weights.safetensors", "golden.jsonl"}
_CODE = re.compile(r"code/marfa/(?:[a-z_]+/)?[a-z_]+\.py|code/marfa/py\.typed")
_CODE_LIMIT = 1 << 20
_MOST_VALUES = 1_200_000
"""Of a document: a vocabulary's million words, and the rest. A value is three bytes in a file and may be
sixty in memory."""

_DEEPEST = 32
"""Lists within lists of a document; to show one of nearly a thousand would exhaust Python's stack."""


@dataclass(frozen=True)
class Bundle:
    """A verified bundle, in memory.

    Attributes:
        manifest: the manifest's document.
        contents: every other file's bytes by name.
        where: the path it was read from, for messages.
    """

    manifest: Mapping[str, Any]
    contents: Mapping[str, bytes]
    where: str

    @property
    def model_id(self) -> str:
        """Twelve hexadecimal digits that name these exact weights, codec and configuration."""
        return str(self.manifest["model"])

    @property
    def members(self) -> dict[str, bytes]:
        """Every file in the order of an archive, in which equal bundles have equal bytes."""
        listed = {name: self.contents[name] for name in sorted(self.contents)}
        return {name_of(self.manifest): files.to_json(self.manifest), **listed}

    def json(self, name: str) -> Any:
        """Return a file of the bundle as a JSON document.

        Raises:
            BundleError: if it is not one, or deeper than any of a bundle's.
        """
        try:
            document = json.loads(self.contents[name])
        except (KeyError, ValueError, RecursionError) as error:
            message = "missing, or not a JSON document"
            raise BundleError(message, where=f"{self.where}: {name}") from error
        if _is_deep(document):
            message = f"brackets in brackets, more than {_DEEPEST} of them"
            raise BundleError(message, where=f"{self.where}: {name}")
        return document


def model_id(contents: Mapping[str, bytes]) -> str:
    """Name a model by what decides its answers."""
    digest = hashlib.sha256()
    for name in ("config.json", "codec.json", "weights.safetensors"):
        digest.update(hashlib.sha256(contents[name]).digest())
    return digest.hexdigest()[:12]


def name_of(manifest: Mapping[str, Any]) -> str:
    """Return the name that a manifest has among the files of its bundle.

    >>> name_of({"format": 3}), name_of({"format": 2})
    ('bundle.json', 'manifest.json')
    """
    return MANIFEST if manifest["format"] > 2 else _FORMER


def seal(contents: Mapping[str, bytes], extra: Mapping[str, Any]) -> dict[str, bytes]:
    """Put the manifest in front of a bundle's files.

    Args:
        contents: every other file by name.
        extra: further entries of the manifest: task, versions, tolerance.

    Returns:
        All files, the manifest first and the others sorted by name.

    Raises:
        BundleError: if a required file is missing or a name is not one of a bundle's.
    """
    _check_names(contents, "the new bundle")
    listed = {name: _entry(contents[name]) for name in sorted(contents)}
    manifest = {"format": FORMAT, "model": model_id(contents), **extra, "files": listed}
    return {
        name_of(manifest): files.to_json(manifest),
        **{name: contents[name] for name in listed},
    }


def load(path: Path) -> Bundle:
    """Read a bundle and verify all of it.

    Args:
        path: a model.tar.gz, or a folder that holds its files.

    Returns:
        The bundle.

    Raises:
        BundleError: if anything is missing, added, altered, too large or of another format.
    """
    return verify(_read_folder(path) if path.is_dir() else _read_archive(path), str(path))


def verify(contents: Mapping[str, bytes], where: str) -> Bundle:
    """Verify files that have been read, or that are about to be written.

    Args:
        contents: every file by name, the manifest among them, as `seal` returns them.
        where: where they come from, for messages.

    Returns:
        The bundle.

    Raises:
        BundleError: if anything is missing, added, altered or of another format.
    """
    own = _FORMER if _FORMER in contents and MANIFEST not in contents else MANIFEST
    for name, content in contents.items():
        if name.endswith((".json", ".jsonl")) and _values(content) > _MOST_VALUES:
            raise _altered(where, f"{name!r:.80} holds more than any bundle's does")
    manifest = _manifest(contents.get(own, b""), own, where)
    contents = {name: content for name, content in contents.items() if name != own}
    listed = manifest["files"]
    for name in sorted(set(listed) | set(contents)):
        if name not in contents:
            raise _altered(where, f"{_shown(name)} is missing")
        if name not in listed:
            raise _altered(where, f"{_shown(name)} has been added; the manifest does not list it")
        if listed[name] != _entry(contents[name]):
            raise _altered(where, f"{_shown(name)} is not the file that was packaged")
    _check_names(contents, where)
    if manifest.get("model") != model_id(contents):
        raise _altered(where, "the manifest names another model")
    return Bundle(manifest, contents, where)


def _is_deep(document: Any) -> bool:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(_DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for values in inner for each in values if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _values(document: bytes) -> int:
    """Return how many values a JSON document can hold at most, without reading it."""
    return sum(document.count(mark) for mark in (b",", b"[", b"{"))


def _shown(name: str) -> str:
    """Return a name for a message; one that no bundle has may be of any length, with anything in it."""
    return name if _limit_of(name) else f"{name!r:.80}"


def _entry(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _limit_of(name: str) -> int:
    return _LIMITS.get(name) or (_CODE_LIMIT if _CODE.fullmatch(name) else 0)


def _check_names(contents: Mapping[str, bytes], where: str) -> None:
    missing = sorted(_REQUIRED - set(contents))
    if missing:
        raise _altered(where, f"{missing[0]} is missing")
    for name in contents:
        if name in {MANIFEST, _FORMER} or not _limit_of(name):
            raise _altered(where, f"{name!r:.80} is not a file of a bundle")


def _read_archive(path: Path) -> dict[str, bytes]:
    if not path.is_file():
        message = "no such bundle; expected a model.tar.gz or a bundle folder"
        raise BundleError(
            message,
            where=str(path),
            hint="make one with: marfa run sentiment, or marfa run shakespeare",
        )
    return archives.read_tar_gz(path, _limit_of, TOTAL_LIMIT)


def _read_folder(path: Path) -> dict[str, bytes]:
    named, packed = (path / MANIFEST, path / _FORMER), path / "model.tar.gz"
    # before a walk through, say, a whole disk
    if not any(file.is_file() and not file.is_symlink() for file in named):
        message = f"this folder is no bundle: {MANIFEST} is missing"
        hint = f"give the file in it: {packed}" if packed.is_file() else ""
        raise BundleError(message, where=str(path), hint=hint)
    found: dict[str, bytes] = {}
    left = TOTAL_LIMIT
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        # Importing the bundle's code, which hosts do, leaves caches; they are never read as ours.
        if "__pycache__" in name or (file.is_dir() and not file.is_symlink()):
            continue
        if file.is_symlink() or not file.is_file():
            raise _altered(str(path), f"{name!r} is not a plain file")
        size = file.stat().st_size
        if size > min(_limit_of(name), left):
            problem = "is too large" if _limit_of(name) else "is not a file of a bundle"
            raise _altered(str(path), f"{name!r} {problem}")
        found[name] = file.read_bytes()
        left -= size
    return found


def _manifest(data: bytes, name: str, where: str) -> dict[str, Any]:
    if not data:
        raise _altered(where, f"{name} is missing; this is no bundle")
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise _altered(where, f"{name} is not a bundle's manifest")
    if manifest.get("format") not in _READ:
        known = ", ".join(map(str, _READ))
        message = f"bundle format {manifest.get('format')!r:.40}; this marfa reads {known}"
        raise BundleError(
            message, where=where, hint="install the marfa that made it, or a newer one"
        )
    if name_of(manifest) != name:
        raise _altered(where, f"{name} is not what format {manifest['format']} calls its manifest")
    return manifest


def _altered(where: str, what: str) -> BundleError:
    return BundleError(what, where=where, hint="package the model again, or copy it again")
