"""A function in a process of its own: what it is told, what it can see, and how it fails."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from marfa.aws import zips
from marfa.rehearsal.function import COPIES, Function, FunctionBusyError, FunctionError, homes

CODE = b"""
import os, sys, time

def handler(event, context):
    match event["do"]:
        case "environment":
            return dict(os.environ)
        case "import":
            __import__(event["name"])
            return "there"
        case "sleep":
            time.sleep(event["long"])
        case "die":
            os._exit(3)
        case "fail":
            raise ValueError("a client's secret-57")
        case "set":
            return {1, 2}
        case "print":
            print("a line of its log")
        case "left":
            return context.get_remaining_time_in_millis()
        case "read":
            return sys.stdin.read()
    return os.getpid()
"""


@pytest.fixture
def make(tmp_path):
    made = []

    def make(code=CODE, handler="own.handler", **properties):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        properties = {"Handler": handler, "Timeout": 5, **properties}
        made.append(Function(zips.pack({"own.py": code}), properties, {"AWS_REGION": "x"}, folder))
        return made[-1]

    yield make
    for each in made:
        each.close()
        assert not each.alive


def ask(function, do, seconds=10.0, **more):
    return function.invoke({"do": do, **more}, seconds)


def test_one_process_answers_event_after_event(make):
    function = make()
    assert ask(function, "pid") == ask(function, "pid") != os.getpid()
    assert len(function.cold) == 1


def test_it_is_told_what_the_template_says_and_nothing_of_this_machine(make):
    function = make(MemorySize=512, Environment={"Variables": {"MARFA_ENDPOINT": "soup"}})
    found = ask(function, "environment")
    assert found["MARFA_ENDPOINT"] == "soup"
    assert (found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], found["AWS_REGION"]) == ("512", "x")
    assert not {"HOME", "PATH", "PYTHONPATH"} & set(found)


def test_it_sees_numpy_and_boto3_and_no_other_library(make):
    function = make()
    for name in ("numpy", "numpy.linalg", "boto3", "snowballstemmer"):
        assert ask(function, "import", name=name) == "there"
    for name in ("rich", "starlette", "marfa", "pytest"):
        with pytest.raises(FunctionError, match="ModuleNotFoundError"):
            ask(function, "import", name=name)


def test_it_knows_how_long_it_may_take(make):
    assert 0 < ask(make(Timeout=5), "left") <= 5000
    assert 0 < ask(make(Timeout=25), "left", seconds=2.0) <= 2000


def test_what_takes_too_long_is_ended_and_the_next_event_finds_a_new_one(make):
    function = make(Timeout=1)
    first = ask(function, "pid")
    began = time.monotonic()
    with pytest.raises(FunctionError, match="no answer within 1 s"):
        ask(function, "sleep", long=10.0)
    assert time.monotonic() - began < 3
    assert ask(function, "pid") != first


def test_one_that_dies_fails_its_event_alone(make):
    function = make()
    for _ in range(2):
        with pytest.raises(FunctionError):
            ask(function, "die")
        assert ask(function, "pid")


def test_one_that_was_killed_in_between_is_replaced(make):
    function = make()
    pid = ask(function, "pid")
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    assert ask(function, "pid") != pid


@pytest.mark.parametrize(("do", "kind"), [("fail", "ValueError"), ("set", "TypeError")])
def test_an_error_is_told_by_its_kind_alone(make, do, kind):
    function = make()
    with pytest.raises(FunctionError, match=kind) as caught:
        ask(function, do)
    assert "secret-57" not in str(caught.value) + function.log.read_text()
    assert ask(function, "pid")


def test_what_it_prints_is_its_log_and_what_it_reads_is_nothing(make):
    function = make()
    ask(function, "print")
    assert function.log.read_text() == "a line of its log\n"
    assert ask(function, "read") == ""


@pytest.mark.parametrize(
    ("code", "handler", "kind"),
    [
        (CODE, "own.missing", "AttributeError"),
        (CODE, "other.handler", "ModuleNotFoundError"),
        (b"1 / 0", "own.handler", "ZeroDivisionError"),
        (b"raise SystemExit", "own.handler", "without a word"),
    ],
)
def test_one_that_does_not_start_says_why(make, code, handler, kind):
    with pytest.raises(FunctionError, match=kind):
        ask(make(code, handler), "pid")


def test_there_are_as_many_copies_as_are_asked_at_once_and_no_more(make):
    function = make()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(function, "sleep", long=0.5)))
        for _ in range(COPIES + 2)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(FunctionBusyError):
        function.invoke({"do": "pid"}, 0.01)
    for thread in threads:
        thread.join()
    assert (len(found), len(function.cold)) == (COPIES + 2, COPIES)


HOLD = """
import sys
from pathlib import Path
from marfa.aws import zips
from marfa.rehearsal.function import Function
code = b"import os, time\\ndef handler(event, context):\\n    time.sleep(event)\\n    return os.getpid()"
function = Function(
    zips.pack({"own.py": code}), {"Handler": "own.handler", "Timeout": 60}, {}, Path(sys.argv[1])
)
print(function.invoke(0, 10.0), flush=True)
function.invoke(60, 60.0)
"""


def test_it_ends_with_whoever_started_it_even_in_the_middle_of_an_event(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while _lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid):
    """Whether a process is at work; one that has ended and that nobody has asked about is not."""
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()[:1] not in {"", "Z"}


def test_packages_are_found_where_they_are_installed():
    (home,) = homes(["numpy", "six", "no such package"])
    assert os.path.isdir(os.path.join(home, "numpy"))
