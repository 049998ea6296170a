"""Read by schemathesis in its own environment: how a list becomes JSON Lines."""

import json

import schemathesis


@schemathesis.serializer("application/jsonlines")
def lines(context, value):
    rows = value if isinstance(value, list) else [value]
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
