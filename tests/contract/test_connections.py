"""What a connection is held to: time, size, and an answer that arrives."""

import contextlib
import json
import socket
import time
from pathlib import Path

import pytest
from tests.contract import tiny

from marfa.settings import ServeSettings
from marfa.stages.serve import Running

TEXT = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
GOOD = TEXT + b"Content-Length: 4\r\n\r\ngood"
MANY = json.dumps({"texts": ["good"] * 10_000}).encode()
ALL_OF_THEM = (
    b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(MANY), MANY)
)
SHORT = {"header_seconds": 0.4, "body_seconds": 0.4, "send_seconds": 0.4}


@pytest.fixture(scope="module")
def running(model_path):
    with Running(model_path, ServeSettings(port=0, engine="numpy", **SHORT)) as server:
        yield server


def dial(running, **options):
    host, port = running.url.removeprefix("http://").rstrip("/").split(":")
    line = socket.socket()
    for name, value in options.items():
        line.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    line.settimeout(5)
    line.connect((host, int(port)))
    return line


def rest(line):
    """Everything that comes until the line ends."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(65_536):
            found += piece
    return found


def problem(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    assert b"x-content-type-options: nosniff" in head.lower()
    document = json.loads(body)
    assert document["status"] == int(head.split()[1])
    return document["status"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /ping HT", 408),  # and no more of it
        (b"GET /ping HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000, 431),
        (b"GET /ping HTTP/1.1\r\n" + b"X: y\r\n" * 9_000 + b"\r\n", 431),
        (b"GET /" + b"y" * 40_000, 431),
        (b"hello\r\n\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /ping HTTP/9.9\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (TEXT + b"Content-Length: -4\r\n\r\ngood", 400),
        (TEXT + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\ngood", 400),
        (
            TEXT + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n",
            400,
        ),
        (TEXT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (TEXT + b"Content-Length: 99\r\n\r\ngood", 408),
        (TEXT + b"Content-Length: 99999999\r\n\r\ngood", 413),
    ],
)
def test_what_is_no_request_is_refused_in_the_contracts_form_and_the_line_ends(
    running, sent, status
):
    with dial(running) as line:
        began = time.monotonic()
        line.sendall(sent)
        assert problem(rest(line)) == status
        assert time.monotonic() - began < 4


def test_a_line_on_which_nothing_is_asked_ends_without_a_word(running):
    with dial(running) as line:
        began = time.monotonic()
        assert rest(line) == b""
        assert 0.3 < time.monotonic() - began < 3


def test_a_long_body_that_is_refused_is_not_read_to_its_end(running):
    head = TEXT + b"Content-Length: 100000000\r\n\r\n"
    sent = 0
    with dial(running, SO_SNDBUF=16_384) as line:
        line.sendall(head)
        line.settimeout(2)
        with contextlib.suppress(OSError):
            while sent < 50_000_000:
                sent += line.send(b"x" * 65_536)
    assert sent < 10_000_000  # what the kernel keeps in its buffers included


def test_the_answer_to_a_refused_body_arrives_while_the_body_is_still_sent(running):
    with dial(running) as line:
        line.sendall(TEXT + b"Content-Length: 100000000\r\n\r\n" + b"x" * 30_000)
        assert problem(rest(line)) == 413


def test_one_line_carries_many_requests_and_each_answer_leaves_in_one_piece(running):
    with dial(running) as line:
        for _ in range(20):
            line.sendall(GOOD)
            answer = line.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert answer.endswith(b"}")


def test_requests_that_are_sent_without_waiting_are_answered_in_order(running):
    other = GOOD.replace(b"/invocations", b"/nowhere")
    with dial(running) as line:
        line.sendall((GOOD + other) * 3)
        found = b""
        while found.count(b"HTTP/1.1 ") < 6 or not found.endswith(b"}"):
            found += line.recv(65_536)
    statuses = [part.split()[0] for part in found.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"404"] * 3


def test_more_than_a_few_at_once_are_not_read_and_the_line_ends_after_those(running):
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with dial(running) as line:
        line.sendall(GOOD + ping * 10_000)
        found = rest(line)
    assert 10 < found.count(b"HTTP/1.1 200 ") <= 20
    assert found.count(b"HTTP/1.1 ") == found.count(b"HTTP/1.1 200 ")


def test_nothing_is_read_while_some_wait_for_their_turn(running):
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with dial(running) as line:
        for _ in range(20):  # each piece has no more than may wait, together they are too many
            line.sendall(ping * 12)
            found = b""
            while found.count(b"HTTP/1.1 200 ") < 12:
                found += line.recv(65_536)


def test_a_question_that_is_refused_for_others_sake_holds_no_line_without_its_body(model_path):
    settings = ServeSettings(port=0, engine="numpy", **SHORT)
    with Running(model_path, settings) as server, dial(server) as line:
        server.application.state.waiting = settings.queue
        line.sendall(TEXT + b"Content-Length: 60000\r\n\r\n")
        answer = rest(line)
        server.application.state.waiting = 0
    assert answer.startswith(b"HTTP/1.1 503 ")


WISH = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"


def test_of_two_wishes_for_another_protocol_at_once_no_body_is_taken_for_a_request(running):
    inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    one = TEXT + WISH + b"Content-Length: 4\r\n\r\ngood"
    two = TEXT + WISH + b"Content-Length: %d\r\n\r\n%b" % (len(inner), inner)
    with dial(running) as line:
        line.sendall(one + two + b"GET /v1/model HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        found = rest(line)
    assert [piece[:3] for piece in found.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3


def test_a_thousand_wishes_at_once_are_no_failure_of_ours(running, caplog):
    with dial(running) as line:
        line.sendall(
            b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" * 1_400
        )
        assert rest(line).count(b"HTTP/1.1 200 ") > 10
    assert not caplog.records


def test_a_body_is_not_counted_as_the_headers_of_what_follows_it(running):
    body = b"good " * 9_000
    with dial(running) as line:
        line.sendall(TEXT + b"Content-Length: %d\r\n\r\n%bGET /ping HT" % (len(body), body))
        assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
        line.sendall(b"TP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert rest(line).startswith(b"HTTP/1.1 200 ")


PIECES = TEXT + b"Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n"


@pytest.mark.parametrize("trailer", [b"a: b\r\n", b"a:\r\n", b"c" * 1_000])
def test_headers_without_end_after_a_body_are_refused(model_path, trailer):
    settings = ServeSettings(port=0, engine="numpy", body_seconds=30.0)
    with Running(model_path, settings) as server, dial(server) as line:
        line.sendall(PIECES + b"0\r\n")
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 50_000_000:
                sent += line.send(trailer * (64_000 // len(trailer)))
        assert problem(rest(line)) == 431 or sent < 10_000_000
    assert sent < 10_000_000


def test_headers_after_a_body_are_none_of_its_requests(running):
    with dial(running) as line:
        line.sendall(PIECES + b"0\r\nX-Request-ID: late\r\n\r\n")
        answer = line.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"late" not in answer
        line.sendall(GOOD)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_body_in_many_pieces_is_none_of_its_headers(running):
    body = b"1\r\n \r\n" * 30_000 + b"4\r\ngood\r\n0\r\n\r\n"
    with dial(running) as line:
        line.sendall(TEXT + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_what_follows_a_good_request_and_is_none_does_not_spoil_its_answer(running):
    with dial(running) as line:
        line.sendall(GOOD + b"nonsense\r\n\r\n")
        assert rest(line).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_wants_another_protocol_is_answered_in_this_one(running):
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"
    asked = GOOD.replace(b"\r\n\r\n", b"\r\n" + wish + b"\r\n")
    with dial(running) as line:
        for pieces in ([asked], [asked[:-2], asked[-2:]], [GOOD], [asked[:-4], asked[-4:]]):
            for piece in pieces:
                line.sendall(piece)
                time.sleep(0.01)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_asks_first_whether_it_may_send_may(running):
    with dial(running) as line:
        line.sendall(
            GOOD.removesuffix(b"good").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        )
        assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        line.sendall(b"good")
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_does_not_take_its_answer_is_given_up(tmp_path):
    path = tiny.write(tmp_path / "model.tar.gz")
    settings = ServeSettings(port=0, engine="numpy", max_length=200_000, **SHORT)
    body = b'{"length": 200000}'
    with Running(path, settings) as server, dial(server, SO_RCVBUF=2_048) as line:
        line.sendall(
            b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")
        until(lambda: server.application.state.waiting == 0, 30)


def test_a_client_that_reads_nothing_costs_little_memory(model_path):
    settings = ServeSettings(port=0, engine="numpy", max_texts=10_000)
    with Running(model_path, settings) as server, dial(server, SO_RCVBUF=2_048) as line:
        line.sendall(ALL_OF_THEM)
        line.settimeout(30)
        assert line.recv(12) == b"HTTP/1.1 200"
        time.sleep(0.5)
        (connection,) = server._server.server_state.connections
        assert 0 < connection.transport.get_write_buffer_size() < 3 * 16_384
        assert unsent(server) < 4 * 65_536
        assert rest_of(line, 500_000) > 500_000


def test_a_client_that_does_not_take_its_answer_keeps_no_other_question_out(model_path):
    settings = ServeSettings(port=0, engine="numpy", max_texts=10_000, queue=1)
    with Running(model_path, settings) as server, dial(server, SO_RCVBUF=2_048) as line:
        line.sendall(ALL_OF_THEM)
        line.settimeout(30)
        assert line.recv(12) == b"HTTP/1.1 200"
        with dial(server) as other:
            other.sendall(GOOD)
            assert other.recv(100).startswith(b"HTTP/1.1 200 ")
        assert rest_of(line, 500_000) > 500_000


def test_a_question_that_is_still_on_its_way_when_time_is_up_is_refused(model_path):
    settings = ServeSettings(port=0, engine="numpy", drain_seconds=0.3)
    with contextlib.ExitStack() as lines:
        with Running(model_path, settings) as server:
            line = lines.enter_context(dial(server))
            line.sendall(TEXT + b"Content-Length: 400\r\n\r\ngood")
            until(lambda: server.application.state.room.held == 4, 5)
        assert problem(rest(line)) == 503


def test_who_does_not_read_does_not_hold_up_the_end(model_path):
    settings = ServeSettings(port=0, engine="numpy", max_texts=10_000, drain_seconds=0.5)
    with contextlib.ExitStack() as lines:
        with Running(model_path, settings) as server:
            line = lines.enter_context(dial(server, SO_RCVBUF=2_048))
            line.sendall(ALL_OF_THEM)
            line.settimeout(30)
            assert line.recv(12) == b"HTTP/1.1 200"
            began = time.monotonic()
        assert time.monotonic() - began < 2.5


def test_an_answer_that_nobody_takes_makes_way_for_another(model_path):
    settings = ServeSettings(port=0, engine="numpy", max_texts=10_000)
    with Running(model_path, settings) as server, contextlib.ExitStack() as lines:
        room = server.application.state.room
        room.limit = 2_000_000  # one such request and its answer, and hardly more
        first, second = (lines.enter_context(dial(server, SO_RCVBUF=2_048)) for _ in range(2))
        for line in (first, second):
            line.sendall(ALL_OF_THEM)
            line.settimeout(30)
            assert line.recv(12) == b"HTTP/1.1 200"
        assert room.held <= room.limit
        whole = rest_of(second, 10_000_000)
        assert rest_of(first, 10_000_000) < whole
        until(lambda: server.application.state.waiting == room.held == 0, 5)


def test_a_line_is_refused_at_sight_as_by_the_parser_and_serves_on(model_path):
    """And longer than the second after which a line that was answered is closed."""
    named = GOOD.replace(b"Host: x", b"Host: x\r\nX-Request-ID: mine")
    with Running(model_path, ServeSettings(port=0, engine="numpy")) as server:
        state, config = server.application.state, server._server.config
        config.timeout_keep_alive = 1
        with dial(server) as line:
            line.sendall(GOOD)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
            state.waiting = config.guard.settings.queue
            found = []
            for asked in (GOOD, GOOD, GOOD, named):
                line.sendall(asked)
                head, _, body = line.recv(65_536).partition(b"\r\n\r\n")
                name = head.partition(b"x-request-id: ")[2].partition(b"\r\n")[0]
                found.append((name, head.replace(name, b""), body))
                time.sleep(0.4)
            state.waiting = 0
            line.sendall(GOOD)
            assert line.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert len({each[1:] for each in found}) == 1
        assert found[0][1].startswith(b"HTTP/1.1 503 ")
        assert found[3][0] == b"mine"
        assert len({each[0] for each in found}) == 4


@pytest.mark.parametrize("at_once", [1, 20], ids=["at sight", "by the parser"])
def test_who_asks_on_and_does_not_read_is_told_no_more_than_it_takes(model_path, at_once):
    settings = ServeSettings(port=0, engine="numpy", **SHORT)
    with Running(model_path, settings) as server, dial(server, SO_RCVBUF=2_048) as line:
        server.application.state.waiting = settings.queue
        line.settimeout(0.5)
        most = sent = 0
        with contextlib.suppress(OSError):  # it is not read on, or given up
            for _ in range(40_000 // at_once):
                sent += line.send(GOOD * at_once)
                if at_once == 1:
                    time.sleep(0.0002)  # so that it arrives by itself
                for connection in list(server._server.server_state.connections):
                    most = max(most, connection.transport.get_write_buffer_size())
        server.application.state.waiting = 0
    assert most < 3 * 16_384
    assert sent < 40_000 * len(GOOD)


def test_a_client_that_takes_its_answer_slowly_is_not_given_up(model_path):
    settings = ServeSettings(port=0, engine="numpy", max_texts=10_000, send_seconds=2.0)
    with Running(model_path, settings) as server, dial(server, SO_RCVBUF=2_048) as line:
        line.sendall(ALL_OF_THEM)
        line.settimeout(30)
        found = 0
        while found < 80_000 and (piece := line.recv(1_500)):  # 15 kB a second at most
            found += len(piece)
            time.sleep(0.1)
        assert rest_of(line, 400_000) > 400_000


def unsent(running):
    """The bytes that the kernel keeps for a server's clients."""
    port = f":{int(running.url.rstrip('/').rpartition(':')[2]):04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(port))


def rest_of(line, least):
    """How much comes, once it is read, until there is so much of it or the line ends."""
    found = 0
    with contextlib.suppress(ConnectionResetError):
        while found <= least and (piece := line.recv(1 << 20)):
            found += len(piece)
    return found


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_more_connections_than_may_be_are_refused(model_path):
    settings = ServeSettings(port=0, engine="numpy", connections=3)
    with Running(model_path, settings) as server, contextlib.ExitStack() as lines:
        for _ in range(3):
            lines.enter_context(dial(server)).sendall(b"GET")
        time.sleep(0.1)
        assert problem(rest(lines.enter_context(dial(server)))) == 503
        counted = rest_of_metrics(server, lines)
    assert 'http_requests_total{path="none",status="503"} 1.0' in counted


def test_of_very_many_connections_too_many_the_last_are_not_even_told(model_path):
    """Each that is told costs an open file for a second or more."""
    settings = ServeSettings(port=0, engine="numpy", connections=1)
    with Running(model_path, settings) as server, contextlib.ExitStack() as lines:
        found = [lines.enter_context(dial(server)) for _ in range(60)]
        time.sleep(0.2)
        told = 0
        for line in found[1:]:
            with contextlib.suppress(ConnectionResetError):
                told += rest(line).startswith(b"HTTP/1.1 503 ")
    assert 48 <= told < 59  # more where the first of them have gone in between


def rest_of_metrics(server, lines):
    lines.close()
    time.sleep(0.1)
    with dial(server) as line:
        line.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return rest(line).decode()
