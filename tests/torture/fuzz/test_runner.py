"""The one line of a promise, and what makes `make torture` fail."""

from tests.torture import __main__ as runner
from tests.torture.promise import Promise


def test_a_promise_is_kept_when_all_of_something_was_borne():
    assert Promise("x", 3, 3).kept
    assert not Promise("x", 3, 2).kept
    assert not Promise("nothing was tried", 0, 0).kept


def test_one_broken_promise_fails_the_run_and_every_promise_has_a_line(capsys):
    def promises(seed, full):
        assert (seed, full) == (5, False)
        yield Promise("bears a", 10, 10)
        yield Promise("bears b", 1000, 999, "status 500")

    assert runner.main(["room"], 5, full=False, rooms={"room": promises}) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "seed 5, a sample: room"
    assert "kept" in shown[1]
    assert "bears a" in shown[1]
    assert "BROKEN" in shown[2]
    assert "status 500" in shown[2]
    assert shown[3] == "reliability: 1,009 / 1,010"


def test_a_room_that_ends_early_fails_the_run_and_hides_no_other(capsys):
    def broken(seed, full):
        raise OSError(28, "No space left")
        yield

    def good(seed, full):
        yield Promise("bears c", 4, 4)

    rooms = {"broken": broken, "good": good}
    assert runner.main([*rooms], 1, full=True, rooms=rooms) == 1
    assert "bears c" in capsys.readouterr().out
    assert runner.main(["good"], 1, full=True, rooms=rooms) == 0
