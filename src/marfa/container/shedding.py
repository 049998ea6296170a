"""Refusing a question that cannot be taken, for as little as it can be done for.

Where there is ten times too much to do, what a refusal costs decides how much is still done. One that is
written by the connection costs a fraction of one that goes through the application, and half of that is
what a parser and its callbacks take for every header.
"""

from __future__ import annotations

import re

from marfa import errors
from marfa.container import routing
from marfa.container.messages import TOO_MANY
from marfa.container.outgoing import made_name, refusal

_TELLING = "(?:proxy-)?connection|content-length|expect|transfer-encoding|upgrade|x-request-id"
_HEADERS = (
    rf"(?:(?!(?:{_TELLING}):)[a-z0-9_-]++:(?-i:[ -~]*+)\r\n|connection: keep-alive\r\n){{0,64}}+"
)
_QUESTION = re.compile(
    rf"POST ({'|'.join(routing.ASKED)}) HTTP/1\.1\r\n"
    rf"(?i:{_HEADERS}content-length: ?([0-9]{{1,5}})\r\n{_HEADERS})\r\n".encode("ascii")
)
"""What is looked at is bounded, since what does not match is then read by the parser besides."""
_ANSWER = refusal(errors.OverloadedError(TOO_MANY), "%b", "keep-alive")


def whole_question(data: bytes) -> str | None:
    r"""Return the address that one ordinary question, there to its last byte, is for.

    Nothing is guessed: what is matched is what a parser reads as one request that says nothing of its
    connection and has no name of its own, and everything else is left to the parser.

    Args:
        data: what has arrived on a connection, from the beginning of a request on.

    >>> whole_question(b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
    '/invocations'
    >>> whole_question(b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\n\r\nhi")
    """
    found = _QUESTION.match(data)
    if found is None or len(data) != found.end() + int(found[2]):
        return None
    return found[1].decode("ascii")


def answer(name: bytes = b"") -> bytes:
    r"""Return what refuses a question, whole, as it stands on the line.

    Args:
        name: the request's, of which a part is told with it; one is made if not given.

    >>> answer().split(b"\r\n")[0]
    b'HTTP/1.1 503 Service Unavailable'
    """
    return _ANSWER % (name[:64] or made_name().encode("ascii"))
