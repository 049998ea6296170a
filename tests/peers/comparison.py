"""The one comparison: what a host answers to a request, beside what `marfa serve` does.

Status, content type and every byte of the body are equal, or they are not. A host may be in no position
to be asked something, or answer it itself; then it says so beforehand, and is held to it.
"""

import json
from dataclasses import dataclass

from marfa.container.contract import Response, respond

EQUAL, DIFFERENT, OWN, UNASKED = "=", "≠", "own", "-"


@dataclass(frozen=True)
class Row:
    """One request asked of one host.

    Attributes:
        name: the request's.
        request: itself.
        verdict: EQUAL; DIFFERENT; OWN, if the host answers it and not the model; UNASKED.
        found: what the host answered; None where it was not asked.
        expected: what the contract answers.
        why: the host's reason where it said that it would answer otherwise.
    """

    name: str
    request: object
    verdict: str
    found: object
    expected: object
    why: str = ""

    @property
    def told(self):
        """Both answers, for somebody who has to find out."""
        parts = (self.name, self.request, self.found, self.expected)
        return "\n    ".join(str(part)[:500] for part in parts)


def compare(model, asked, host, ask):
    """Ask a host everything.

    Args:
        model: the loaded model, on the reference engine.
        asked: names and requests.
        host: says of a request why it cannot be asked, or why it would be answered otherwise.
        ask: answers a request. A content type of None is one that the host does not hand on.

    Returns:
        A row for each request.
    """
    rows = []
    for name, request in asked:
        expected = respond(model, request)
        if why := host.unasked(request):
            rows.append(Row(name, request, UNASKED, None, expected, why))
            continue
        why, found = host.own(request, expected), ask(request)
        verdict = EQUAL if same(found, expected) else OWN if why else DIFFERENT
        rows.append(Row(name, request, verdict, found, expected, why))
    return rows


def same(found, expected):
    """Whether an answer is the contract's, to the byte."""
    kind = expected.content_type if found.content_type is None else found.content_type
    told = (found.status, kind, found.body)
    return told == (expected.status, expected.content_type, expected.body)


def response(status, content_type, body):
    """An answer as a host gave it."""
    return Response(status, content_type, bytes(body))


def is_ours(found):
    """Whether an answer is a problem document of marfa's, whoever handed it over."""
    try:
        return set(json.loads(found.body)) == {"type", "title", "status", "detail"}
    except (ValueError, TypeError):
        return False
