"""What every host is asked: a model's golden requests, and what else a host may do something to."""

from marfa.container import questions
from marfa.container.contract import JSON, LINES, TEXT, Request

_MEBIBYTE = 1 << 20


def of(model):
    """Yield pairs: a few words for the table, and the request."""
    for number, request in enumerate(questions.of(model), 1):
        yield f"golden {number}", request
    yield from _judging() if model.task == "classifier" else _writing()
    good, prompt = b"a wonderful film", b'{"length": 9, "seed": 1}'
    yield "no type", _post("", JSON, good)
    yield "a form", _post("application/x-www-form-urlencoded", JSON, b"text=good")
    yield "parts of a form", _post("multipart/form-data; boundary=x", JSON, b"--x--")
    yield "latin-1", _post(f"{TEXT}; charset=latin-1", JSON, good)
    yield "JSON that is no UTF-8", _post(JSON, JSON, b'{"a": "\xff"}')
    yield "the same, with a charset", _post(f"{JSON}; charset=utf-8", JSON, b'{"a": "\xff"}')
    yield "JSON with a byte order mark", _post(JSON, JSON, b"\xef\xbb\xbf" + prompt)
    yield "no JSON, for an image", _post(JSON, "image/png", b"{")
    yield "empty, for an image", _post(TEXT, "image/png", b"")
    yield "a byte too much", _post(TEXT, JSON, b"a" * (_MEBIBYTE + 1))
    yield "7 MiB", _post(TEXT, JSON, b"a" * (7 * _MEBIBYTE))


def _judging():
    one, two = b'{"text": "a wonderful film"}', b'{"texts": ["good", "dull"]}'
    yield "lines, for anything", _post(LINES, "*/*", one)
    yield "lines, nothing said", _post(LINES, "", one + b"\n" + one)
    yield "lines, for JSON", _post(LINES, JSON, one)
    yield "lines by another name", _post("application/x-ndjson", "application/jsonl", one)
    yield "two texts, for a word", _post(JSON, TEXT, two)
    yield "two texts, as lines", _post(JSON, LINES, two)
    yield "rather a word", _post(TEXT, f"{TEXT}, {JSON};q=0.5", b"a wonderful film")
    yield "unknown, for an image", _post(TEXT, "image/png", b"qzxjv wvkqz")


def _writing():
    long = b'{"length": 300, "seed": 7, "temperature": 0.5}'
    for name, accept in (("JSON", JSON), ("a text", TEXT), ("events", "text/event-stream")):
        yield f"300 characters, for {name}", _post(JSON, accept, long)
    yield "for any text", _post(JSON, "text/*", long)
    yield "too long, for an image", _post(JSON, "image/png", b'{"length": 1000000}')


def _post(content_type, accept, body):
    return Request("POST", "/invocations", content_type, accept, body)


def short(request):
    """A request in a few words."""
    kind = request.content_type or "no type"
    body = request.body[:24].decode("ascii", "backslashreplace").replace("|", "\\|")
    more = "..." if len(request.body) > 24 else ""
    wanted = f" for {request.accept}" if request.accept else ""
    return f"{request.method} {request.path}, {kind}{wanted}: {body}{more}".rstrip(": ")
