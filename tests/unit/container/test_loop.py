"""The loop of a server: a few connections a round, in turn, and told of as asyncio's own would."""

import asyncio
import contextlib
import selectors
import socket
import sys
import threading
import time
from types import SimpleNamespace

import pytest

if sys.platform != "linux":
    pytest.skip("asyncio's own loop serves elsewhere", allow_module_level=True)

from marfa.container import loop
from marfa.container.server import Server
from marfa.settings import ServeSettings


@pytest.fixture
def pairs():
    with contextlib.ExitStack() as opened:
        yield [tuple(opened.enter_context(end) for end in socket.socketpair()) for _ in range(100)]


def test_of_many_that_are_ready_a_few_are_told_of_and_all_in_turn(pairs):
    with contextlib.closing(loop.Few()) as few:
        for ours, theirs in pairs:
            few.register(ours, selectors.EVENT_READ)
            theirs.send(b"x")
        rounds = [[key.fileobj for key, _ in few.select(0)] for _ in range(7)]
    assert {len(each) for each in rounds} == {16}
    assert {end for each in rounds for end in each} == {ours for ours, _ in pairs}


def test_it_tells_what_asyncios_own_tells(pairs):
    silent, read, written, both, gone = pairs[:5]
    wanted = selectors.EVENT_READ, selectors.EVENT_WRITE
    events = dict(zip((silent, read, written, both, gone), (1, 1, 2, 3, 3), strict=True))
    for _, theirs in (read, both):
        theirs.send(b"x")
    gone[1].close()
    found = []
    for selector in (loop.Few(), selectors.EpollSelector()):
        with contextlib.closing(selector):
            for pair, kinds in events.items():
                selector.register(pair[0], kinds)
            found.append({key.fd: kinds for key, kinds in selector.select(0)})
    assert found[0] == found[1]
    assert found[0] == {
        read[0].fileno(): wanted[0],
        written[0].fileno(): wanted[1],
        both[0].fileno(): sum(wanted),
        gone[0].fileno(): sum(wanted),
    }


def test_who_is_closed_and_still_open_elsewhere_is_not_told_of(pairs):
    ours, theirs = pairs[0]
    with contextlib.closing(loop.Few()) as few, ours.dup() as elsewhere:
        file = few.register(ours, selectors.EVENT_READ).fd
        ours.close()
        few.unregister(file)  # too late for the system, which goes on telling
        theirs.send(b"x")
        assert few.select(0) == []
        assert elsewhere.recv(1) == b"x"


def test_it_waits_no_longer_than_it_may(pairs):
    with contextlib.closing(loop.Few()) as few:
        few.register(pairs[0][0], selectors.EVENT_READ)
        assert few.select(0.01) == []
        assert few.select(-1) == []
        pairs[0][1].send(b"x")
        assert len(few.select(None)) == 1


def rested(pairs, few, *, ready, timeout=None):
    """Return how long it took to be told, where so many are ready, and of how many."""
    for ours, theirs in pairs[1 : ready + 1]:
        few.register(ours, selectors.EVENT_READ)
        theirs.send(b"x")
    began = time.monotonic()
    told = few.select(timeout)
    return time.monotonic() - began, len(told)


def test_where_none_can_be_served_it_rests_before_it_looks(pairs):
    with contextlib.closing(loop.Few(rest=1.5)) as few:
        few.register(pairs[0][0], selectors.EVENT_READ)
        assert rested(pairs, few, ready=1)[0] < 1
        few.crowded = lambda: True
        took, told = rested(pairs[1:], few, ready=1)
        assert (took >= 1.5, told) == (True, 2)
        for longest in (0.05, 0):
            took, told = rested(pairs[2:], few, ready=0, timeout=longest)
            assert (longest <= took < 1, told) == (True, 2)


def test_it_does_not_rest_while_more_are_ready_than_it_tells_of(pairs):
    with contextlib.closing(loop.Few(rest=1.5)) as few:
        few.register(pairs[0][0], selectors.EVENT_READ)
        few.crowded = lambda: True
        assert rested(pairs, few, ready=20)[1] == 16
        began = time.monotonic()
        assert few.select(None)
        assert time.monotonic() - began < 1


def test_a_thread_that_wakes_it_ends_its_rest():
    async def woken():
        running = asyncio.get_running_loop()
        ready = asyncio.Event()
        threading.Timer(0.1, running.call_soon_threadsafe, (ready.set,)).start()
        began = time.monotonic()
        await ready.wait()
        return time.monotonic() - began

    made = loop.Loop()
    made.few.rest, made.few.crowded = 30.0, lambda: True
    with contextlib.closing(made):
        assert 0.1 <= made.run_until_complete(asyncio.wait_for(woken(), 60)) < 20


@pytest.mark.parametrize("full", [True, False])
def test_a_server_s_loop_rests_where_no_further_question_can_be_taken(full):
    told = []

    def ready():
        told.append(asyncio.get_running_loop().few.crowded())
        server.should_exit = True

    application = SimpleNamespace(
        full=lambda: full,
        state=SimpleNamespace(draining=False),
        metrics=SimpleNamespace(refuse=None),
        drain=lambda seconds: None,
        close=lambda: None,
    )
    server = Server(application, ServeSettings(), ready)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.run(sockets=[listener])
    assert told == [full]
