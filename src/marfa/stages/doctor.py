"""doctor: what is installed, reachable or missing, and what to type."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.error
import urllib.request
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from marfa.data import source
from marfa.data.origins import ORIGINS
from marfa.recipes import Settings

_EXTRAS = {
    "train": ("torch", "sklearn", "matplotlib", "onnx"),
    "serve": ("onnxruntime", "starlette", "uvicorn", "httptools", "prometheus_client"),
    "aws": ("boto3",),
}
_PACKAGES = {"sklearn": "scikit-learn", "prometheus_client": "prometheus-client"}
_ROOM = 1 << 30
_PATIENCE_SECONDS = 5


def doctor(settings: Settings) -> dict[str, Any]:
    """Look at this machine.

    Args:
        settings: where the work folder and the mirror are, and whether the network is forbidden.

    Returns:
        {"findings": [{"what", "found", "ok", "hint"}, ...], "ok": whether all are}.
    """
    findings = [_python(), *(_extra(name, modules) for name, modules in _EXTRAS.items())]
    findings += [_cores(), _room(Path(settings.place.workdir))]
    findings += [_texts(settings, name) for name in ORIGINS]
    # a data set that another recipe needs is told of, and no fault; nor is a laptop without a cloud
    unneeded = {*ORIGINS, "marfa[aws]"} - {settings.data.data}
    needed = [item for item in findings if item["what"] not in unneeded]
    return {"findings": findings, "ok": all(item["ok"] for item in needed)}


def _finding(what: str, found: str, ok: bool, hint: str = "") -> dict[str, Any]:
    return {"what": what, "found": found, "ok": ok, "hint": "" if ok else hint}


def _python() -> dict[str, Any]:
    version = ".".join(map(str, sys.version_info[:3]))
    return _finding("Python", version, sys.version_info >= (3, 11), "install Python 3.11 or newer")


def _extra(name: str, modules: tuple[str, ...]) -> dict[str, Any]:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        hint = f"pip install 'marfa[{name}]'"
        if "torch" in missing:
            hint = "make setup (it installs the small CPU build of torch)"
        return _finding(f"marfa[{name}]", f"missing {', '.join(missing)}", False, hint)
    versions = (f"{module} {metadata.version(_PACKAGES.get(module, module))}" for module in modules)
    return _finding(f"marfa[{name}]", ", ".join(versions), True)


def _cores() -> dict[str, Any]:
    return _finding("cores", str(os.cpu_count() or 1), True)


def _room(workdir: Path) -> dict[str, Any]:
    folder = workdir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    ok = free >= _ROOM and os.access(folder, os.W_OK)
    found = f"{workdir}, {free / 1e9:.1f} GB free"
    hint = "IMDb and a run need about 1 GB; free some, or choose another with --workdir"
    return _finding("work folder", found, ok, hint)


def _texts(settings: Settings, name: str) -> dict[str, Any]:
    kept, origin = source.place(settings, name), ORIGINS[name]
    if kept.is_file():
        return _finding(name, str(kept), True)
    mirror = settings.place.mirror
    if mirror and not mirror.startswith("http"):
        there = (Path(mirror) / origin.file).is_file() and (Path(mirror) / "SHA256SUMS").is_file()
        hint = f"the folder must hold {origin.file} and SHA256SUMS"
        return _finding(name, f"mirror {mirror}", there, hint)
    if settings.place.offline:
        return _finding(name, "not here, and the network is forbidden", False, "--mirror DIR")
    url = mirror.rstrip("/") + "/" + origin.file if mirror else origin.url
    hint = f"give a folder that holds {origin.file}: --mirror DIR; or use --preset sample"
    try:
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - http(s) only
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            return _finding(name, f"reachable, {answer.headers['Content-Length']} bytes", True)
    except (OSError, ValueError) as error:
        return _finding(name, f"not reachable: {getattr(error, 'reason', error)}", False, hint)
