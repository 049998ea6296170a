"""serve: the command, as a person or a container starts it and stops it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from marfa.errors import BundleError, SettingsError
from marfa.settings import ServeSettings
from marfa.stages.serve import Running, serve


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


def test_a_taken_port_is_said(model_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="cannot listen") as caught:
            serve(model_path, ServeSettings(port=taken.getsockname()[1]))
    assert "--port" in caught.value.hint


def test_an_altered_model_is_not_served(model_path, tmp_path):
    shutil.unpack_archive(model_path, tmp_path, filter="data")
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
