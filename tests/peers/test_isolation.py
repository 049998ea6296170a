"""Where a container's folder, process and network are the true ones: /opt/ml, process 1, and none."""

import base64
import json
import os
import shutil
import signal
import sys
import time

import pytest
from tests import jobs
from tests.installed import untar
from tests.peers import asked
from tests.peers.comparison import response, same
from tests.peers.isolation import Isolated, reason_to_skip
from tests.peers.processes import environ

from marfa import bundle, loading
from marfa.container.contract import respond

pytestmark = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "permitted")
TRAIN = [sys.executable, "/opt/ml/input/data/code/marfa.zip"]
SERVE = [sys.executable, "-m", "marfa.cli.sagemaker", "serve"]
ASK = """
import base64, http.client, json, sys
for asked in map(json.loads, sys.stdin):
    line = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    line.request(asked["method"], asked["path"], base64.b64decode(asked["body"]), asked["headers"])
    answer = line.getresponse()
    body = base64.b64encode(answer.read()).decode()
    print(json.dumps([answer.status, answer.headers["content-type"], body]))
"""
PING = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/ping', timeout=2)"
OUTSIDE = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"


def written(request):
    """A request as the program inside reads it."""
    named = {"Content-Type": request.content_type, "Accept": request.accept}
    return {
        "method": request.method,
        "path": request.path,
        "body": base64.b64encode(request.body).decode(),
        "headers": {name: value for name, value in named.items() if value},
    }


def wait_until(happened, seconds=60):
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.02)


def job(folder, recipe):
    """A folder as SageMaker lays it out for a job, with the code as a channel."""
    given = {"recipe": recipe, **{name: str(v) for name, v in jobs.FLAGS[recipe].items()}}
    root = jobs.tree(folder / "ml", given)
    jobs.code(root / "input" / "data" / "code")
    return root


def train(root, folder, until=""):
    """Train in isolation; stop it once it has said a word. Return its exit code and its log."""
    env = environ(folder, TMPDIR="/opt/ml/tmp")
    shutil.rmtree(root / "tmp")  # SageMaker goes on in a new container, with the checkpoints alone
    (root / "tmp").mkdir()
    with Isolated(TRAIN, root, folder, env) as program:
        if until:
            wait_until(lambda: until in program.log)
            assert program.inside(["cat", "/proc/1/cmdline"]).stdout.split("\0")[:2] == TRAIN
            os.kill(program.inner, signal.SIGTERM)
        return program.wait(120), program.log


@pytest.mark.parametrize(
    "recipe", ["sentiment", pytest.param("shakespeare", marks=pytest.mark.slow)]
)
def test_a_job_stopped_as_process_1_goes_on_and_ends_with_the_same_model(recipe, tmp_path):
    whole = job(tmp_path / "whole", recipe)
    code, log = train(whole, tmp_path / "whole" / "run")
    assert code == 0, log
    cut = job(tmp_path / "cut", recipe)
    code, log = train(cut, tmp_path / "cut" / "first", until="epoch 2:")
    assert (code, list((cut / "model").glob("*"))) == (0, []), log
    assert list((cut / "checkpoints").rglob("*"))
    code, log = train(cut, tmp_path / "cut" / "second")
    assert code == 0, log
    assert "going on at epoch" in log
    assert bundle.load(cut / "model").members == bundle.load(whole / "model").members


@pytest.mark.parametrize("path", ["model_path", "writer_path"])
def test_a_server_as_process_1_without_a_network_answers_all_and_stops_when_told(
    path, request, tmp_path
):
    archive = request.getfixturevalue(path)
    root = tmp_path / "ml"
    untar(archive, root / "model")
    model = loading.of(bundle.load(archive), engine="numpy")
    env = environ(tmp_path, MARFA_ENGINE="numpy")
    # a body over the limit is refused before it has been read, and the line is closed
    wanted = [each for _, each in asked.of(model) if len(each.body) <= 1 << 20]
    with Isolated(SERVE, root, tmp_path / "serve", env) as program:
        wait_until(lambda: program.inside([sys.executable, "-c", PING]).returncode == 0)
        assert "unreachable" in program.inside([sys.executable, "-c", OUTSIDE]).stderr
        lines = "".join(json.dumps(written(each)) + "\n" for each in wanted)
        answers = program.inside([sys.executable, "-c", ASK], lines).stdout.splitlines()
        os.kill(program.inner, signal.SIGTERM)
        assert program.wait(30) == 0, program.log
    for each, answer in zip(wanted, map(json.loads, answers), strict=True):
        found = response(answer[0], answer[1], base64.b64decode(answer[2]))
        assert same(found, respond(model, each)), each
