"""What an address answers that is always the same: the page, its files, and what is told of the model.

Reading it back needs nothing but the standard library, so that a function without numpy can answer it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from marfa.container.messages import JSON, Limits, Response, to_json

if TYPE_CHECKING:
    from marfa.predictor import Predictor
    from marfa.writer import Writer

INDEX = "index.json"
"""Of a folder of pages: which file answers which address, and what it is."""

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGES: Mapping[str, str] = {"classifier": "index.html", "generator": "write.html"}
"""What stands at / by the task of the model."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one address answers.

    Attributes:
        content: the bytes.
        content_type: what they are.
    """

    content: bytes
    content_type: str

    @property
    def response(self) -> Response:
        """Return it as a response, which a browser may keep but must ask about."""
        return Response(200, self.content_type, self.content, {"Cache-Control": "no-cache"})


def files(model: Predictor | Writer, limits: Limits) -> dict[str, Page]:
    """Make everything that a served model answers without computing.

    Args:
        model: the loaded model.
        limits: what a request may ask for.

    Returns:
        By address: the page, its files, the description of the API and of the model, and that the
        process is alive.
    """
    from marfa import __version__
    from marfa.container import contract, openapi

    web = resources.files("marfa").joinpath("web")
    names = {"/": _PAGES[model.task], "/docs": "docs.html"}
    names |= {f"/{file.name}": file.name for file in web.iterdir() if _has_address(file.name)}
    alive = {
        "status": "alive",
        "version": __version__,
        "engine": model.engine.name,
        "model": model.model_id,
    }
    made = {
        "/openapi.json": Page(json.dumps(openapi.document(model, limits)).encode(), JSON),
        "/v1/model": Page(to_json(contract.describe(model, limits)), JSON),
        "/healthz": Page(to_json(alive), JSON),
    }
    for path, name in sorted(names.items()):
        made[path] = Page(web.joinpath(name).read_bytes(), _KINDS[_suffix(name)])
    return made


def _has_address(name: str) -> bool:
    """Say whether a file of the page is served by its own name, as all but the pages are."""
    return _suffix(name) in _KINDS and _suffix(name) != ".html"


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def pack(pages: Mapping[str, Page]) -> dict[str, bytes]:
    """Write pages as files, whose names are numbers since addresses are no names of files.

    Args:
        pages: by address.

    Returns:
        The files by name, `INDEX` among them.

    >>> sorted(pack({"/": Page(b"<p>", "text/html")}))
    ['0', 'index.json']
    """
    listed = list(enumerate(sorted(pages)))
    index = {
        path: {"file": str(number), "content_type": pages[path].content_type}
        for number, path in listed
    }
    return {
        INDEX: json.dumps(index, indent=1).encode(),
        **{str(number): pages[path].content for number, path in listed},
    }


def unpack(folder: Path) -> dict[str, Page]:
    """Read the pages in a folder that holds what `pack` wrote.

    Args:
        folder: where the files are.

    Returns:
        The pages by address.
    """
    index = json.loads((folder / INDEX).read_bytes())
    return {
        path: Page((folder / each["file"]).read_bytes(), each["content_type"])
        for path, each in index.items()
    }
