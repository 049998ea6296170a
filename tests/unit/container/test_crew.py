"""The processes of a server: all there, replaced, ended; small ones that do nothing but live."""

import os
import signal
import time

import pytest

from marfa.container.crew import Crew
from marfa.errors import MarfaError

# Other tests' threads, which `marfa serve` has none of when it forks.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def living(line):
    """Live until SIGTERM."""
    ended = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    line.ready()
    while not ended and line.is_watched:
        line.beat()
        time.sleep(0.02)


def until(crew, condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        crew.watch(0.02)


def processes(crew):
    return [place.process.pid for place in crew._places if place.ready]


@pytest.fixture
def notes():
    return []


@pytest.fixture
def crew(notes):
    it = Crew(living, 3, notes.append)
    it.start()
    until(it, lambda: len(processes(it)) == 3)
    yield it
    it.stop(5)


def is_there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_are_there_until_they_are_told_to_stop(crew, notes):
    there = processes(crew)
    assert len({*there, os.getpid()}) == 4
    crew.stop(5)
    assert not any(map(is_there, there))
    assert notes == []


def test_one_that_is_killed_is_replaced_at_once_and_the_others_stay(crew, notes):
    before = processes(crew)
    os.kill(before[1], signal.SIGKILL)
    began = time.monotonic()
    until(crew, lambda: len(set(processes(crew)) - {before[1]}) == 3)
    assert time.monotonic() - began < 2
    after = processes(crew)
    assert (after[0], after[2]) == (before[0], before[2])
    assert len(notes) == 1


def test_one_that_hangs_is_ended_and_replaced(notes):
    crew = Crew(living, 1, notes.append, silent_seconds=0.3)
    crew.start()
    (first,) = processes(crew)
    os.kill(first, signal.SIGSTOP)
    until(crew, lambda: processes(crew) not in ([], [first]))
    assert not is_there(first)
    assert len(notes) == 2
    crew.stop(5)


def test_those_that_were_stopped_together_with_the_one_that_watches_do_not_hang(crew, notes):
    there = processes(crew)
    crew._silent_seconds = 0.3
    for each in there:
        os.kill(each, signal.SIGSTOP)
    time.sleep(2.5)
    for _ in range(3):
        crew.watch(0.02)
    for each in there:
        os.kill(each, signal.SIGCONT)
    until(crew, lambda: all(place.heard > time.monotonic() - 0.1 for place in crew._places))
    assert processes(crew) == there
    assert notes == []


def test_one_that_does_not_end_when_told_is_killed(notes):
    crew = Crew(lambda line: deaf(line), 1, notes.append)
    crew.start()
    (there,) = processes(crew)
    began = time.monotonic()
    crew.stop(0.3)
    assert time.monotonic() - began < 3
    assert not is_there(there)


def deaf(line):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    line.ready()
    while True:
        time.sleep(1)


def test_work_that_cannot_begin_is_an_error_and_no_endless_trying(notes):
    crew = Crew(lambda line: os._exit(9), 2, notes.append, pauses=(0.0, 0.01, 0.02))
    with pytest.raises(MarfaError, match="could be brought"):
        crew.start()
    crew.stop(5)
    assert len(notes) >= 6


def test_they_end_when_nobody_watches_them_any_more():
    read, write = os.pipe()
    watcher = os.fork()
    if watcher == 0:
        crew = Crew(living, 2, lambda note: None)
        crew.start()
        while len(processes(crew)) < 2:
            crew.watch(0.02)
        os.write(write, " ".join(map(str, processes(crew))).encode())
        time.sleep(60)
        os._exit(0)
    left = [int(each) for each in os.read(read, 100).split()]
    os.close(read)
    os.close(write)
    os.kill(watcher, signal.SIGKILL)
    os.waitpid(watcher, 0)
    end = time.monotonic() + 5
    while any(map(is_there, left)):
        assert time.monotonic() < end
        time.sleep(0.02)
