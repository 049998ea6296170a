"""HTTP on this machine: what is asked is what arrives, and what is no request is refused, at once."""

import http.client
import json
import socket
import time

import pytest

from marfa.errors import SettingsError
from marfa.rehearsal.loopback import Answer, Asked, Door

LIMIT = 1000


class Echo:
    """Answers with what was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, asked):
        self.asked.append(asked)
        if asked.path == "/stream":
            return Answer(200, (("X-A", "b"),), iter([b"one", b"", b"two"]))
        return Answer(200, (("Content-Type", "text/plain"),), asked.body or b"-")


def refuse(status):
    return Answer(status, (("Content-Type", "application/json"),), json.dumps(status).encode())


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def door(echo):
    with Door(echo, refuse, most_bytes=LIMIT) as door:
        yield door


def raw(door, content, *, half=False):
    """Send bytes as they are, and return all that comes back until the line is closed."""
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(content)
        if half:
            line.shutdown(socket.SHUT_WR)
        found = b""
        while piece := line.recv(1 << 16):
            found += piece
        return found


def test_what_was_asked_arrives_as_it_was(door, echo):
    line = http.client.HTTPConnection(door.url.removeprefix("http://"))
    line.putrequest("POST", "/a%20b?c=d&c=e", skip_accept_encoding=True)
    for name, value in (("X-One", "1"), ("x-one", "2"), ("Content-Length", "4")):
        line.putheader(name, value)
    line.endheaders(b"good")
    assert line.getresponse().read() == b"good"
    (asked,) = echo.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/a%20b", "c=d&c=e")
    assert asked.header("x-ONE") == "1,2"
    line.request("GET", "/again")  # the same connection
    assert line.getresponse().read() == b"-"
    line.close()


def test_a_body_in_chunks_is_one_body(door, echo):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    found = raw(door, head + b"3;x=y\r\nhar\r\n4\r\nbour\r\n0\r\nTrailer: z\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200")
    assert echo.asked[0].body == b"harbour"


def test_who_waits_to_be_asked_for_the_body_is_asked(door):
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 100 ")
        line.sendall(b"good")
        assert line.recv(1000).endswith(b"good")


def test_an_answer_in_pieces_is_sent_as_it_is_made(door):
    line = http.client.HTTPConnection(door.url.removeprefix("http://"))
    line.request("GET", "/stream")
    answer = line.getresponse()
    assert (answer.headers["Transfer-Encoding"], answer.read()) == ("chunked", b"onetwo")
    line.close()


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"nonsense and more of it\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1e3\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (POST + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\n", 413),
        (CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n", 400),
        (CHUNKED.replace(b"chunked", b"gzip, chunked") + b"\r\n0\r\n\r\n", 400),
        (CHUNKED + b"\r\nzz\r\n", 400),
        (CHUNKED + b"\r\n-5\r\n", 400),
        (CHUNKED + b"\r\n3e9\r\n", 413),
        (CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_line_closed(door, echo, content, status):
    began = time.monotonic()
    head, _, body = raw(door, content).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.0 %d " % status))
    assert json.loads(body) == status
    assert (time.monotonic() - began < 3, echo.asked) == (True, [])


def test_a_body_that_never_comes_whole_is_no_request(door, echo):
    assert b" 400 " in raw(door, POST + b"Content-Length: 9\r\n\r\nabc", half=True)
    assert echo.asked == []


def test_a_head_has_a_length_and_no_body(door):
    found = raw(door, b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 1\r\n" in found
    assert found.endswith(b"\r\n\r\n")


def test_a_port_that_is_taken_is_said(door, echo):
    port = int(door.url.rpartition(":")[2])
    with pytest.raises(SettingsError, match="cannot listen") as caught:
        Door(echo, refuse, port=port, most_bytes=1)
    assert "--port" in caught.value.hint


def test_nobody_listens_and_no_line_is_kept_when_it_has_ended(echo):
    with Door(echo, refuse, most_bytes=LIMIT) as door:
        kept = http.client.HTTPConnection(door.url.removeprefix("http://"), timeout=5)
        kept.request("GET", "/")
        kept.getresponse().read()
    assert kept.sock.recv(1) == b""
    kept.close()
    other = http.client.HTTPConnection(door.url.removeprefix("http://"), timeout=1)
    with pytest.raises(ConnectionRefusedError):
        other.connect()


def test_a_header_is_found_whatever_its_case():
    assert Asked("GET", "/", (("CONTENT-type", "a/b"),)).header("Content-Type") == "a/b"
