"""A body leaves as fast as allowed, whoever reads it, and as often as it must be sent."""

import io

from hypothesis import given
from hypothesis import strategies as st

from marfa.aws.body import Body, Throttle

LINE, HASHING = 16 * 1024, 1024 * 1024
"""How much urllib3 and botocore ask for at a time."""


class Time:
    """A clock that stands still unless somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def drain(body, size=LINE):
    found = []
    while content := body.read(size):
        found.append(content)
    return b"".join(found)


def ignore(count):
    pass


@given(
    size=st.integers(100_000, 2_000_000),
    kbps=st.integers(100, 100_000),
    latency=st.floats(0, 0.0005),
)
def test_a_file_takes_the_time_that_the_rate_allows_within_a_tenth(size, kbps, latency):
    time = Time()

    def late(seconds):
        time.sleep(seconds + latency)  # no system wakes anybody in time

    throttle = Throttle(kbps, time, late)
    assert len(drain(Body(bytes(size), throttle, ignore))) == size
    allowed = size * 8 / (kbps * 1000)
    assert 0.9 * allowed <= time.now <= 1.1 * allowed + latency


def test_time_spent_waiting_for_answers_is_not_made_up_for_by_a_burst():
    time = Time()
    throttle = Throttle(800, time, time.sleep)  # 100 kB a second
    drain(Body(bytes(100_000), throttle, ignore))
    time.sleep(60)
    before = time.now
    drain(Body(bytes(100_000), throttle, ignore))
    assert 0.7 <= time.now - before <= 1.0


def test_hashing_before_the_signature_is_neither_held_back_nor_counted():
    time, told = Time(), []
    body = Body(bytes(3_000_000), Throttle(100, time, time.sleep), told.append)
    assert len(drain(body, HASHING)) == 3_000_000
    body.seek(0)
    assert (time.now, told) == (0.0, [])


def test_a_slow_line_is_never_silent_for_long():
    time, waits = Time(), []

    def sleep(seconds):
        waits.append(seconds)
        time.sleep(seconds)

    drain(Body(bytes(20_000), Throttle(64, time, sleep), ignore))
    assert max(waits) <= 0.11


def test_without_a_limit_nothing_waits():
    def never(seconds):
        raise AssertionError

    content = bytes(range(256)) * 1000
    assert drain(Body(content, Throttle(0, Time(), never), ignore)) == content


def test_what_was_sent_twice_is_counted_from_the_beginning():
    told = []
    body = Body(bytes(LINE * 2), Throttle(0, Time(), ignore), told.append)
    body.read(LINE)
    body.seek(0)
    drain(body)
    assert told == [LINE, LINE, LINE * 2]


@given(
    content=st.binary(max_size=300),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(-1, 400)),
            st.tuples(st.just("seek"), st.integers(0, 2), st.integers(0, 40)),
        )
    ),
)
def test_it_reads_as_a_file_does(content, steps):
    body, file = Body(content, Throttle(0, Time(), ignore), ignore), io.BytesIO(content)
    assert len(body) == len(content)
    for name, *values in steps:
        if name == "seek":
            whence, distance = values
            distance = min(distance, len(content))
            offset = {0: distance, 1: 0, 2: -distance}[whence]
            assert body.seek(offset, whence) == file.seek(offset, whence)
        else:
            assert body.read(*values) == file.read(*values)
        assert body.tell() == file.tell()
