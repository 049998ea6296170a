"""The processes that judge side by side, at their end."""

import time
from array import array

import pytest

from marfa.errors import MarfaError
from marfa.stages.score.crew import Crew
from marfa.stages.score.portions import Portion

ONE = Portion(0, array("Q", [4]), b"good", "")


class EndedError(Exception):
    """What whoever asks is ended by."""


class Late(Crew):
    """Its first process ends at once, since there is no model; the next is begun as all of it ends."""

    def __init__(self, *given):
        super().__init__(*given)
        self.begun = []
        self.asked = 0

    def _start(self):
        self.asked += 1
        while self.begun and not self._ended:
            time.sleep(0.01)
        self.begun.append(super()._start())
        return self.begun[-1]


def test_no_process_is_begun_after_the_end(tmp_path):
    def wanted():
        yield ONE
        end = time.monotonic() + 30
        while several.asked < 2 and time.monotonic() < end:
            time.sleep(0.01)
        raise EndedError

    several = Late(tmp_path / "none", "numpy", ".jsonl", "identity", 1)
    with pytest.raises(EndedError), several:
        list(several.judge(wanted()))
    assert (several.asked, len(several.begun)) == (2, 1)


@pytest.mark.timeout(60)
def test_a_model_that_was_changed_ends_it_whatever_is_still_to_be_judged(model_path):
    several = Crew(model_path, "numpy", ".jsonl", "another", 2)
    with pytest.raises(MarfaError, match="changed while it was being used"), several:
        list(several.judge([ONE] * 20))
