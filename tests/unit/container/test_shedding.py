"""A question that is refused unread is one that a parser would have read as the same."""

import httptools
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from marfa.container.shedding import answer, whole_question

CURL = (
    b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 4\r\n\r\ngood"
)
REQUESTS = (
    b"POST /v1/predict HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: python-requests/2.32.3\r\n"
    b"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Length: 16\r\n"
    b'Content-Type: application/json\r\n\r\n{"text": "good"}'
)
CHROMIUM = (
    b"POST /v1/generate HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive\r\n"
    b'Content-Length: 2\r\nsec-ch-ua: "Chromium";v="156"\r\nContent-Type: application/json\r\n'
    b"Origin: http://localhost:8080\r\nSec-Fetch-Site: same-origin\r\n\r\n{}"
)
NAMES = [
    b"Host", b"Content-Length", b"content-length", b"Connection", b"Expect", b"Upgrade",
    b"Transfer-Encoding", b"X-Request-ID", b"Accept", b"Content-Type", b"x_y", b"Connection ",
    b"content-length\t", b"", b" Host",
]  # fmt: skip
VALUES = [
    b"0", b"3", b"4", b"04", b"+4", b"4, 4", b"99999", b"keep-alive", b"close", b"keep-alive, upgrade",
    b"websocket", b"100-continue", b"chunked", b"", b"a\tb", b"a\rb", b"\xe9", b"x",
]  # fmt: skip


class Read:
    """What a parser makes of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.body, self.names = b"", b"", []
        self.begun = self.ended = 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_message_begin(self):
        self.begun += 1

    def on_url(self, url):
        self.url += url

    def on_header(self, name, value):
        self.names.append(name.lower())

    def on_headers_complete(self):
        self.goes_on = self.parser.should_keep_alive() and not self.parser.should_upgrade()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.ended += 1


def agrees(data: bytes) -> bool:
    """Whether the bytes are known at sight; fail if they are and the parser thinks otherwise."""
    path = whole_question(data)
    if path is None:
        return False
    read = Read(data)
    assert (read.begun, read.ended) == (1, 1)
    assert (read.url, read.parser.get_method()) == (path.encode(), b"POST")
    assert read.parser.get_http_version() == "1.1"
    assert read.goes_on
    assert data.endswith(b"\r\n\r\n" + read.body)
    assert not {b"expect", b"transfer-encoding", b"upgrade", b"x-request-id"} & {*read.names}
    assert read.names.count(b"content-length") == 1
    return True


@pytest.mark.parametrize("data", [CURL, REQUESTS, CHROMIUM])
def test_what_clients_send_is_known_at_sight(data):
    assert agrees(data)
    for part in range(len(data)):
        assert not agrees(data[:part])
    assert not agrees(data + b"P")
    assert not agrees(data * 2)


@pytest.mark.parametrize(
    "line",
    [
        "Connection: close", "Connection: Upgrade", "Expect: 100-continue", "Transfer-Encoding: chunked",
        "Proxy-Connection: close",
        "Upgrade: h2c", "X-Request-ID: mine", "Content-Length: 4", "Content-Length: 5",
        "EXPECT: 100-Continue",
        " folded", "no colon", "Host : x", ": x", "Accept: \x01",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [b"Host:", b"Content-Length:", b"\r\ngood"])
def test_what_says_more_is_left_to_the_parser(line, place):
    assert CURL.count(place) == 1
    assert not agrees(CURL.replace(place, line.encode() + b"\r\n" + place))


OTHERWISE = {
    "POST": [b"post", b"GET", b"POST\t"],
    "/invocations": [b"/INVOCATIONS", b"/v1/predict", b"/ping", b"/invocations?x", b"*"],
    "1.1": [b"1.0", b"1.10", b"2.0"],
    ": ": [b":", b":  "],
}


@given(
    st.fixed_dictionaries({usual: st.sampled_from(other) for usual, other in OTHERWISE.items()}),
    st.sets(st.sampled_from([*OTHERWISE]), max_size=1),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=2),
    st.sampled_from([b"", b"x", b"xxx", b"good", b"0\r\n\r\n"]),
    st.integers(0, 9).map(bool),
)
def test_whatever_is_put_together(other, where, headers, body, told):
    parts = {usual: other[usual] if usual in where else usual.encode() for usual in OTHERWISE}
    method, path, version, colon = parts.values()
    lines = [
        method + b" " + path + b" HTTP/" + version,
        *(name + colon + value for name, value in headers),
        *([b"Content-Length: %d" % len(body)] if told else []),
    ]
    event("known at sight" if agrees(b"\r\n".join(lines) + b"\r\n\r\n" + body) else "left")


@given(st.sampled_from([CURL, REQUESTS, CHROMIUM]), st.data())
def test_whatever_is_changed(whole, data):
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        new = data.draw(
            st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b":", b"\0", b"4", b"\xff", b"a"])
        )
        changed[at : at + data.draw(st.integers(0, 2))] = new
    agrees(bytes(changed))


def test_the_answer_bears_the_name_or_a_new_one():
    assert b"\r\nx-request-id: mine\r\n" in answer(b"mine")
    assert b"\r\nx-request-id: " + b"x" * 64 + b"\r\n" in answer(b"x" * 100)
    assert answer() != answer()
