"""What API Gateway hands to a function: HTTP requests as events of an HTTP API (payload format 2.0)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from marfa.rehearsal.loopback import Asked

_TEXTS = {"application/json", "application/javascript", "application/xml"}
"""With text/*, the types whose bodies are handed on as text. AWS does not list them; this is what others
have seen there: everything else comes in base64, a body without a type and a form too."""

_HOPS = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
    *("transfer-encoding", "upgrade", "expect", "proxy-connection"),
}
"""Headers that are about one line and not about the request."""

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An HTTP API, as its events name it.

    Attributes:
        api: its id.
        account: the account's number.
        region: where it is.
        stage: "$default", or a name, which then stands in front of every path.
        source: the address of whoever asks.
    """

    api: str = "abc123"
    account: str = "123456789012"
    region: str = "eu-west-1"
    stage: str = "$default"
    source: str = "127.0.0.1"

    @property
    def domain(self) -> str:
        """Return the API's domain."""
        return f"{self.api}.execute-api.{self.region}.amazonaws.com"


def http(asked: Asked, place: Place, now: datetime, request_id: str = "") -> dict[str, Any]:
    """Write the event of a request.

    Args:
        asked: the request.
        place: the API.
        now: when it came.
        request_id: its name; a new one if empty.

    Returns:
        A document in the payload format 2.0.
    """
    request_id = request_id or base64.b64encode(secrets.token_bytes(11)).decode("ascii")
    headers = _headers(asked, place, now)
    cookies = [each.strip() for each in asked.header("cookie").replace(",", ";").split(";")]
    parameters = _joined(parse_qsl(asked.query, keep_blank_values=True))
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": asked.path,
        "rawQueryString": asked.query,
        **({"cookies": [each for each in cookies if each]} if any(cookies) else {}),
        "headers": headers,
        **({"queryStringParameters": parameters} if parameters else {}),
        "requestContext": {
            "accountId": place.account,
            "apiId": place.api,
            "domainName": place.domain,
            "domainPrefix": place.api,
            "http": {
                "method": asked.method,
                "path": asked.path,
                "protocol": asked.protocol,
                "sourceIp": place.source,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": place.stage,
            "time": _stamp(now),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        **packed(asked),
    }


def packed(asked: Asked) -> dict[str, Any]:
    """Return the body as a gateway hands it on: text as it is, everything else in base64.

    >>> packed(Asked("POST", "/", (("Content-Type", "text/plain"),), b"good"))
    {'body': 'good', 'isBase64Encoded': False}
    >>> packed(Asked("POST", "/", (), b"good"))
    {'body': 'Z29vZA==', 'isBase64Encoded': True}
    """
    if not asked.body:
        return {"isBase64Encoded": False}
    kind = asked.header("content-type").partition(";")[0].strip().lower()
    if (kind.startswith("text/") or kind in _TEXTS) and not asked.header("content-encoding"):
        try:
            return {"body": asked.body.decode("utf-8"), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(asked.body).decode("ascii"), "isBase64Encoded": True}


def _headers(asked: Asked, place: Place, now: datetime) -> dict[str, str]:
    """Return the headers by their names in lower case, those of one name joined, the gateway's added."""
    found = _joined(_kept(asked))
    forwarded = found.get("x-forwarded-for", "")
    trace = f"Root=1-{int(now.timestamp()):08x}-{secrets.token_hex(12)}"
    return dict(
        sorted(
            {
                "content-length": str(len(asked.body)),
                **found,
                "host": place.domain,
                "x-amzn-trace-id": found.get("x-amzn-trace-id", trace),
                "x-forwarded-for": f"{forwarded}, {place.source}" if forwarded else place.source,
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            }.items()
        )
    )


def _kept(asked: Asked) -> Iterator[tuple[str, str]]:
    for name, value in asked.headers:
        lower = name.lower()
        if lower not in _HOPS and lower != "cookie":
            yield lower, value


def _joined(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> dict[str, str]:
    """Join what has one name by commas.

    >>> _joined([("a", "1"), ("b", "2"), ("a", "3")])
    {'a': '1,3', 'b': '2'}
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def _stamp(now: datetime) -> str:
    """Write a moment as the logs of web servers do, in English whatever this machine speaks.

    >>> from datetime import UTC
    >>> _stamp(datetime(2026, 3, 10, 5, 16, 23, tzinfo=UTC))
    '10/Mar/2026:05:16:23 +0000'
    """
    return f"{now:%d}/{_MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000"
