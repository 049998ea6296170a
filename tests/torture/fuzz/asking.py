"""Requests by the thousand: through the pure function, and over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from tests.torture.fuzz import naughty, questions
from tests.torture.fuzz.served import MARK, Markers, Served, Tally, fault

from marfa.container import contract
from marfa.container.contract import Limits, Request, Response
from marfa.model import Model

Respond = Callable[[Model, Request, Limits], Response]

LIMITS = Limits(max_length=200)
KINDS = ("text/plain", "application/json", "application/jsonlines", "application/octet-stream")


def _each(count: int, seed: int, strange: bool, work: Callable[[Request], None]) -> None:
    """Draw requests and do something with each; what it finds does not end the search."""
    chosen = settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @chosen
    @seeded(seed)
    @given(questions.request(strange=strange))
    def drawn(request: Request) -> None:
        work(request)

    drawn()


def marked(request: Request, markers: Markers) -> Request:
    """Put one marker into all parts of a request."""
    body, marker = markers.into(request.body)
    return replace(
        request,
        path=request.path.replace(MARK, marker),
        content_type=request.content_type.replace(MARK, marker),
        accept=request.accept.replace(MARK, marker),
        body=body,
    )


def through_the_function(
    model: Model, count: int, seed: int, respond: Respond = contract.respond
) -> Tally:
    """Ask the pure function, which may raise nothing at all."""
    tally, markers = Tally(), Markers(seed)

    def ask(request: Request) -> None:
        try:
            found = respond(model, marked(request, markers), LIMITS)
        except Exception as error:  # noqa: BLE001, that is what is looked for
            tally.add(f"{type(error).__name__} out of the function")
            return
        tally.add(fault(found.status, found.content_type, found.body, markers.prefix))

    _each(count, seed, False, ask)
    return tally


class Client:
    """Asks over one connection, and a new one wherever that ended.

    Args:
        served: whom.
        markers: numbers what is sent.
    """

    def __init__(self, served: Served, markers: Markers) -> None:
        self._served, self._markers = served, markers
        self._line: http.client.HTTPConnection | None = None

    def ask(self, request: Request) -> str:
        """Ask, and say what is wrong with the answer."""
        for fresh in (False, True):  # a kept connection may have been closed meanwhile
            try:
                return self._ask(request)
            except (http.client.HTTPException, ConnectionError) as error:
                self.close()
                if fresh:
                    return f"no answer: {type(error).__name__}"
            except TimeoutError:
                self.close()
                return "no answer in time"
        raise AssertionError

    def _ask(self, request: Request) -> str:
        line = self._line = self._line or self._served.connect()
        headers = {"Content-Type": request.content_type, "Accept": request.accept}
        line.putrequest(request.method, request.path, skip_accept_encoding=True)
        for name, value in headers.items():
            line.putheader(name, value.encode("latin-1", "replace"))
        line.putheader("Content-Length", str(len(request.body)))
        line.endheaders(request.body)
        found = line.getresponse()
        kind, body = found.headers.get("Content-Type", ""), found.read()
        if found.will_close:
            self.close()
        head = request.method == "HEAD"
        return fault(found.status, kind, body, self._markers.prefix, head=head)

    def close(self) -> None:
        """Hang up."""
        if self._line:
            self._line.close()
            self._line = None


def over_http(served: Served, count: int, seed: int) -> Tally:
    """Ask a server what Hypothesis draws."""
    tally, markers = Tally(), Markers(seed)
    client = Client(served, markers)
    _each(count, seed, True, lambda request: tally.add(client.ask(marked(request, markers))))
    client.close()
    for each in served.faults(markers.prefix):
        tally.add(each)
    return tally


def naughty_strings(served: Served, key: str, seed: int, every: int = 1) -> Tally:
    """Ask a server with each string of the list, in four content types; `key` is its JSON's."""
    tally, markers = Tally(), Markers(seed)
    client = Client(served, markers)
    for text in naughty.strings()[seed % every :: every]:
        for kind in KINDS:
            marker = markers.next()
            whole = text + marker
            raw = whole.encode("utf-8", "surrogatepass")
            if kind.endswith("json"):
                raw = json.dumps({key: whole}).encode()
            elif kind.endswith("lines"):
                raw = b"\n".join((json.dumps({"text": whole}).encode(), raw))
            tally.add(client.ask(Request("POST", "/invocations", kind, "", raw)))
    client.close()
    for each in served.faults(markers.prefix):
        tally.add(each)
    return tally
