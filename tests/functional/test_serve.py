"""serve: the command, as a person or a container starts it and stops it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.contract import tiny
from tests.installed import untar

from marfa.errors import BundleError, SettingsError
from marfa.predictor import Predictor
from marfa.settings import ServeSettings
from marfa.stages.serve import Running, serve
from marfa.writer import Writer


@pytest.fixture(scope="module")
def tiny_path(tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("tiny") / "model.tar.gz")


def start(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "marfa", "serve", *map(str, arguments), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
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


def test_a_killed_server_leaves_nothing_behind(model_path, tmp_path):
    before = set(os.listdir(tmp_path))
    process, _ = start(model_path)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    assert set(os.listdir(tmp_path)) == before
