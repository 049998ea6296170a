"""serve: the command, as a person or a container starts it and stops it."""

import contextlib
import functools
import itertools
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.contract import tiny
from tests.installed import untar

from marfa import archives, bundle
from marfa.errors import BundleError, SettingsError
from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.stages.serve import Running, serve
from marfa.writer import Writer


@pytest.fixture(scope="module")
def tiny_path(tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("tiny") / "model.tar.gz")


STARTED = []
HEAP = 64 << 20


@pytest.fixture(autouse=True)
def ended():
    """What a test that failed has left running is nobody else's neighbour."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.communicate()


def start(*arguments, limit=None, **env):
    process = subprocess.Popen(
        [sys.executable, "-m", "marfa", "serve", *map(str, arguments), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
        preexec_fn=limit,
    )
    STARTED.append(process)
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://\S+", line):
            return process, found.group()
    raise AssertionError(process.wait())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0)])
def test_it_answers_and_stops_when_asked(model_path, number, code):
    process, url = start(model_path)
    request = urllib.request.Request(
        url + "invocations", b"a good film", {"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in told


def test_either_kind_of_model_is_served_by_the_same_command(model_path, tiny_path):
    for path, kind in ((model_path, Predictor), (tiny_path, Writer)):
        with Running(path, ServeSettings(port=0, engine="numpy")) as server:
            assert isinstance(server.model, kind)
            with urllib.request.urlopen(server.url + "ping", timeout=10) as answer:
                assert answer.status == 200


def test_a_stream_under_way_is_finished_after_a_signal(tiny_path):
    process, url = start(tiny_path, "--engine", "numpy")
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    body = b'{"length": 9000, "seed": 1}'
    request = urllib.request.Request(url + "v1/generate", body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.readline() == b"event: start\n"
        process.send_signal(signal.SIGTERM)
        content = answer.read()
    assert content.endswith(b'event: done\ndata: {"position":9000}\n\n')
    _, told = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in told


def test_what_a_client_sends_reaches_no_log(model_path):
    process, url = start(model_path)
    marker = "marker-string-91"
    for body, kind in (
        (marker.encode(), "text/plain"),
        (b"\xff" + marker.encode(), "text/plain"),
        (marker.encode(), marker),
    ):
        request = urllib.request.Request(f"{url}invocations?{marker}", body, {"Content-Type": kind})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10)
    process.terminate()
    _, told = process.communicate(timeout=20)
    assert marker not in told


def test_what_a_client_wants_to_be_continued_reaches_no_log(tiny_path):
    process, url = start(tiny_path)
    marker = "shore-marker-92"
    for body, kind, path in (
        (f"40-{marker}".encode(), "text/plain", "invocations"),
        (f"2-{marker}".encode(), "text/plain", "v1/generate"),
        (f'{{"prompt": "{marker}", "{marker}": 1}}'.encode(), "application/json", "v1/generate"),
    ):
        headers = {"Content-Type": kind, "Accept": "text/event-stream"}
        request = urllib.request.Request(url + path, body, headers)
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=10).read()
    process.terminate()
    _, told = process.communicate(timeout=20)
    assert marker not in told


def test_a_taken_port_is_said(model_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="cannot listen") as caught:
            serve(model_path, ServeSettings(port=taken.getsockname()[1]))
    assert "--port" in caught.value.hint


def test_an_altered_model_is_not_served(model_path, tmp_path):
    untar(model_path, tmp_path)
    (tmp_path / "codec.json").write_text("{}")
    with pytest.raises(BundleError):
        Running(tmp_path, ServeSettings(port=0))


def test_both_engines_serve(model_path):
    for engine in ("numpy", "onnx", "auto"):
        with (
            Running(model_path, ServeSettings(port=0, engine=engine)) as server,
            urllib.request.urlopen(server.url + "ping", timeout=10) as answer,
        ):
            assert answer.status == 200


def workers_of(process):
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    return [int(each) for each in pathlib.Path(path).read_text().split()]


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def is_there(process):
    try:
        return "\nState:\tZ" not in pathlib.Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def get(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read()


def test_who_watches_keeps_no_code_in_memory_that_only_loading_needs(model_path):
    process, _ = start(model_path, "--workers", "1")
    smaps = pathlib.Path(f"/proc/{process.pid}/smaps")
    code = r" r-xp .*/onnxruntime_pybind\S*\n(?:.*\n)*?Rss: +(\d+) kB"
    until(lambda: [int(found) < 500 for found in re.findall(code, smaps.read_text())] == [True])
    process.terminate()
    process.communicate(timeout=20)


def test_what_computes_has_no_heap_of_its_own(model_path):
    process, url = start(model_path, "--workers", "1")
    ask = urllib.request.Request(url + "invocations", b"good", {"Content-Type": "text/plain"})
    assert get(ask)
    (worker,) = workers_of(process)
    maps = pathlib.Path(f"/proc/{worker}/maps").read_text()
    rooms = [[int(end, 16) for end in line.split()[0].split("-")] for line in maps.splitlines()]
    # glibc takes 64 MB of addresses for a thread's, where they are a multiple of that, and uses a part
    heaps = [
        begin
        for (begin, used), (free, end) in itertools.pairwise(rooms)
        if begin % HEAP == 0 and used == free and end - begin == HEAP
    ]
    assert heaps == []
    process.terminate()
    process.communicate(timeout=20)


def test_a_killed_server_leaves_nothing_behind(model_path, tmp_path):
    process, _ = start(model_path, "--workers", "2", TMPDIR=str(tmp_path))
    until(lambda: len(workers_of(process)) == 2)
    left = workers_of(process)
    assert [*tmp_path.glob("marfa*")] != []
    process.kill()
    process.communicate()
    until(lambda: not any(map(is_there, left)))
    assert [*tmp_path.glob("marfa*")] == []


def test_a_stopped_server_leaves_nothing_behind(model_path, tmp_path):
    process, url = start(model_path, "--workers", "2", TMPDIR=str(tmp_path))
    get(url + "ping")
    left = workers_of(process)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert not any(map(is_there, left))
    assert [*tmp_path.glob("marfa*")] == []


def test_a_killed_worker_is_replaced_within_two_seconds_and_said_as_json(model_path):
    process, url = start(model_path, "--workers", "2")
    until(lambda: len(workers_of(process)) == 2)
    first, second = workers_of(process)
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: len(set(workers_of(process)) - {first}) == 2, 2)
    until(lambda: get(url + "ping") == b'{"status":"Healthy"}', 2 - (time.monotonic() - began))
    assert second in workers_of(process)
    process.terminate()
    _, told = process.communicate(timeout=20)
    (line,) = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert line["level"] == "warning"
    assert "takes its place" in line["event"]


def test_it_opens_as_many_files_as_it_may_hold_connections_or_holds_fewer(model_path):
    def files(soft, hard):
        limits = (soft, hard)
        return functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, limits)

    process, url = start(model_path, "--workers", "1", limit=files(128, 200))
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    with contextlib.ExitStack() as lines:
        told = []
        for _ in range(180):
            line = lines.enter_context(socket.create_connection((host, int(port)), timeout=5))
            told.append(b"")
            with contextlib.suppress(ConnectionError):  # beyond 48 too many, without a word
                line.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
                told[-1] = line.recv(12)
    assert told[:120] == [b"HTTP/1.1 200"] * 72 + [b"HTTP/1.1 503"] * 48
    assert set(told[120:]) <= {b"HTTP/1.1 503", b""}
    process.terminate()
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said
    assert "accept" not in said


def test_a_server_that_stops_takes_no_connection_that_it_would_not_answer(tiny_path):
    process, url = start(tiny_path, "--workers", "1", "--max-length", "1000000")
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        body = b'{"length": 1000000}'
        line.sendall(
            b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        assert line.recv(12) == b"HTTP/1.1 200"
        process.terminate()
        time.sleep(1)
        assert process.poll() is None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=5)
    process.communicate(timeout=20)


def test_what_all_workers_have_counted_is_one_sum_whoever_is_asked(model_path):
    process, url = start(model_path, "--workers", "2", "--engine", "numpy")
    until(lambda: len(workers_of(process)) == 2)
    for _ in range(20):  # each on a line of its own, which either may take
        request = urllib.request.Request(
            url + "invocations", b"good", {"Content-Type": "text/plain"}
        )
        urllib.request.urlopen(request, timeout=10).read()
    sum_of_all = b'http_requests_total{path="/invocations",status="200"} 20.0'
    until(lambda: sum_of_all in get(url + "metrics"))
    os.kill(workers_of(process)[0], signal.SIGKILL)
    for _ in range(3):
        counted = get(url + "metrics")
        assert sum_of_all in counted
        assert counted.count(b"marfa_model_info{") == 1
    process.terminate()
    process.communicate(timeout=20)


def test_requests_are_logged_as_json_when_that_is_wanted(model_path):
    process, url = start(model_path, "--workers", "1", "--log", "all")
    marker = "marker-string-93"
    for headers in ({}, {"X-Request-ID": marker}):
        request = urllib.request.Request(url + f"ping?{marker}", headers=headers)
        urllib.request.urlopen(request, timeout=10).read()
    process.terminate()
    _, told = process.communicate(timeout=20)
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert [(line["path"], line["status"]) for line in lines] == [("/ping", 200)] * 2
    assert (len(lines[0]["id"]), lines[1]["id"]) == (16, "-")
    assert marker not in told


def test_a_model_that_answers_otherwise_than_it_was_packaged_is_said_and_not_served(tmp_path):
    contents = tiny.contents()
    contents["golden.jsonl"] = contents["golden.jsonl"].replace(b'"status": 200', b'"status": 201')
    model = tmp_path / "model.tar.gz"
    archives.write_tar_gz(model, bundle.seal(contents, {"task": "generator"}))
    process = subprocess.run(
        [sys.executable, "-m", "marfa", "serve", str(model), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 3
    assert "answered differently" in process.stderr
    assert "Traceback" not in process.stderr
