"""A long text in batches: every character is read in its order, the next one is its target."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marfa.errors import DataError
from marfa.models.stretches import Stretches


@given(st.integers(2, 200), st.integers(1, 9), st.integers(1, 30))
def test_inputs_are_the_text_less_its_last_targets_less_its_first(count, batch_size, unroll):
    ids = np.arange(count, dtype=np.uint16)
    try:
        text = Stretches(ids, batch_size, unroll)
    except DataError:
        assert count <= batch_size
        return
    steps = list(text.steps())
    assert len(steps) == len(text)
    inputs_LB = np.concatenate([inputs for inputs, _ in steps])
    targets_LB = np.concatenate([targets for _, targets in steps])
    assert (targets_LB == inputs_LB + 1).all()
    read = inputs_LB.T.ravel()  # one stretch after the other
    assert read.tolist() == list(range(len(read)))
    assert 0 < count - 1 - len(read) + batch_size <= 2 * batch_size  # fewer are left than stretches


@given(st.integers(0, 8))
def test_a_step_is_the_same_from_wherever_one_begins(first):
    text = Stretches(np.arange(100, dtype=np.uint16), 4, 3)
    late, all_ = list(text.steps(first)), list(text.steps())
    for (inputs, targets), (same_inputs, same_targets) in zip(late, all_[first:], strict=True):
        assert (inputs == same_inputs).all()
        assert (targets == same_targets).all()


def test_a_text_shorter_than_a_batch_is_refused():
    with pytest.raises(DataError, match="too few for 32 stretches") as caught:
        Stretches(np.arange(32, dtype=np.uint16), 32, 64)
    assert "--batch-size" in caught.value.hint
