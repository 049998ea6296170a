"""What is rounded once stays as it is: in a file, out of it, and whoever multiplies."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from marfa.engines import rounding, weights
from marfa.settings import TrainSettings

BITS = st.sampled_from(rounding.BITS)
SIZES = st.sampled_from([1e-30, 1e-3, 1.0, 1e30])


@st.composite
def tables(draw):
    """Tables of numbers of all sizes, some of them zero."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    count, largest = shape[0] * shape[1], draw(SIZES)
    numbers = st.floats(-largest, largest, allow_subnormal=False) | st.just(0.0)
    found = draw(st.lists(numbers, min_size=count, max_size=count))
    return np.array(found, np.float32).reshape(shape)


def written_and_read(table):
    return weights.read(save(rounding.stored({"x": table, "y": table}, "x")))


@given(tables(), BITS)
def test_a_rounded_table_comes_out_of_a_file_bit_by_bit(table, bits):
    rounded = rounding.rounded(table, bits)
    found = written_and_read(rounded)
    assert found.keys() == {"x", "y"}
    assert found["x"].dtype == np.float32
    assert found["x"].tobytes() == found["y"].tobytes() == rounded.tobytes()


@given(tables())
def test_any_other_table_comes_out_bit_by_bit_too(table):
    found = written_and_read(table)
    assert found["x"].tobytes() == found["y"].tobytes() == table.tobytes()


@given(tables(), BITS)
def test_rounding_moves_no_number_by_more_than_half_a_step_and_no_zero_at_all(table, bits):
    rounded = rounding.rounded(table, bits)
    step = float(np.abs(table).max()) / (2 ** (bits - 1) - 1) * (1 + 2.0**-15)
    assert np.abs(rounded.astype(float) - table).max() <= step / 2 * (1 + 1e-6)
    assert not rounded[table == 0].any()


@given(tables(), BITS)
def test_what_is_rounded_is_not_moved_again(table, bits):
    rounded = rounding.rounded(table, bits)
    assert rounding.rounded(rounded, bits).tobytes() == rounded.tobytes()


@given(tables(), BITS)
def test_every_product_is_exact_so_that_no_engine_can_find_another(table, bits):
    small = rounding.whole(rounding.rounded(table, bits))
    if small is None:
        assert not table.any() or np.abs(table).max() < 1e-35
        return
    steps, scale = small
    expected = steps.astype(np.float64) * float(scale)
    assert np.abs(steps).max() <= 2 ** (bits - 1) - 1
    np.testing.assert_array_equal((steps * scale).astype(np.float64), expected)
    by_torch = torch.from_numpy(steps) * torch.tensor(scale)
    np.testing.assert_array_equal(by_torch.double().numpy(), expected)


@pytest.mark.parametrize("number", [0.0, 1e-44, -1e-40])
def test_next_to_nothing_is_left_as_it_is(number):
    table = np.full((2, 3), number, np.float32)
    assert all(rounding.rounded(table, bits).tobytes() == table.tobytes() for bits in rounding.BITS)
    assert rounding.whole(table) is None
    assert written_and_read(table)["x"].tobytes() == table.tobytes()


def test_a_rounded_table_takes_a_byte_a_number():
    table = np.random.default_rng(1).normal(size=(500, 40)).astype(np.float32)
    small = rounding.stored({"x": rounding.rounded(table, 7)}, "x")
    assert {name: array.dtype for name, array in small.items()} == {
        "x": np.int8,
        "x.scale": np.float32,
    }
    assert rounding.stored({"x": table}, "x")["x"] is table


def test_the_setting_offers_what_rounding_can_do_or_none_of_it():
    (field,) = (each for each in fields(TrainSettings) if each.name == "embedding_bits")
    assert field.metadata["choices"] == (*rounding.BITS, 32)
