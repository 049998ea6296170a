"""The loop of a server: a few connections a round, in turn, and told of as asyncio's own would."""

import contextlib
import selectors
import socket
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("asyncio's own loop serves elsewhere", allow_module_level=True)

from marfa.container import loop


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
