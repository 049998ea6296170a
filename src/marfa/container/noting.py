"""What is written to a log: lines of JSON, and no word that a client sent.

Needs nothing but the standard library, so that a function without numpy can write it too.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Collection
from typing import Any

from marfa.container import routing
from marfa.container.messages import Response

_OURS, _OTHERS = "marfa", ("asyncio", "uvicorn.error")
_KNOWN = {"/ping", "/readyz", "/v1/model", *routing.ASKED}


def note(
    path: str,
    response: Response,
    seconds: float,
    pages: Collection[str] = (),
    **more: Any,
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


class Lines(logging.Formatter):
    """Writes what a server's process tells as lines of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; what its `told` holds stands beside its message.

        Of others' failures it tells the kind alone: what they say could quote a client.
        """
        event = record.getMessage()
        if record.name != _OURS:
            kind = record.exc_info[0] if record.exc_info else None
            event = f"{record.name}: {kind.__name__ if kind else event.splitlines()[0]}"
        document = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": event,
            **getattr(record, "told", {}),
        }
        return json.dumps(document)


LEVELS = {"nothing": logging.CRITICAL + 1, "failures": logging.WARNING, "all": logging.INFO}
"""By the setting `log`: from which level on something is told."""


def tell(log: str) -> None:
    """Write what this process tells to the standard error output from here on.

    Args:
        log: a key of `LEVELS`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    for name in (_OURS, *_OTHERS):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(max(LEVELS[log], logging.NOTSET if name == _OURS else logging.WARNING))


def warn(event: str) -> None:
    """Tell of something that went wrong and has been seen to."""
    logging.getLogger(_OURS).warning(event)
