"""Our reader of safetensors agrees with theirs, and believes nothing."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load, save

from marfa.engines.weights import read
from marfa.errors import BundleError

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).filter(
    lambda n: n != "__metadata__"
)


@given(st.dictionaries(NAMES, st.tuples(st.integers(1, 4), st.integers(1, 4)), max_size=5))
def test_what_the_library_writes_is_read_the_same(shapes):
    arrays = {
        name: np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        for name, shape in shapes.items()
    }
    data = save(arrays)
    found, expected = read(data), load(data)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def file(header, body=b""):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(start=0, end=4, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 8,
        (10**9).to_bytes(8, "little"),
        (5).to_bytes(8, "little") + b"[[[[[",
        file([]),
        file({"a": 1}),
        file({"a": entry(dtype="F64")}, bytes(4)),
        file({"a": entry(shape=(2,))}, bytes(4)),
        file({"a": entry(shape=(-1, -1))}, bytes(4)),
        file({"a": entry(shape=(True,))}, bytes(4)),
        file({"a": entry(start=-4, end=0)}, bytes(4)),
        file({"a": entry(end=8, shape=(2,))}, bytes(4)),
        file({"a": entry(), "b": entry()}, bytes(4)),
        file({"a": entry()}, bytes(8)),
        file({"a": entry(shape=(1,) * 99)}, bytes(4)),
        file({"a": entry()}, np.float32(np.nan).tobytes()),
        file({"a": {"dtype": "F32"}}, bytes(4)),
        file({"a": entry(dtype=["F32"])}, bytes(4)),
    ],
)
def test_a_lying_header_is_refused(data):
    with pytest.raises(BundleError):
        read(data)


def small(scale, **other):
    """A file of two eight-bit numbers and their scale."""
    return save({"a": np.array([-128, 2], np.int8), "a.scale": np.array(scale), **other})


def test_eight_bit_numbers_are_read_as_their_products_with_the_scale():
    found = read(small([np.float32(0.5)], b=np.ones(2, np.float32)))
    assert {name: (array.dtype, list(array)) for name, array in found.items()} == {
        "a": (np.float32, [-64.0, 1.0]),
        "b": (np.float32, [1.0, 1.0]),
    }


@pytest.mark.parametrize(
    "data",
    [
        save({"a": np.ones(2, np.int8)}),
        save({"a": np.ones(2, np.int8), "b.scale": np.ones(1, np.float32)}),
        save({"a": np.ones(2, np.int8), "a.scale": np.ones(1, np.int8)}),
        save(
            {
                "a": np.ones(2, np.int8),
                "a.scale": np.ones(1, np.int8),
                "a.scale.scale": np.ones(1, np.float32),
            }
        ),
        small(np.ones(2, np.float32)),
        small(np.ones((1, 1), np.float32)),
        small(np.ones(1, np.float64)),
        small(np.zeros(1, np.float32)),
        small(-np.ones(1, np.float32)),
        small(np.full(1, np.nan, np.float32)),
        small(np.full(1, np.inf, np.float32)),
        small(np.full(1, 1e38, np.float32)),
        file({"a": entry(end=8, shape=(2,), dtype="I8")}, bytes(8)),
        file({"a": entry(end=4, shape=(4,), dtype="U8")}, bytes(4)),
    ],
)
def test_eight_bit_numbers_without_a_fitting_scale_are_refused(data):
    with pytest.raises(BundleError):
        read(data)


def test_a_scale_of_nothing_is_a_tensor_like_any_other():
    """The engine then refuses it, as it refuses all that its network has no place for."""
    assert list(read(save({"a.scale": np.ones(1, np.float32)}))) == ["a.scale"]


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_damage_never_crashes(position, noise):
    data = bytearray(small(np.ones(1, np.float32), b=np.ones((3, 3), np.float32)))
    data[position : position + len(noise)] = noise
    with contextlib.suppress(BundleError):
        read(bytes(data))
