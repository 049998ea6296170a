"""Texts over HTTP while they are made: pieces, turns, clients that go, servers that stop."""

import asyncio
import http.client
import itertools
import json
import socket
import threading
import time

import pytest
from tests import streamed
from tests.contract.doors import assert_served_as_the_contract_does

from marfa import loading
from marfa.container import app, observing, room
from marfa.container.client import Client
from marfa.container.contract import EVENTS, JSON, TEXT
from marfa.errors import MarfaError, NetworkError
from marfa.settings import ServeSettings
from marfa.stages.serve import Running

SETTINGS = ServeSettings(port=0, engine="numpy")


@pytest.fixture(scope="module")
def running(tiny_path):
    with Running(tiny_path, SETTINGS) as server:
        yield server


class Paced:
    """An engine that takes its time for each character, counts them, and can be held up."""

    def __init__(self, engine, seconds=0.0):
        self.name, self.precision = engine.name, engine.precision
        self.seconds, self.steps, self.order = seconds, 0, []
        self.most = 10**9
        self._engine = engine

    def hold(self, most=0):
        """Let no more than so many characters be made."""
        self.most = most

    def go(self):
        self.most = 10**9

    def open(self, tokens_T):
        return PacedReading(self, self._engine.open(tokens_T))


class PacedReading:
    def __init__(self, engine, reading):
        self._engine, self._reading = engine, reading
        self.logits_V = reading.logits_V

    def step(self, token):
        until(lambda: self._engine.steps < self._engine.most)
        time.sleep(self._engine.seconds)
        self._engine.steps += 1
        self._engine.order.append(id(self))
        return self._reading.step(token)


def paced(tiny_path, seconds=0.0, **settings):
    """A server with such an engine."""
    server = Running(tiny_path, ServeSettings(port=0, engine="numpy", **settings))
    server.model.engine = Paced(server.model.engine, seconds)
    return server


def address(running):
    host, port = running.url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port)


def ask(running, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(*address(running), timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def generate(running, accept=JSON, **document):
    headers = {"Content-Type": JSON, "Accept": accept}
    return ask(running, "POST", "/v1/generate", json.dumps(document), headers)


class Stream:
    """A client that reads events one by one."""

    def __init__(self, running, **document):
        self._connection = http.client.HTTPConnection(*address(running), timeout=20)
        headers = {"Content-Type": JSON, "Accept": EVENTS}
        self._connection.request("POST", "/v1/generate", json.dumps(document), headers)
        self.response = self._connection.getresponse()
        self.seen = b""

    def event(self):
        """The next event, as it came."""
        lines = b""
        while not lines.endswith(b"\n\n"):
            line = self.response.readline()
            if not line:
                return None
            lines += line
        self.seen += lines
        found = streamed.events(lines)
        return found[0] if found else self.event()

    def rest(self):
        while self.event():
            pass
        return streamed.events(self.seen)

    def hang_up(self):
        self.response.close()
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.hang_up()


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_the_server_answers_as_the_contract_byte_for_byte(running):
    assert_served_as_the_contract_does(running, ask)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/write.js", "text/javascript"),
        ("/exchange.js", "text/javascript"),
        ("/openapi.json", "application/json"),
        ("/ping", "application/json"),
        ("/v1/model", "application/json"),
    ],
)
def test_every_address_answers(running, path, kind):
    status, headers, body = ask(running, "GET", path)
    assert status == 200
    assert headers["content-type"].startswith(kind)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert body


def test_the_page_is_that_of_the_task(running):
    assert b"write.js" in ask(running, "GET", "/")[2]


def test_the_description_is_the_generators_and_its_addresses_answer(running):
    document = json.loads(ask(running, "GET", "/openapi.json")[2])
    assert "/v1/generate" in document["paths"]
    assert "/v1/predict" not in document["paths"]
    for path, methods in document["paths"].items():
        for method in methods:
            status, _, _ = ask(running, method.upper(), path, b"" if method == "post" else None)
            assert status not in {404, 405, 500}
    answered = json.loads(generate(running, length=5)[2])
    assert list(document["components"]["schemas"]["Answer"]["properties"]) == list(answered)
    named = json.dumps(document).split('"#/components/schemas/')[1:]
    for name in named:
        assert name.split('"')[0] in document["components"]["schemas"]


def test_a_stream_says_what_it_is_and_asks_not_to_be_kept_back(running):
    status, headers, body = generate(running, EVENTS, length=40, seed=1)
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-length" not in headers
    assert streamed.events(body)[-1][1] == "done"


def test_events_arrive_while_the_text_is_made(tiny_path):
    with paced(tiny_path) as server:
        engine = server.model.engine
        engine.hold()
        with Stream(server, prompt="a", length=100, seed=1) as stream:
            assert stream.event()[1] == "start"  # before a character is made
            assert engine.steps == 0
            engine.hold(1)
            first = stream.event()
            assert (first[1], first[2]["position"]) == ("text", 2)
            engine.go()
            assert stream.rest()[-1][1] == "done"


def test_a_short_text_does_not_wait_for_a_long_one(tiny_path):
    with paced(tiny_path, 0.001) as server:
        with Stream(server, length=5000, seed=1) as long:
            for _ in range(4):
                long.event()
            began = time.monotonic()
            with Stream(server, length=40, seed=2) as short:
                assert short.event()[1] == "start"
                assert short.event()[1] == "text"
                first = time.monotonic() - began
                assert short.rest()[-1][1] == "done"
                whole = time.monotonic() - began
            after = streamed.events(long.seen)[-1][2]["position"]
            assert long.event()[1] == "text"
        assert after < 2500
        assert first < 0.5  # a whole long text takes more than 5 s
        assert whole < 1.5


def test_texts_under_way_at_once_are_written_a_few_characters_each_in_turn(tiny_path):
    with paced(tiny_path, 0.001) as server:
        engine = server.model.engine
        with Stream(server, length=400, seed=1) as one, Stream(server, length=400, seed=2) as other:
            reader = threading.Thread(target=other.rest)
            reader.start()
            one.rest()
            reader.join()
        first, second = sorted(set(engine.order), key=engine.order.index)
        both = engine.order[engine.order.index(second) :]
        both = both[: max(i for i, each in enumerate(both) if each == first)]
        turns = [len(list(turn)) for _, turn in itertools.groupby(both)]
        assert len(turns) > 20
        assert sorted(turns)[len(turns) // 2] == 16  # by the way, one may be late for its turn


def test_texts_that_are_not_streamed_take_turns_too(tiny_path):
    with paced(tiny_path, 0.001) as server:
        order = []

        def one(length):
            generate(server, length=length, seed=1)
            order.append(length)

        long = threading.Thread(target=one, args=[1500])
        long.start()
        until(lambda: server.model.engine.steps > 40)
        one(30)
        long.join()
        assert order == [30, 1500]


def test_interleaved_texts_are_each_what_they_are_alone(tiny_path):
    documents = [{"prompt": "a", "length": 300, "seed": seed} for seed in range(4)]
    with paced(tiny_path, 0.0002) as server:
        streams = [Stream(server, **document) for document in documents]
        texts = [streamed.text_of(stream.rest()) for stream in streams]
        for stream in streams:
            stream.hang_up()
    model = loading.writer(tiny_path, engine="numpy")
    assert texts == [model.generate(**document) for document in documents]


@pytest.mark.parametrize("accept", [EVENTS, JSON])
def test_a_client_that_goes_away_frees_its_place_and_the_machine(tiny_path, accept, caplog):
    with paced(tiny_path, 0.001) as server:
        state, engine = server.application.state, server.model.engine
        body = json.dumps({"length": 10_000}).encode()
        with socket.create_connection(address(server), timeout=5) as line:
            line.sendall(
                b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Accept: %b\r\nContent-Length: %d\r\n\r\n%b" % (accept.encode(), len(body), body)
            )
            until(lambda: engine.steps > 20)
            assert state.waiting == 1
        began = time.monotonic()
        until(lambda: state.waiting == 0)
        assert time.monotonic() - began < 1
        time.sleep(0.2)  # the turn under way ends
        steps = engine.steps
        time.sleep(0.1)
        assert engine.steps == steps < 5000
        _, _, counted = ask(server, "GET", "/metrics")
        assert b'path="/v1/generate",status="499"' in counted
    assert caplog.text == ""


def test_a_client_that_goes_away_while_it_waits_for_its_turn_frees_its_place(tiny_path):
    with paced(tiny_path) as server:
        state, engine = server.application.state, server.model.engine
        engine.hold()
        with Stream(server, length=50, seed=1) as first:
            first.event()
            with socket.create_connection(address(server), timeout=5) as line:
                line.sendall(
                    b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                    b"Content-Length: 3\r\n\r\n50-"
                )
                until(lambda: state.waiting == 2)
            until(lambda: state.waiting == 1)
            engine.go()
            assert first.rest()[-1][1] == "done"
        until(lambda: state.waiting == 0)


def test_too_many_texts_are_refused_at_once(tiny_path):
    with paced(tiny_path, queue=1) as server:
        server.model.engine.hold()
        with Stream(server, length=50, seed=1) as first:
            first.event()
            status, headers, _ = generate(server, EVENTS, length=5)
            assert (status, headers["retry-after"]) == (503, "1")
            server.model.engine.go()
            assert first.rest()[-1][1] == "done"
        assert generate(server, length=5)[0] == 200


def test_a_text_that_was_cut_goes_on_after_the_server_was_started_again(tiny_path):
    document = {"prompt": "the sea", "length": 400, "seed": 9}
    with paced(tiny_path, 0.001) as server, Stream(server, **document) as stream:
        begun = [stream.event() for _ in range(5)]
    with Running(tiny_path, SETTINGS) as server:
        token = begun[-1][0]
        rest = streamed.events(generate(server, EVENTS, **document, continuation=token)[2])
        whole = json.loads(generate(server, **document)[2])["text"]
    assert rest[0][2]["position"] == begun[-1][2]["position"]
    made = "".join(data["text"] for _, name, data in rest if name == "text")
    assert streamed.text_of(begun) + made == whole


class Failing(Paced):
    """An engine that fails after some characters, with what it was given in its message."""

    def __init__(self, engine, error):
        super().__init__(engine)
        self.error = error

    def open(self, tokens_T):
        return FailingReading(self, self._engine.open(tokens_T))


class FailingReading(PacedReading):
    def step(self, token):
        if self._engine.steps == 40:
            raise self._engine.error
        return super().step(token)


@pytest.mark.parametrize(
    ("error", "told", "logged"),
    [
        (ValueError("marker-55"), "the answer could not be computed", "ValueError"),
        (MarfaError("no number is finite"), "no number is finite", ""),
    ],
)
def test_a_failure_in_the_middle_ends_the_stream_with_a_problem(
    tiny_path, caplog, error, told, logged
):
    with Running(tiny_path, SETTINGS) as server:
        server.model.engine = Failing(server.model.engine, error)
        status, _, body = generate(server, EVENTS, prompt="a", length=100, seed=1)
        found = streamed.events(body)
        assert status == 200
        assert [name for _, name, _ in found] == ["start", "text", "text", "text", "error"]
        assert found[-1][2] == {
            "type": "about:blank",
            "title": "Internal error",
            "status": 500,
            "detail": told,
        }
        server.model.engine.steps = 0
        status, headers, _ = generate(server, JSON, prompt="a", length=100, seed=1)
        assert (status, headers["content-type"]) == (500, "application/problem+json")
        assert server.application.state.waiting == 0
    assert "marker" not in caplog.text
    assert (f"a request failed: {logged}" in caplog.text) == bool(logged)


class Late:
    """An application that fails when half of its answer has been sent."""

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("marker-77")


def test_a_failure_after_the_beginning_of_an_answer_begins_no_second_one(tiny_path, caplog):
    line = Line(b"", JSON)
    metrics = observing.Metrics(loading.writer(tiny_path, engine="numpy"))
    served = observing.Observed(Late(), metrics, ["/v1/generate"])
    asyncio.run(served(line.scope, line.receive, line.send))
    assert [message["type"] for message in line.sent] == ["http.response.start"]
    assert [record.getMessage() for record in caplog.records] == ["a request failed: ValueError"]


def test_a_stream_under_way_is_finished_when_the_server_stops(tiny_path):
    found = []
    with paced(tiny_path, 0.002) as server:
        stream = Stream(server, length=200, seed=1)
        stream.event()
        reader = threading.Thread(target=lambda: found.append(stream.rest()))
        reader.start()
    reader.join()
    stream.hang_up()
    assert found[0][-1][1:] == ("done", {"position": 200})


@pytest.mark.parametrize("accept", [EVENTS, JSON])
def test_a_text_that_cannot_be_finished_in_time_ends_with_a_problem(tiny_path, accept):
    found = []
    with paced(tiny_path, 0.005, drain_seconds=0.3) as server:
        ask_for = {"length": 10_000, "seed": 1}
        reader = threading.Thread(target=lambda: found.append(generate(server, accept, **ask_for)))
        reader.start()
        until(lambda: server.model.engine.steps > 40)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    reader.join()
    status, _, body = found[0]
    problem = streamed.events(body)[-1][2] if accept == EVENTS else json.loads(body)
    assert status == (200 if accept == EVENTS else 503)
    assert (problem["title"], problem["status"]) == ("Overloaded", 503)
    assert problem["detail"] == "the server is stopping"


def test_characters_and_the_first_one_are_counted_and_no_text_is_told(tiny_path):
    with Running(tiny_path, SETTINGS) as server:
        generate(server, EVENTS, prompt="the lonely sea", length=50, seed=1)
        ask(server, "POST", "/invocations", b"20-the lonely sea", {"Content-Type": TEXT})
        text = ask(server, "GET", "/metrics")[2].decode()
    assert "marfa_generated_characters_total 42.0" in text
    assert "marfa_first_character_seconds_count 2.0" in text
    assert 'http_requests_total{path="/v1/generate",status="200"} 1.0' in text
    assert "lonely" not in text


class Line:
    """One request to the application itself, as a server would hand it over."""

    def __init__(self, body, accept):
        self.sent = []
        self._body = body
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/v1/generate",
            "raw_path": b"/v1/generate",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/json"), (b"accept", accept.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }

    async def receive(self):
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message):
        self.sent.append(message)


def test_a_silence_is_broken_by_a_sign_of_life(tiny_path):
    model = loading.writer(tiny_path, engine="numpy")
    model.engine = Paced(model.engine, 0.03)
    line = Line(b'{"length": 20, "seed": 1}', EVENTS)
    served = app.Application(model, SETTINGS, heartbeat=0.1)

    async def longer_than_the_answer():
        await served(line.scope, line.receive, line.send)
        await asyncio.sleep(0.3)

    asyncio.run(longer_than_the_answer())
    bodies = [message["body"] for message in line.sent[1:]]
    assert bodies.count(b": still here\n\n") >= 2
    assert bodies[-1] == b""  # nothing comes after the end
    found = streamed.events(b"".join(bodies))
    assert [found[0][1], found[-1][1]] == ["start", "done"]


class Untaken(Line):
    """A client that takes nothing; the first time, others need the room of what waits for it."""

    async def send(self, message):
        self.send = super().send
        raise asyncio.CancelledError(room.MADE_WAY)


def test_an_answer_that_makes_way_before_it_begins_is_a_refusal_in_form(tiny_path):
    line = Untaken(b'{"length": 5, "seed": 1}', JSON)
    served = app.Application(loading.writer(tiny_path, engine="numpy"), SETTINGS)
    asyncio.run(served(line.scope, line.receive, lambda message: line.send(message)))
    start, body = line.sent
    assert start["status"] == 503
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert json.loads(body["body"])["title"] == "Overloaded"


def test_a_stream_that_nobody_takes_is_one_that_is_waited_for_and_no_more(tiny_path):
    """Signs of life would wait too, and each would make room in the queue once more."""
    line, counted = Line(b'{"length": 20, "seed": 1}', EVENTS), []
    served = app.Application(loading.writer(tiny_path, engine="numpy"), SETTINGS, heartbeat=0.02)

    async def taken_late(message):
        if message.get("body") and len(line.sent) == 1:
            await asyncio.sleep(0.2)
            counted.append(served.state.waiting)
        await line.send(message)

    asyncio.run(served(line.scope, line.receive, taken_late))
    assert counted == [0]
    assert served.state.waiting == 0


# What asks such a server.


def test_the_client_is_told_the_task_and_gets_texts_and_streams(running):
    client = Client(running.url)
    assert client.describe()["task"] == "generator"
    found = client.generate("the sea", length=80, seed=4)
    assert (found["length"], len(found["text"])) == (80, 80)
    pieces = list(client.stream("the sea", length=80, seed=4))
    assert "".join(piece for _, piece in pieces) == found["text"]
    seconds = [second for second, _ in pieces]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_the_client_says_when_a_stream_ends_too_early(tiny_path):
    with Running(tiny_path, SETTINGS) as server:
        server.model.engine = Failing(server.model.engine, ValueError("x"))
        with pytest.raises(NetworkError, match="the server stopped: Internal error"):
            list(Client(server.url).stream("the sea", length=80, seed=4))
        with pytest.raises(NetworkError, match="the server answered 400"):
            list(Client(server.url).stream("the sea", length=0))
