"""The styles of a page, which travel inside it, so that it is seen as soon as it is there.

A browser takes styles in a page only from a policy that names them by what they are.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable

from marfa.container.messages import SAFETY

POLICY = "Content-Security-Policy"
_OWN = "style-src 'self'"
_LINK = re.compile(r'<link rel="stylesheet" href="([\w.]+)">')
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


def inlined(html: str, read: Callable[[str], str]) -> str:
    """Put the styles that a page names into the page.

    Args:
        html: the page.
        read: returns a style sheet by its name.

    >>> inlined('<link rel="stylesheet" href="a.css">', {"a.css": "p {}"}.__getitem__)
    '<style>p {}</style>'
    """
    return _LINK.sub(lambda link: f"<style>{read(link[1])}</style>", html)


def policy(html: bytes) -> str:
    """Return the policy of a page: that of every answer, but a page that has styles takes no others.

    Args:
        html: the page.

    >>> policy(b"<style>p {}</style>").partition("style-src ")[2][:30]
    "'sha256-SNJDlN1Iy2mnt7DOjQIyDb"
    """
    hashes = (hashlib.sha256(style).digest() for style in _STYLE.findall(html))
    named = " ".join(f"'sha256-{b64encode(each).decode()}'" for each in hashes) or "'self'"
    return SAFETY[POLICY].replace(_OWN, f"style-src {named}")
