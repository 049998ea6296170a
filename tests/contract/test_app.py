"""The HTTP server: the contract's answers, limits while reading, nothing leaked."""

import base64
import contextlib
import gzip
import hashlib
import http.client
import json
import socket
import threading
import time

import pytest
from tests.contract.doors import assert_served_as_the_contract_does

from marfa.settings import ServeSettings
from marfa.stages.serve import Running

LIMIT = 50_000


@pytest.fixture(scope="module")
def running(model_path):
    settings = ServeSettings(port=0, max_body_bytes=LIMIT, body_seconds=0.5, engine="numpy")
    with Running(model_path, settings) as server:
        yield server


def connect(running):
    host, port = running.url.removeprefix("http://").rstrip("/").split(":")
    return http.client.HTTPConnection(host, int(port), timeout=60)


def ask(running, method, path, body=None, headers=None):
    connection = connect(running)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_the_server_answers_as_the_contract_byte_for_byte(running):
    assert_served_as_the_contract_does(running, ask)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/page.js", "text/javascript"),
        ("/site.webmanifest", "application/manifest+json"),
        ("/icon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
        ("/healthz", "application/json"),
        ("/readyz", "application/json"),
        ("/ping", "application/json"),
        ("/v1/model", "application/json"),
        ("/metrics", "text/plain"),
    ],
)
def test_every_address_answers_with_its_kind_and_a_policy(running, path, kind):
    status, headers, body = ask(running, "GET", path)
    assert status == 200
    assert headers["content-type"].startswith(kind)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert body


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_has_its_styles_in_it_and_one_policy_that_takes_no_others(running, path):
    with contextlib.closing(connect(running)) as line:
        line.request("GET", path)
        answer = line.getresponse()
        policies, body = answer.headers.get_all("Content-Security-Policy"), answer.read()
    style = body.split(b"<style>")[1].split(b"</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert len(policies) == 1
    assert f"; style-src 'sha256-{digest}';" in policies[0]
    assert "default-src 'none'; script-src 'self';" in policies[0]
    assert b"stylesheet" not in body


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nowhere", 404), ("POST", "/ping", 405), ("GET", "/invocations", 405),
    ("DELETE", "/v1/predict", 405), ("OPTIONS", "/invocations", 405), ("OPTIONS", "/ping", 405),
    ("TRACE", "/v1/predict", 405), ("GET", "/..%2f..%2fetc/passwd", 404), ("GET", "//", 404),
    ("GET", "/ping/", 404),
])  # fmt: skip
def test_wrong_addresses_are_problems(running, method, path, status):
    found, headers, body = ask(running, method, path)
    assert found == status
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["status"] == status
    if status == 405:
        assert headers["allow"] == ("GET, HEAD" if path == "/ping" else "POST")


PAGES = ("/", "/docs", "/page.js", "/docs.js", "/icon.svg", "/openapi.json")
STATES = ("/healthz", "/readyz", "/ping", "/v1/model", "/metrics")


@pytest.mark.parametrize("path", [*PAGES, *STATES])
def test_head_answers_as_get_without_the_body(running, path):
    status, headers, body = ask(running, "HEAD", path)
    _, expected, content = ask(running, "GET", path)
    assert (status, body) == (200, b"")
    assert headers["content-type"] == expected["content-type"]
    if path != "/metrics":  # which counts the first of the two
        assert int(headers["content-length"]) == len(content)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_packed_to_who_takes_that_and_is_the_same(running, path):
    _, plain, content = ask(running, "GET", path, headers={"Accept-Encoding": "identity"})
    _, packed, body = ask(running, "GET", path, headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == "gzip"
    assert gzip.decompress(body) == content
    assert int(packed["content-length"]) == len(body) < len(content)
    for headers in (plain, packed):
        assert headers["vary"] == "Accept-Encoding"
        assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("coding", "status"),
    [("gzip", 415), ("identity, gzip", 415), ("x", 415), ("identity", 200), ("Identity", 200)],
)
def test_a_body_in_another_coding_is_refused_and_not_read_as_text(running, coding, status):
    headers = {"Content-Type": "text/plain", "Content-Encoding": coding}
    found, answered, body = ask(running, "POST", "/invocations", b"wonderful", headers)
    assert found == status
    if status == 415:
        assert json.loads(body)["title"] == "Unsupported content type"
        assert answered["accept-encoding"] == "identity"


def test_a_large_body_is_refused_before_it_has_arrived(running):
    with socket.create_connection(connect(running).sock or _address(running), timeout=5) as line:
        line.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 100000000\r\n\r\n"
        )
        assert b" 413 " in line.recv(100)


def _address(running):
    host, port = running.url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port)


def test_a_large_body_without_a_length_is_cut(running):
    with socket.create_connection(_address(running), timeout=5) as line:
        line.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        for _ in range(LIMIT // 10_000 + 1):
            line.sendall(chunk)
        assert b" 413 " in line.recv(100)


def test_a_body_that_does_not_come_is_given_up(running):
    with socket.create_connection(_address(running), timeout=5) as line:
        line.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 10\r\n\r\nabc"
        )
        assert b" 408 " in line.recv(100)


HALF = (
    b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 9\r\n\r\nwonde"
)


def until(condition):
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_client_that_hangs_up_is_counted_and_leaves_no_trace_in_the_log(model_path, caplog):
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        state = server.application.state
        with socket.create_connection(_address(server), timeout=5) as line:
            line.sendall(HALF)
            until(lambda: state.room.held == len(b"wonde"))
        until(lambda: b'path="/invocations",status="499"' in ask(server, "GET", "/metrics")[2])
        assert (state.waiting, state.room.held) == (0, 0)
    assert caplog.text == ""


def test_bodies_on_their_way_keep_nobody_out(model_path):
    with Running(model_path, ServeSettings(port=0, queue=1, engine="numpy")) as server:
        state = server.application.state
        lines = [socket.create_connection(_address(server), timeout=5) for _ in range(20)]
        for line in lines:
            line.sendall(HALF)
        until(lambda: state.room.held == len(lines) * len(b"wonde"))
        status, _, _ = ask(server, "POST", "/invocations", b"good", {"Content-Type": "text/plain"})
        assert status == 200
        lines[0].sendall(b"rful")
        assert b" 200 " in lines[0].recv(100)
        for line in lines:
            line.close()
        until(lambda: state.room.held == 0)


@pytest.mark.parametrize(
    ("held", "more", "told"),
    [
        (19_000_000, 3_000_000, 0),  # of the two largest the one that began first makes way
        (12_000_000, 19_000_000, 2),  # who would have more than each of the others does not get it
    ],
)
def test_bodies_are_held_up_to_a_sum(model_path, held, more, told):
    settings = ServeSettings(port=0, max_body_bytes=20_000_000, engine="numpy")
    head = HALF.partition(b"Content-Length")[0] + b"Content-Length: 20000000\r\n\r\n"
    with Running(model_path, settings) as server, contextlib.ExitStack() as opened:
        room = server.application.state.room
        lines = [
            opened.enter_context(socket.create_connection(_address(server), timeout=5))
            for _ in range(3)
        ]
        for number, line in enumerate(lines[:2], 1):
            line.sendall(head + b"x" * held)
            until(lambda sent=number: room.held == sent * held)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            lines[2].sendall(head + b"x" * more)
        assert b" 503 " in lines[told].recv(100)
        left = [held, held, more]
        del left[told]
        until(lambda: room.held == sum(left))
        opened.close()
        until(lambda: room.held == 0)


def test_uploads_that_stand_still_keep_nobody_out(model_path):
    settings = ServeSettings(port=0, max_body_bytes=2_000_000, engine="numpy")
    head = HALF.partition(b"Content-Length")[0] + b"Content-Length: 2000000\r\n\r\n"
    with Running(model_path, settings) as server, contextlib.ExitStack() as lines:
        room = server.application.state.room
        for _ in range(40):  # more than there is room for
            line = socket.create_connection(_address(server), timeout=5)
            lines.enter_context(line).sendall(head + b"x" * 1_000_000)
        until(lambda: room.held > room.limit - 1_000_000)
        for size in (0, 100_000):
            status, _, _ = ask(
                server,
                "POST",
                "/invocations",
                b"good" + b" " * size,
                {"Content-Type": "text/plain"},
            )
            assert status == 200
        assert room.held <= room.limit
        lines.close()
        until(lambda: room.held == 0)


def test_metrics_count_and_hold_no_text(running):
    ask(running, "POST", "/invocations", b"a marker-string-73", {"Content-Type": "text/plain"})
    _, _, body = ask(running, "GET", "/metrics")
    text = body.decode()
    assert 'http_requests_total{path="/invocations",status="200"}' in text
    assert "marfa_inference_seconds_count" in text
    assert running.model.model_id in text
    assert "marker-string-73" not in text


def test_a_client_that_names_its_request_gets_the_name_back(running):
    _, headers, _ = ask(running, "GET", "/ping", headers={"X-Request-ID": "abc"})
    assert headers["x-request-id"] == "abc"


class Slow:
    """An engine that holds every request until it is let go."""

    name = "slow"
    at_once = 1

    def __init__(self, engine):
        self._engine = engine
        self.go = threading.Event()

    def probabilities(self, tokens_BT, lengths_B):
        self.go.wait(10)
        return self._engine.probabilities(tokens_BT, lengths_B)


def test_an_explanation_lets_others_come_between(running):
    texts = [f"A {word} film, not dull at all. " * 200 for word in ("good", "bad", "long", "fine")]
    body = json.dumps({"texts": texts, "explain": True})
    done = []

    def explained():
        status, _, content = ask(
            running, "POST", "/invocations", body, {"Content-Type": "application/json"}
        )
        assert status == 200
        results = json.loads(content)["results"]
        done.append([len(each["explanation"]["words"]) for each in results])

    long = threading.Thread(target=explained)
    long.start()
    time.sleep(0.2)
    for _ in range(5):
        began = time.monotonic()
        status, _, _ = ask(running, "POST", "/invocations", "good", {"Content-Type": "text/plain"})
        assert status == 200
        assert time.monotonic() - began < 0.5
    assert not done
    long.join()
    assert done == [[600] * 4]


def test_too_many_waiting_requests_are_refused_at_once_and_the_others_answered(model_path):
    with Running(model_path, ServeSettings(port=0, queue=2, engine="numpy")) as server:
        slow = Slow(server.model.engine)
        server.model.engine = slow
        statuses = []

        def one():
            statuses.append(
                ask(server, "POST", "/invocations", b"good", {"Content-Type": "text/plain"})[0]
            )

        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        while server.application.state.waiting < 2:
            time.sleep(0.01)
        status, headers, body = ask(
            server, "POST", "/invocations", b"good", {"Content-Type": "text/plain"}
        )
        assert (status, headers["retry-after"]) == (503, "1")
        assert json.loads(body)["title"] == "Overloaded"
        slow.go.set()
        for thread in threads:
            thread.join()
        assert statuses == [200, 200]


@pytest.mark.parametrize(("texts", "status"), [(23, 200), (24, 503)])
def test_fewer_requests_may_wait_where_each_brings_many_texts(model_path, texts, status):
    """One is computed and one waits; the queue holds three requests, or 24 texts."""
    body, found = json.dumps({"texts": ["good"] * texts}).encode(), []
    with Running(model_path, ServeSettings(port=0, queue=3, engine="numpy")) as server:
        slow = Slow(server.model.engine)
        server.model.engine = slow
        state = server.application.state

        def one():
            found.append(
                ask(server, "POST", "/invocations", body, {"Content-Type": "application/json"})[0]
            )

        threads = [threading.Thread(target=one) for _ in range(3)]
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda number=number: state.waiting == number or found)
        slow.go.set()
        for thread in threads:
            thread.join()
    assert sorted(found) == [200, 200, status]


@pytest.mark.parametrize(
    "mark", [b"", b"X-Request-ID: mine\r\n"], ids=["at sight", "by the parser"]
)
def test_no_question_is_refused_before_the_one_that_was_asked_before_it(model_path, mark):
    one = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    two = one + mark + b"Content-Length: 4\r\n\r\ngood"
    one += b"X-Request-ID: first\r\nContent-Length: 4\r\n\r\ngood"
    with Running(model_path, ServeSettings(port=0, queue=1, engine="numpy")) as server:
        slow = Slow(server.model.engine)
        server.model.engine = slow
        with socket.create_connection(_address(server), timeout=5) as line:
            line.sendall(one)
            until(server.application.full)
            line.sendall(two)
            line.settimeout(0.3)
            with pytest.raises(TimeoutError):
                line.recv(1)
            slow.go.set()
            line.settimeout(5)
            found = b""
            while found.count(b" 200 OK") + found.count(b" 503 ") < 2:
                found += line.recv(65_536)
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"x-request-id: first" in found.partition(b"\r\n\r\n")[0]


def test_a_line_whose_question_is_refused_serves_on_and_the_refusal_is_counted(model_path):
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nX-Request-ID: mine\r\nContent-Type: text/plain\r\n"
    whole, large = (
        b"Content-Length: 4\r\n\r\ngood",
        b"Content-Length: 900000\r\n\r\n" + b"x" * 9_000,
    )
    with Running(model_path, ServeSettings(port=0, queue=1, engine="numpy")) as server:
        slow = Slow(server.model.engine)
        server.model.engine = slow
        lines = [socket.create_connection(_address(server), timeout=5) for _ in range(3)]
        first, second, third = lines
        first.sendall(head + whole)
        until(lambda: server.application.state.waiting == 1)
        for pieces in (
            [head + whole],
            [head, whole[:-2], whole[-2:]],
            [head + whole + head + whole],
        ):
            for piece in pieces:
                second.sendall(piece)
                time.sleep(0.02)
            found = second.recv(65_536)
            assert found.count(b"HTTP/1.1 503 ") == b"".join(pieces).count(b"POST")
            assert found.count(b"x-request-id: mine\r\nretry-after: 1\r\n") == found.count(b"503 S")
            assert json.loads(found.rpartition(b"\r\n\r\n")[2])["title"] == "Overloaded"
        third.sendall(head + large)
        assert b"connection: close" in third.recv(65_536)
        slow.go.set()
        assert b" 200 " in first.recv(65_536)
        second.sendall(head + whole)
        assert b" 200 " in second.recv(65_536)
        for line in lines:
            line.close()
        _, _, counted = ask(server, "GET", "/metrics")
    assert b'http_requests_total{path="/invocations",status="503"} 5.0' in counted


def test_requests_under_way_are_finished_when_the_server_stops(model_path):
    server = Running(model_path, ServeSettings(port=0, engine="numpy"))
    with server:
        slow = Slow(server.model.engine)
        server.model.engine = slow
        found = []

        def one():
            found.append(
                ask(server, "POST", "/invocations", b"good", {"Content-Type": "text/plain"})
            )

        thread = threading.Thread(target=one)
        thread.start()
        while not server.application.state.waiting:
            time.sleep(0.01)
        threading.Timer(0.3, slow.go.set).start()
    thread.join()
    assert found[0][0] == 200
    assert not server.alive


def test_the_description_names_every_address_that_answers(running):
    _, _, body = ask(running, "GET", "/openapi.json")
    document = json.loads(body)
    for path, methods in document["paths"].items():
        for method in methods:
            status, _, _ = ask(running, method.upper(), path, b"" if method == "post" else None)
            assert status not in {404, 405, 500}


class Broken:
    """An engine that fails with what it was given in its message."""

    name = "broken"
    at_once = 1

    def probabilities(self, tokens_BT, lengths_B):
        raise ValueError("marker-string-55")


def test_a_failure_of_ours_is_a_500_without_a_traceback(model_path, caplog):
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        server.model.engine = Broken()
        status, headers, body = ask(
            server, "POST", "/invocations", b"good", {"Content-Type": "text/plain"}
        )
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert b"marker-string" not in body
    assert "marker-string" not in caplog.text
    assert "ValueError" in caplog.text


class Nameless(Broken):
    """A broken engine that cannot even say what it is called."""

    @property
    def name(self):
        raise ValueError("marker-string-55")


@pytest.mark.parametrize("path", ["/ping", "/readyz"])  # the others are made once, at the start
def test_no_address_answers_a_failure_of_ours_with_a_traceback(model_path, caplog, path):
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        server.model.engine = Nameless()
        status, headers, body = ask(server, "GET", path)
        _, _, counted = ask(server, "GET", "/metrics")
    assert (status, headers["content-type"]) == (500, "application/problem+json")
    assert headers["x-content-type-options"] == "nosniff"
    assert b"marker-string" not in body
    assert f'path="{path}",status="500"'.encode() in counted
    assert [record.getMessage() for record in caplog.records] == ["a request failed: ValueError"]
    assert "Traceback" not in caplog.text
