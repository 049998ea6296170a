"""What stands before whoever answers in a Lambda function: events in, answers and a log line out.

It is the same before the model itself and before an endpoint, and needs the standard library alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from marfa.container import gateway, noting, routing
from marfa.container.messages import Request, Response, problem, unexplained
from marfa.container.pages import Page
from marfa.errors import CloudError, MarfaError

PINGS = ("/ping", "/readyz")
"""The addresses that say whether the model answers."""

_READING = ("GET", "HEAD")
_ALIVE, _LEFT = "/healthz", "Marfa-Lease-Seconds"


def lease_end(settings: Mapping[str, str]) -> float | None:
    """Return when the lease ends, in seconds since 1970, as the stack tells the function.

    Args:
        settings: the MARFA_* variables.

    Returns:
        The moment; None where there is no lease, or no sense in what is told: the page works without.

    >>> lease_end({"MARFA_LEASE_END": "1970-01-01T00:01:00.000Z"}), lease_end({})
    (60.0, None)
    """
    try:
        return datetime.fromisoformat(settings.get("MARFA_LEASE_END", "")).timestamp()
    except ValueError:
        return None


class Front:
    """Answers the events of a gateway.

    Args:
        pages: what is always the same, by address.
        ask: answers everything else; /readyz is asked for as /ping.
        told: returns what else the log may tell of the last answer, once; no word of a client.
        ends: when the lease ends, in seconds since 1970; None without one.
        clock: tells the seconds.
        wall: tells the seconds since 1970.
    """

    def __init__(
        self,
        pages: Mapping[str, Page],
        ask: Callable[[Request], Response],
        *,
        told: Callable[[], Mapping[str, Any]] = dict,
        ends: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pages, self._ask, self._told = pages, ask, told
        self._ends, self._clock, self._wall = ends, clock, wall
        self._first = True

    def answer(self, event: Any) -> dict[str, Any]:
        """Answer one event, whatever it is and whatever happens.

        Args:
            event: what Lambda hands over.

        Returns:
            What Lambda is to hand back to the gateway.
        """
        began, path, method, failure = self._clock(), "", "", {}
        try:
            asked = gateway.asked(event)
            path, method = asked.path, asked.method
            response = self._respond(asked, gateway.accept_encoding(event))
        except MarfaError as error:
            if isinstance(error, CloudError) and error.code:  # AWS's word, never a client's
                failure = {"failure": error.code}
            response = problem(error)
        except Exception as error:  # noqa: BLE001 - a traceback could carry what the client sent
            failure = {"failure": type(error).__name__}
            response = problem(unexplained())
        if method == "HEAD":
            response = replace(response, body=b"")
        answer = gateway.answered(response, event)
        said = replace(response, status=answer["statusCode"])
        more = {"first": self._first, **failure, **self._told()}
        noting.note(path, said, self._clock() - began, self._pages, **more)
        self._first = False
        return answer

    def _respond(self, asked: Request, accept_encoding: str) -> Response:
        page = self._pages.get(asked.path)
        if page is None and asked.path not in PINGS:
            return self._ask(asked)
        if asked.method not in _READING:
            raise routing.not_allowed(", ".join(_READING))
        if page is None:
            return self._ask(Request(_READING[0], PINGS[0]))
        found = page.answer(accept_encoding)
        return self._leased(found) if asked.path == _ALIVE else found

    def _leased(self, found: Response) -> Response:
        """Tell how long the lease runs: seconds, since a visitor's clock may be wrong."""
        if self._ends is None:
            return found
        left = max(0, int(self._ends - self._wall()))
        return replace(found, headers={**found.headers, _LEFT: str(left)})
