"""Each promise is kept by a server that keeps it, and broken by one with the bug it is there for."""

import contextlib
import functools
import sys
from pathlib import Path

import pytest
from tests.torture.guarded import claim, claims
from tests.torture.load import asked, ending, mixture, overload, slow, steady, streams
from tests.torture.load.client import Ask, get, post
from tests.torture.load.machine import apart, shared
from tests.torture.load.planted import BUGS, CAP, LIMIT_SECONDS, QUEUE, RUBBISH
from tests.torture.load.served import Served

SLOW, CUT = ("headers", "a body", "reading", "reading a stream"), ("in time", "at last")
STREAM = asked.post("/invocations", b"{}", "application/json", "Accept: text/event-stream")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "good"
    path.write_bytes(b"good")
    return path


def server(model, bug, workers=1):
    command = [sys.executable, "-m", "tests.torture.load.planted", "{port}", str(model), bug]
    return Served([*command, str(workers)], apart())


@contextlib.contextmanager
def serving(model, bug):
    with server(model, bug) as served:
        yield served, asked.learned(served.url, [asked.plain(number) for number in range(4)])


def bears(bug, run, *names, quiet=True):
    """One attempt is enough for a bug to be seen; without one, others' work may spoil an attempt.

    Where others have the machine, figures of time say nothing, of a bug neither.
    """
    for _ in range(1 if bug != "none" else 3):
        made = [*run()]
        found = {each.name for each in made if not each.kept and (quiet or not each.pace)}
        tried = {each.name for each in made if each.injected}
        if not found and bug == "none":
            return
    assert bug != "none", found
    left = [name for name in names if not any(_is(each.name, name) and each.pace for each in made)]
    for name in names if quiet else left:
        assert any(_is(each, name) for each in found & tried), (name, found)
    if not (quiet or left):
        pytest.skip(f"the machine does something else: nothing is said of {', '.join(names)}")


def _is(promise, name):
    return f": {promise}".endswith(f": {name}")


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        ("errors", ["all answered, and rightly", "nothing wrong"]),
        ("wrong", ["all answered, and rightly", "nothing wrong"]),
        ("moody", ["all answered, and rightly", "none refused while few wait"]),
        ("tail", ["p99"]),
    ],
)
def test_seventy_percent(model, bug, names, quiet):
    def run():
        with serving(model, bug) as (served, asks):
            return [*steady.steady(served.url, asks, apart(), 100, 3.0, 1, few=QUEUE // 2)]

    bears(bug, run, *names, quiet=quiet)


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        ("unbounded", ["p99 of what is accepted", "recovery"]),
        ("silent", ["answered or refused in form", "nothing wrong"]),
        ("hesitant", ["p99 to a refusal"]),
        ("refusing", ["goodput lost", "goodput lost in its best second"]),
        ("queued ping", ["/ping within 25 ms"]),
    ],
)
def test_overload(model, bug, names, quiet):
    def run():
        with serving(model, bug) as (served, asks):
            capable = steady.capacity(served.url, asks, apart(), 1.0)
            # its queue is short, so a ping that waits in it is slow, but not by a fifth of a second
            bounds = overload.Bounds(ping_ms=25.0 if bug == "queued ping" else 200.0)
            much = overload.Much(capable, 5, 2.0, after=3.0)
            return [*overload.overload(served.url, asks, apart(), much, bounds)]

    bears(bug, run, *names, quiet=quiet)


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        ("stout", ["after the start"]),
        ("leak", ["growth"]),
        ("greedy", ["growth under load"]),
        ("swallow", ["413 to what is too large"]),
        ("agreeable", ["answered as they deserve"]),
        ("weary", ["answered as they deserve"]),
    ],
)
def test_memory(model, bug, names):
    def run():
        with serving(model, bug) as (served, asks):
            rubbish = post("/invocations", RUBBISH, "application/json")
            several = [*asks, Ask("page", get("/")), Ask("bad", rubbish, mixture.refusing(400))]
            return [*mixture.bounded(served, several, shared(), 1200, 1, cap=CAP)]

    bears(bug, run, *names)


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        (
            "patient",
            [f"slow with {kind}, beside one review: cut {by}" for kind in SLOW for by in CUT],
        ),
        ("crowded", ["others answered meanwhile", "nothing wrong"]),
        ("heedful", ["p99 of others"]),
    ],
)
def test_slow_clients(model, bug, names, quiet):
    def run():
        with serving(model, bug) as (served, asks):
            counts = (20, 20, 5, 3)
            few, limit = QUEUE // 2, LIMIT_SECONDS
            found = slow.slow(served.url, asks, apart(), 40, 1, counts=counts, limit=limit, few=few)
            return [*found]

    bears(bug, run, *names, quiet=quiet)


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        ("abrupt", ["what was asked before is answered"]),
        ("dismissive", ["what was asked before is answered"]),
        ("stubborn", ["ended within 2 s"]),
        ("deserting", ["ended within 2 s"]),
    ],
)
def test_sigterm(model, bug, names):
    def run():
        with serving(model, "none") as (_, asks):
            start = functools.partial(server, model, bug, 2)
            return [*ending.sigterm(start, asks, 2, 1, limit=2.0)]

    bears(bug, run, *names)


@pytest.mark.parametrize(
    ("bug", "names"), [("none", []), ("unsaid", ["each stream says how it ends"])]
)
def test_sigterm_while_it_writes(model, bug, names):
    start = functools.partial(server, model, bug, 2)
    bears(bug, lambda: [streams.ended(start, Ask("a stream", STREAM), 2, 1)], *names)


@pytest.mark.parametrize(
    ("bug", "names"),
    [
        ("none", []),
        ("alone", ["another answers within 2 s"]),
        ("together", ["the others answer meanwhile"]),
        ("early", ["who says that it is well answers"]),
    ],
)
def test_a_process_killed(model, bug, names):
    start = functools.partial(server, model, bug, 2)
    bears(bug, lambda: [*ending.killed(start, asked.plain(1), 2, 1)], *names)


@pytest.mark.parametrize(
    ("bug", "names"), [("none", []), ("forgetful", ["who was cut in a stream goes on with it"])]
)
def test_a_process_killed_while_it_writes(model, bug, names):
    start = functools.partial(server, model, bug, 2)
    bears(bug, lambda: [streams.torn(start, Ask("a stream", STREAM), 2, 1)], *names)


@pytest.mark.parametrize(
    ("bug", "names"), [("none", []), ("always healthy", ["never a ping of 200"])]
)
def test_a_model_that_is_not_whole(model, bug, names):
    commands = [("missing", server(model.with_name("none"), bug))]
    bears(bug, lambda: [ending.unfit(iter(commands), 1.0)], *names)


def test_a_bad_request_deserves_the_status_that_says_what_is_bad():
    bad = [ask for ask in mixture.judging(1) if ask.name == "bad"]
    deserved = [status for ask in bad for status in range(400, 500) if ask.right(status, b"")]
    assert sorted(deserved) == [400, 400, 400, 400, 404, 405, 406, 415, 415, 422]


def test_every_bug_has_its_promise_and_every_promise_has_its_bug():
    assert {bug for bug, _ in _tried()} == set(BUGS)
    seen = {claim(name) for _, names in _tried() for name in names}
    assert seen == claims(Path(__file__).parent)


def _tried():
    """Yield each bug, and what it must break."""
    for test in [each for name, each in globals().items() if name.startswith("test_")]:
        for mark in getattr(test, "pytestmark", []):
            if mark.name == "parametrize":
                yield from mark.args[1]
