"""What finds all promises that a room makes."""

import pytest
from tests.torture.guarded import claim, read


def test_the_name_of_each_promise_is_found_however_it_is_passed_on():
    source = """
def of(tried):
    yield Promise("a room: all of it", 1, 1)
    yield within(f"{name}: at most {most:g} ms", 1, 2)
    yield tried.twice(name="after kill -9")

def within(name, found, most):
    return judged(name, 1)

class Tried:
    def twice(self, *, name):
        return Promise(name, 1, 1)
"""
    other = "def judged(name, count):\n    return promise.Promise(name, count, count)\n"
    assert read([source, other]) == {"all of it", "at most N ms", "after kill -N"}
    assert claim("it: at most 25 ms") == "at most N ms"


@pytest.mark.parametrize("name", ["f'{task}: {name}'", "names[0]", "f'all: {name}'"])
def test_a_name_that_is_not_to_be_read_is_no_promise_without_a_bug(name):
    with pytest.raises(ValueError, match="line 1: what is promised"):
        read([f"Promise({name}, 1, 1)"])
