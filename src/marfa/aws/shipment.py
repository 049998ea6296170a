"""What a deployment needs in its bucket, each thing under a name made of its content."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from marfa import archives, files
from marfa.aws import functions, wheels
from marfa.aws.parcel import Parcel, pack
from marfa.aws.template.base import SITE
from marfa.bundle import Bundle
from marfa.console import Talk
from marfa.container import pages
from marfa.container.messages import DEFAULT_LIMITS
from marfa.predictor import Predictor
from marfa.settings import CloudSettings
from marfa.writer import Writer

WHEELS = Path("raw") / "wheels"
"""Where in the work folder wheels are kept."""

_ZIP = "application/zip"
_ROOT = "index.html"
"""What CloudFront gives whoever asks for the address alone."""


def build(
    bundle: Bundle,
    model: Predictor | Writer,
    archive: Path,
    settings: CloudSettings,
    workdir: Path,
    talk: Talk,
    *,
    looking: bool,
) -> list[Parcel]:
    """Make everything that is to be sent.

    Args:
        bundle: the model's.
        model: the model, on the reference engine.
        archive: the model.tar.gz, or a bundle folder.
        settings: the target, and what goes with it.
        workdir: where fetched wheels are kept.
        talk: whom to tell.
        looking: nothing will be sent, so nothing is fetched either: what is not on this machine stands
            there with the size that it is going to have, more or less.

    Raises:
        NetworkError: if numpy has to be fetched and cannot.
    """
    made: list[Parcel] = []
    folder = workdir / WHEELS
    if settings.target == "lambda":
        code = functions.function_zip(bundle, _stemmer(bundle, folder, talk, looking))
        made.append(pack("code", code, ".zip", _ZIP))
        if settings.numpy == "wheel":
            made.append(_layer(settings.architecture, folder, talk, looking))
    else:
        made.append(pack("code", functions.proxy_zip(bundle), ".zip", _ZIP))
        made.append(pack("models", archived(bundle, archive), ".tar.gz", "application/gzip"))
    if settings.site:
        made += _site(model)
    return made


def _stemmer(bundle: Bundle, folder: Path, talk: Talk, looking: bool) -> bytes | None:
    if not functions.stem(bundle):
        return None
    wheel = wheels.stemmer()
    return wheels.kept(wheel, folder) or b"" if looking else wheels.fetch(wheel, folder, talk)


def _layer(architecture: str, folder: Path, talk: Talk, looking: bool) -> Parcel:
    """Return numpy's layer; made once, which takes seconds, and kept under a name that proves it."""
    wheel = wheels.numpy(architecture)
    start = f"layer-{functions.recipe(wheel.sha256)}"
    for path in folder.glob(f"{start}-*.zip"):
        parcel = pack("layers", path, ".zip", _ZIP)
        if path.stem == f"{start}-{parcel.sha256}":
            return parcel
    if looking:
        key = f"layers/{wheel.requirement}-{architecture}.zip"
        return Parcel(key, b"", "", functions.LAYER_BYTES[architecture], _ZIP)
    content = functions.numpy_layer(wheels.fetch(wheel, folder, talk))
    digest = hashlib.sha256(content).hexdigest()
    files.write_bytes(folder / f"{start}-{digest}.zip", content)
    return pack("layers", content, ".zip", _ZIP)


def archived(bundle: Bundle, archive: Path) -> bytes | Path:
    """Return the model.tar.gz; one that is given as a folder is packed, always to the same bytes."""
    if archive.is_file():
        return archive
    with tempfile.TemporaryDirectory(prefix="marfa-") as folder:
        path = Path(folder) / "model.tar.gz"
        archives.write_tar_gz(path, bundle.members)
        return path.read_bytes()


def _site(model: Predictor | Writer) -> Iterator[Parcel]:
    """Yield the page's files, in a folder named by all of them, so that no two versions are mixed."""
    found = pages.files(model, DEFAULT_LIMITS) | pages.without()
    whole = hashlib.sha256()
    for path in sorted(found):
        whole.update(path.encode() + b"\0" + hashlib.sha256(found[path].content).digest())
    folder = f"{SITE}{whole.hexdigest()[:16]}"
    for path, page in sorted(found.items()):
        parcel = pack("site", page.content, "", page.content_type)
        # CloudFront keeps copies by the address that was asked for, which no version changes
        yield replace(parcel, key=f"{folder}/{path.strip('/') or _ROOT}", fresh=True)
