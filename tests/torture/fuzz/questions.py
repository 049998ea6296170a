# ruff: noqa: E501
"""Requests of every shape, as Hypothesis draws them: right ones, wrong ones, and what is next to right."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import strategies as st
from tests.torture.fuzz.served import MARK

from marfa.container.contract import Request

TYPES = (
    "text/plain", "application/json", "application/jsonlines", "application/x-ndjson", "application/jsonl",
    "text/plain; charset=utf-8", "TEXT/PLAIN;CHARSET=\"UTF-8\"", "application/json; charset=utf-8",
    "application/json;charset=utf-16", "text/plain; charset=latin-1", "text/plain; charset=" + MARK,
    "application/json; charset=idna", "text/plain;charset=", "text/plain;;;=;", ";", "/", "*/*", "",
    "text/" + MARK, "multipart/form-data; boundary=" + MARK, "application/x-www-form-urlencoded",
    "application/octet-stream", "text/html", "image/png", "application/json, text/plain", "\u00e9/\u00e9",
    "application/json" + "; a=b" * 300, "a" * 4000, "text/csv", "application/x-npy", "application/problem+json",
)  # fmt: skip
ACCEPTS = (
    "", "*/*", "application/json", "text/plain", "application/jsonlines", "text/event-stream", "text/*",
    "application/*;q=0.5, text/plain;q=0.6", "text/plain;q=0", "*/*;q=0", "application/json;q=NaN",
    "application/json;q=1e999", "application/json;q=-1", "a;q=" + MARK, "q=1", ",,,;;;", "*", "*/json",
    "text/plain;q=0.0000000000000001", "image/png", MARK + "/" + MARK, ", ".join(["a/b"] * 500),
    "text/event-stream, */*;q=0.1", "application/x-ndjson",
)  # fmt: skip
PATHS = ("/invocations", "/v1/predict", "/v1/generate", "/ping", "/v1/model")
STRANGE = (
    "/", "/" + MARK, "/invocations/", "//invocations", "/v1/predict?text=" + MARK, "/v1/%2e%2e/ping", "/%00",
    "/../../etc/passwd", "/docs", "/metrics", "/healthz", "/readyz", "/openapi.json", "/own.bin", "/sw.js",
    "/invocations;" + MARK, "/INVOCATIONS", "/v1", "/favicon.ico", "/.env", "/" + "a" * 3000,
)  # fmt: skip

_any = st.text(st.characters(exclude_categories=()), max_size=20)
_text = st.one_of(
    _any,
    st.sampled_from(
        ("good film", "a wonderful evening", "", " ", "\0", "<b>good", "&#39;", "\ud800 good")
    ),
    st.builds(lambda text, count: text * count, _any, st.integers(0, 60)),
).map(lambda text: text + MARK)
_number = st.one_of(
    st.integers(-5, 300),
    st.sampled_from(
        (0, -0.0, 1.0, 0.5, 1e308, -1e308, 5e-324, 1 << 53, 1 << 64, -(1 << 63), 10**400, 2.5)
    ),
    st.floats(),
)
_scalar = st.one_of(st.none(), st.booleans(), _number, _text)
_value = st.recursive(
    _scalar,
    lambda each: st.one_of(
        st.lists(each, max_size=4), st.dictionaries(_any.map(lambda k: k + MARK), each, max_size=3)
    ),
    max_leaves=6,
)
_KEYS = ("text", "texts", "explain", "prompt", "length", "temperature", "top_k", "top_p", "seed", "continuation")  # fmt: skip
_judged = st.fixed_dictionaries({}, optional={"text": _text, "explain": st.booleans() | _value})
_many = st.fixed_dictionaries(
    {"texts": st.lists(_text | _scalar, max_size=5)}, optional={"explain": st.booleans()}
)
_made = st.fixed_dictionaries(
    {},
    optional={
        "prompt": _text | st.just("a"),
        "length": st.integers(1, 60) | _number | _scalar,
        "temperature": st.floats(0, 2) | _number | _scalar,
        "top_k": st.integers(0, 50) | _number | _scalar,
        "top_p": st.floats(0.01, 1) | _number | _scalar,
        "seed": st.integers(0, 1 << 31) | _number | _scalar,
        "continuation": _text
        | st.sampled_from(("1.aa", "5.", ".", "99999999999999999999.aa", "-1.a")),
    },
)
_odd = st.dictionaries(st.sampled_from(_KEYS) | _any, _value, max_size=4)
document = st.one_of(_judged, _many, _made, _made, _odd, _value)


def _written(found: Any, ascii_only: bool, spaced: bool) -> bytes:
    """Write as Python does, which knows NaN; halves of surrogate pairs become what is no UTF-8."""
    text = json.dumps(found, ensure_ascii=ascii_only, indent=1 if spaced else None)
    return text.encode("utf-8", "surrogatepass")


_json = st.builds(_written, document, st.booleans(), st.booleans())
_lines = st.lists(_json | st.binary(max_size=20), max_size=6).map(b"\n".join)
_plain = st.one_of(
    _text.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(lambda n, text: f"{n}-{text}".encode("utf-8", "surrogatepass"), _number, _text),
)
_CODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252", "cp037")


def _mutated(body: bytes, seed: int) -> bytes:
    """Do to a body what lines and editors do."""
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 3)):
        at, to = sorted((dice.randint(0, len(body)), dice.randint(0, len(body))))
        kind = dice.randrange(10)
        if kind == 0:
            body = body[:at]
        elif kind == 1:
            body = body[:at] + bytes([dice.randrange(256)]) + body[at:]
        elif kind == 2:
            body = body[:at] + body[to:]
        elif kind == 3:
            body = body[:to] + body[at:to] + body[to:]
        elif kind == 4:
            body = b"\xef\xbb\xbf" + body
        elif kind == 5:
            body = body.decode("utf-8", "ignore").encode(dice.choice(_CODINGS), "ignore")
        elif kind == 6:
            body = body.replace(b":", b":" + b"[" * dice.choice((1, 900, 5000)), 1)
        elif kind == 7:
            body = body.replace(b"}", b', "text": "a", "text": "b"}')
        elif kind == 8:
            body = body.replace(b"1", b"1" * dice.choice((400, 5000)), 1)
        else:
            body = body + b"\0" * dice.randint(1, 9) + body
    return body


_clean = st.one_of(_json, _json, _lines, _plain, st.binary(max_size=60))
body = st.one_of(_clean, st.builds(_mutated, _clean, st.integers(0, 1 << 30)))
_right = st.sampled_from(TYPES[:3])


def request(*, strange: bool = False) -> st.SearchStrategy[Request]:
    """Return the strategy of one request; `strange` ones have paths that nobody serves, too."""
    paths = st.sampled_from(PATHS[:2] * 2 + PATHS + (STRANGE if strange else ()))
    methods = st.sampled_from(("POST",) * 8 + ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"))
    kinds = _right | _right | st.sampled_from(TYPES)
    accepts = st.just("") | st.sampled_from(ACCEPTS)
    return st.builds(Request, methods, paths, kinds, accepts, body)
