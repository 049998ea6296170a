"""What an address answers that is always the same: the page, its files, and what is told of the model.

Reading it back needs nothing but the standard library, so that a function without numpy can answer it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from marfa.container import styles
from marfa.container.messages import JSON, Limits, Response, to_json

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from marfa.bundle import Bundle
    from marfa.predictor import Predictor
    from marfa.writer import Writer

INDEX = "index.json"
"""Of a folder of pages: which file answers which address, and what it is."""

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": JSON,
    ".webmanifest": "application/manifest+json",
}
_BYTES = "application/octet-stream"
_PAGES: Mapping[str, str] = {"classifier": "index.html", "generator": "write.html"}
"""What stands at / by the task of the model."""

_OTHERS: Mapping[str, frozenset[str]] = {
    "classifier": frozenset(
        {
            *("write.js", "writer.js", "events.js"),
            *("author.js", "alphabet.js", "writing.js", "sampling.js"),
        }
    ),
    "generator": frozenset(
        {
            *("page.js", "race.js", "why.js", "judge.js", "judging.js", "explaining.js"),
            *("codec.js", "porter.js"),
        }
    ),
}
"""Files that the page of a task has no use for, since only the other task's page has."""

DEVICE = "/device.json"
"""Tells the page whether it has a model of its own, and whether there is a server."""

_LASTING = "public, max-age=31536000, immutable"
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)
_SERVICE_WORKER, _RETIRED = "sw.js", "retired.js"
UNKEPT = ("/docs", "/docs.js", "/openapi.json", "/healthz")
"""What the page does without when there is no network."""


@dataclass(frozen=True)
class Page:
    """What one address answers.

    Attributes:
        source: the bytes, or what makes them when they are first asked for.
        content_type: what they are.
        lasting: the address changes with them, so that nobody need ask a second time.
    """

    source: bytes | Callable[[], bytes]
    content_type: str
    lasting: bool = False

    @cached_property
    def content(self) -> bytes:
        """The bytes."""
        return self.source if isinstance(self.source, bytes) else self.source()

    @cached_property
    def packed(self) -> bytes:
        """The bytes packed for the way; the same ones where that makes them no smaller."""
        if self.lasting:  # the model's file is packed already
            return self.content
        return min(gzip.compress(self.content, 9, mtime=0), self.content, key=len)

    @cached_property
    def response(self) -> Response:
        """It as a response, which a browser may keep, but must ask about unless it lasts."""
        headers = {"Cache-Control": _LASTING if self.lasting else "no-cache"}
        if self.content_type.startswith("text/html"):
            headers[styles.POLICY] = styles.policy(self.content)
        return Response(200, self.content_type, self.content, headers)

    def answer(self, accept_encoding: str) -> Response:
        """Return it as a response, packed with gzip for a client that takes that.

        Args:
            accept_encoding: the client's header; empty where it has sent none.

        >>> page = Page(b"<p>" * 99, "text/html")
        >>> page.answer("gzip, br").headers["Content-Encoding"], len(page.answer("").body)
        ('gzip', 297)
        """
        found = self.response
        if self.lasting:
            return found
        headers = {**found.headers, "Vary": "Accept-Encoding"}
        if takes_gzip(accept_encoding) and self.packed is not self.content:
            headers["Content-Encoding"] = "gzip"
            return replace(found, body=self.packed, headers=headers)
        return replace(found, headers=headers)


def takes_gzip(accept_encoding: str) -> bool:
    """Say whether a client that sends this header reads what is packed with gzip.

    >>> takes_gzip("br, GZip;q=0.5"), takes_gzip("gzip; q=0"), takes_gzip("identity")
    (True, False, False)
    """
    for each in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        if coding in {"gzip", "*"}:
            return not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", part) for part in parameters)
    return False


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

    web = _web()
    names = {"/": _PAGES[model.task], "/docs": "docs.html"}
    own_names = {file.name for file in web.iterdir()} - _OTHERS[model.task]
    names |= {f"/{name}": name for name in own_names if _has_address(name)}
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
    texts = {name: _whole(web, name) for name in names.values()}
    said = set(
        re.findall(r"\w+", " ".join(texts[each] for each in texts if _suffix(each) != ".json"))
    )
    for path, name in sorted(names.items()):
        text = _spoken(texts[name], said) if _suffix(name) == ".json" else texts[name]
        made[path] = Page(text.encode(), _KINDS[_suffix(name)])
    return made


def _spoken(language: str, said: Collection[str]) -> str:
    """Leave out of a language what this page never says, since only the other task's does.

    Every key stands in the page's own files, beside what it says in English.
    """
    found = {key: text for key, text in json.loads(language).items() if key in said}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _web(*names: str) -> Traversable:
    return resources.files("marfa").joinpath("web", *names)


def _whole(web: Traversable, name: str) -> str:
    """Read a file of the page as it travels: without comments, and a page with its styles in it."""
    text = _bare(web.joinpath(name))
    if _suffix(name) == ".html":
        return styles.inlined(text, lambda sheet: _bare(web.joinpath(sheet)))
    return text


def _bare(file: Traversable) -> str:
    """Read a file of the page without its comments, which are a sixth of what a visitor would wait for.

    Only comments that begin a line are left out, so that no text or pattern can be taken for one.
    """
    text = file.read_text("utf-8")
    return _COMMENT.sub("", text) if _suffix(file.name) in {".js", ".css"} else text


def own(bundle: Bundle, pages: Mapping[str, Page], *, server: bool = True) -> dict[str, Page]:
    """Make what the page needs to answer by itself, and to open without a network.

    Args:
        bundle: the model.
        pages: what `files` returned.
        server: whether there is a server that the page should ask first.

    Returns:
        By address: the model's file, its name for the page to find, and the service worker that keeps
        all of this version; `without` where the page has no engine for the model.
    """
    from marfa.container import own as model

    if not model.is_possible(bundle):
        return without()
    name = model.name(bundle)
    told = Page(to_json({"file": name, "server": server}), JSON)
    kept = {path: page for path, page in pages.items() if path not in UNKEPT}
    hashes = {
        path.removeprefix("/") or "./": hashlib.sha256(page.content).hexdigest()[:32]
        for path, page in sorted({**kept, DEVICE: told}.items())
    }
    version = hashlib.sha256(json.dumps([hashes, name]).encode()).hexdigest()[:16]
    code = _bare(_web(_SERVICE_WORKER))
    constants = {"VERSION": version, "HASHES": hashes, "MODEL": name}
    head = "".join(f"const {each} = {json.dumps(value)};\n" for each, value in constants.items())
    return {
        DEVICE: told,
        f"/{name}": Page(lambda: model.file(bundle), _BYTES, lasting=True),
        f"/{_SERVICE_WORKER}": Page((head + code).encode(), _KINDS[".js"]),
    }


def without() -> dict[str, Page]:
    """Return what tells the page that it has no model of its own, and the server alone answers.

    The service worker of a version that had one would keep that version in browsers for ever: the one
    that is returned here takes its place and leaves.
    """
    return {
        DEVICE: Page(to_json({"file": None, "server": True}), JSON),
        f"/{_SERVICE_WORKER}": Page(_bare(_web(_RETIRED)).encode(), _KINDS[".js"]),
    }


def _has_address(name: str) -> bool:
    """Say whether a file is served by its own name, as all are but the pages and the service workers."""
    return _suffix(name) in _KINDS.keys() - {".html"} and name not in {_SERVICE_WORKER, _RETIRED}


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
