"""What a function writes to its log: one line of JSON a request, and no word that a client sent.

Needs nothing but the standard library, so that a function without numpy can write it too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection

from marfa.container import routing
from marfa.container.messages import Response

_KNOWN = {"/ping", "/readyz", "/v1/model", *routing.ASKED}


def note(
    path: str,
    response: Response,
    seconds: float,
    pages: Collection[str] = (),
    **more: str | int,
) -> None:
    """Write the line of one request to the standard output, which Lambda keeps as the log.

    Args:
        path: what was asked for; it is named only if it is an address that there is.
        response: what was answered; its status is told, and how long its body is.
        seconds: time that it took.
        pages: further addresses that there are.
        **more: what else there is to tell, in words that are ours.

    >>> note("/secret", Response(404, "text/plain", b"no"), 0.0125, calls=1)
    {"path": "other", "status": 404, "bytes": 2, "ms": 12.5, "calls": 1}
    """
    document = {
        "path": path if path in _KNOWN or path in pages else "other",
        "status": response.status,
        "bytes": len(response.body),
        "ms": round(seconds * 1000, 1),
        **more,
    }
    sys.stdout.write(json.dumps(document) + "\n")
