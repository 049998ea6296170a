"""What a stream of server-sent events tells; for every test that reads one."""

import json
from typing import Any

Event = tuple[str, str, Any]


def events(body: bytes) -> list[Event]:
    r"""Return id, name and data of each whole event; heartbeats, and what is cut, are left out.

    >>> events(b'event: start\ndata: {}\n\n: here\n\nid: 1\nevent: text\ndata: {"text": "a"}\n\nev')
    [('', 'start', {}), ('1', 'text', {'text': 'a'})]
    """
    found = []
    for block in body[: body.rfind(b"\n\n") + 2].decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "" not in fields:  # a comment
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


def written(found: list[Event]) -> str:
    """Return what is written in events, without the prompt."""
    return "".join(said["text"] for _, name, said in found if name == "text")


def text_of(found: list[Event]) -> str:
    """Return the whole text that a stream told."""
    return str(found[0][2]["prompt"]) + written(found)
