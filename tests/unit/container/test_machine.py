"""The machine that all requests share: turns, batches, failures, and those who no longer wait."""

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.container.machine import Machine
from marfa.errors import OverloadedError

LONG = 60.0


class Doubling:
    """Doubles numbers, and notes which were doubled together; a negative one cannot be."""

    def __init__(self):
        self.batches = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, portions):
        self.go.wait(5)
        self.batches.append([len(portion) for portion in portions])
        if any(number < 0 for portion in portions for number in portion):
            raise ValueError
        return [[2 * number for number in portion] for portion in portions]


def run(work, at_once=4, patience=LONG, weigh=len):
    doubling = Doubling()

    async def all_of_it():
        machine = Machine(doubling, weigh, at_once, patience)
        try:
            return await work(machine, doubling)
        finally:
            machine.close()

    return asyncio.run(all_of_it()), doubling.batches


async def first_held(machine, doubling, others):
    """Let one portion be computed for a while, in which the others begin to wait."""
    doubling.go.clear()
    first = asyncio.ensure_future(machine.portion([0]))
    await asyncio.sleep(0.01)
    waiting = [asyncio.ensure_future(other) for other in others]
    await asyncio.sleep(0.01)
    doubling.go.set()
    return await asyncio.gather(first, *waiting, return_exceptions=True)


def answers(found):
    return [each if isinstance(each, Exception) else each[0] for each in found]


def test_what_waits_is_computed_together():
    async def work(machine, doubling):
        return await first_held(machine, doubling, [machine.portion([n]) for n in range(1, 7)])

    found, batches = run(work)
    assert answers(found) == [[0], [2], [4], [6], [8], [10], [12]]
    assert batches == [[1], [1, 1, 1, 1], [1, 1]]


def test_nobody_waits_for_a_batch_to_fill():
    async def work(machine, doubling):
        began = time.monotonic()
        await machine.portion([1])
        return time.monotonic() - began

    seconds, batches = run(work)
    assert batches == [[1]]
    assert seconds < 0.5


def test_a_batch_holds_no_more_than_it_may():
    async def work(machine, doubling):
        return await first_held(
            machine,
            doubling,
            [machine.portion([n] * size) for n, size in enumerate((3, 2, 4, 9), 1)],
        )

    _, batches = run(work)
    assert batches == [[1], [3], [2], [4], [9]]


def test_what_weighs_more_than_it_has_items_fills_a_batch_sooner():
    async def work(machine, doubling):
        return await first_held(machine, doubling, [machine.portion([n]) for n in (3, 1, 1, 9, 1)])

    _, batches = run(work, weigh=sum)
    assert batches == [[1], [1, 1], [1], [1], [1]]  # 3 and 1 are 4; 9 is more than there may be


def test_who_is_the_next_one_waits_for_nobody_but_the_turn_under_way():
    async def work(machine, doubling):
        order = []
        turns = [
            *(machine.portion([n] * 4) for n in range(3)),
            machine.turn(lambda: order.append(len(doubling.batches)), next_one=True),
        ]
        await first_held(machine, doubling, turns)
        return order

    order, _ = run(work)
    assert order == [1]


def test_what_fails_fails_for_itself():
    async def work(machine, doubling):
        return await first_held(machine, doubling, [machine.portion([n]) for n in (1, -2, 3)])

    found, batches = run(work)
    first, one, two, three = answers(found)
    assert (first, one, three) == ([0], [2], [6])
    assert isinstance(two, ValueError)
    assert batches == [[1], [1, 1, 1], [1], [1], [1]]


def test_work_of_ones_own_takes_a_turn_in_order():
    async def work(machine, doubling):
        order = []
        turns = [
            machine.portion([1]),
            machine.turn(lambda: order.append(len(doubling.batches))),
            machine.portion([2]),
            machine.portion([3]),
        ]
        await first_held(machine, doubling, turns)
        return order

    order, batches = run(work)
    assert order == [2]
    assert batches == [[1], [1], [1, 1]]


def test_nothing_is_computed_for_those_who_have_gone():
    async def work(machine, doubling):
        doubling.go.clear()
        first = asyncio.ensure_future(machine.portion([0]))
        await asyncio.sleep(0.01)
        gone = asyncio.ensure_future(machine.portion([1]))
        there = asyncio.ensure_future(machine.portion([2]))
        await asyncio.sleep(0.01)
        gone.cancel()
        doubling.go.set()
        return answers(await asyncio.gather(first, there))

    found, batches = run(work)
    assert found == [[0], [4]]
    assert batches == [[1], [1]]


def test_who_has_waited_too_long_is_refused_and_not_computed():
    async def work(machine, doubling):
        doubling.go.clear()
        first = asyncio.ensure_future(machine.portion([0]))
        await asyncio.sleep(0.01)
        late = asyncio.ensure_future(machine.portion([1]))
        await asyncio.sleep(0.1)
        doubling.go.set()
        await first
        with pytest.raises(OverloadedError):
            await late

    _, batches = run(work, patience=0.05)
    assert batches == [[1]]


def test_no_turn_begins_after_the_deadline():
    async def work(machine, doubling):
        machine.deadline = time.monotonic() - 1
        for turn in (machine.portion([1]), machine.turn(lambda: 1)):
            with pytest.raises(OverloadedError, match="stopping"):
                await turn
        machine.deadline = float("inf")
        return await machine.portion([1])

    (found, _), batches = run(work)
    assert found == [2]
    assert batches == [[1]]


def test_it_knows_when_it_last_computed_and_since_when_it_does():
    async def work(machine, doubling):
        doubling.go.clear()
        assert machine.begun is None
        first = asyncio.ensure_future(machine.portion([0]))
        await asyncio.sleep(0.01)
        assert 0 <= time.monotonic() - machine.begun < 1
        assert machine.computed == float("-inf")
        doubling.go.set()
        await first
        assert machine.begun is None
        machine.computed = float("-inf")
        assert machine.computed == float("-inf")
        with pytest.raises(ZeroDivisionError):
            await machine.turn(lambda: 1 / 0)
        assert machine.computed == float("-inf")
        await machine.portion([1])
        return time.monotonic() - machine.computed

    ago, _ = run(work)
    assert 0 <= ago < 1


def test_it_knows_how_much_waits_whatever_becomes_of_it():
    async def work(machine, doubling):
        doubling.go.clear()
        first = asyncio.ensure_future(machine.portion([0, 0]))
        await asyncio.sleep(0.01)
        assert machine.weight == 0  # it is computed, and waits no longer
        others = [
            asyncio.ensure_future(machine.portion(each)) for each in ([1], [2, -2], [3, 3, 3], [4])
        ]
        await asyncio.sleep(0.01)
        assert machine.weight == 7
        others[0].cancel()
        doubling.go.set()
        await asyncio.gather(first, *others, return_exceptions=True)
        assert machine.weight == 0

    _, batches = run(work, at_once=9)
    assert batches == [[2], [2, 3, 1], [2], [3], [1]]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own")
def test_who_talks_with_clients_goes_before_who_computes():
    """By some steps from where the whole stands: `nice marfa serve` must not be turned round."""

    async def work(machine, doubling):
        return await machine.turn(lambda: os.nice(0))

    def found(nicer):
        return os.nice(nicer), run(work)[0][0]

    for nicer in (0, 3, 30):
        with ThreadPoolExecutor(1) as thread:  # a priority goes from a thread to those it starts
            talking, computing = thread.submit(found, nicer).result()
        assert computing == min(19, talking + 5)


@given(
    st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=6), max_size=30), st.integers(1, 8)
)
def test_everybody_gets_their_own(portions, at_once):
    async def work(machine, doubling):
        return await asyncio.gather(*map(machine.portion, portions))

    found, batches = run(work, at_once)
    assert [made for made, _ in found] == [[2 * number for number in each] for each in portions]
    assert all(len(batch) == 1 or sum(batch) <= at_once for batch in batches)
