"""site: the page as a folder for any host of files, which answers by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marfa import bundle as bundles
from marfa import files, loading
from marfa.console import Silence, Talk
from marfa.container import golden, own, pages, styles
from marfa.container.messages import DEFAULT_LIMITS
from marfa.errors import BundleError, DataError

_INDEX, _MARK, _WORKER = "index.html", "device.json", "sw.js"
_HEAD = b'<meta charset="utf-8">\n'


def site(model: str | Path, folder: str | Path, talk: Talk | None = None) -> dict[str, Any]:
    """Write the page of a model, and the model, as files that need no server of ours.

    A folder that was written before is brought up to date, its service worker last: who has the page
    open keeps the old version as a whole until then.

    Args:
        model: a model.tar.gz or a bundle folder.
        folder: where to write; made if it is not there.
        talk: whom to tell; nobody if not given.

    Returns:
        The folder, its files with their sizes, all bytes, and the model's name.

    Raises:
        BundleError: if the model is incomplete or altered, or the page has no engine for it.
        DataError: if the folder holds another site.
    """
    target, talk = Path(folder), talk or Silence()
    bundle = bundles.load(Path(model))
    if not own.is_possible(bundle):
        message = "its words are stemmed by a stemmer that the page does not have"
        raise BundleError(message, where=str(model), hint="marfa serve answers for it")
    if (target / _INDEX).exists() and not (target / _MARK).is_file():
        message = f"there is another {_INDEX}, which was not written by marfa"
        raise DataError(message, where=str(target), hint="name another folder, or an empty one")
    loaded = loading.of(bundle, engine="numpy")
    golden.replay(loaded, bundle.contents["golden.jsonl"])
    found = {
        path: page
        for path, page in pages.files(loaded, DEFAULT_LIMITS).items()
        if path not in pages.UNKEPT
    }
    found["/"] = pages.Page(_guarded(found["/"].content), found["/"].content_type)
    found |= pages.own(bundle, found, server=False)
    contents = {path[1:] or _INDEX: page.content for path, page in found.items()}
    for name in sorted(contents, key=lambda name: (name == _WORKER, name)):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, contents[name])
    for left in target.glob("model-*.bin"):
        if left.name not in contents:
            left.unlink()
    sizes = {name: len(contents[name]) for name in sorted(contents)}
    total = sum(sizes.values())
    talk.say(f"site: {len(sizes)} files, {total:,} bytes, in {target}")
    return {"folder": str(target), "files": sizes, "bytes": total, "model": bundle.model_id}


def _guarded(html: bytes) -> bytes:
    """Put the policy into the page itself, since no host of files sends our headers."""
    assert _HEAD in html, "a page begins with its character set"
    # what a page may be framed by can be said in a header only
    policy = styles.policy(html).partition("; frame-ancestors")[0]
    metas = (
        f'<meta http-equiv="{styles.POLICY}" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
    )
    return html.replace(_HEAD, _HEAD + metas.encode(), 1)
