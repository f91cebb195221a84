"""Values of any type become 8 bits by the rules that the module states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tellapart.images.problems import ImageProblem
from tellapart.images.scaling import to_uint8


def test_eight_bits_stay(make):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels, note = to_uint8(values)
    assert np.array_equal(pixels, values)
    assert note == ""


def test_booleans_are_black_and_white():
    pixels, _ = to_uint8(np.array([[True, False]]))
    assert pixels.tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("largest", "white", "words"),
    [
        (255, 255, ""),
        (1023, 1023, "10 bits"),
        (3000, 4095, "12 bits"),
        (9000, 16383, "14 bits"),
        (65535, 65535, "16 bits"),
    ],
)
def test_sixteen_bits_take_the_smallest_range(largest, white, words):
    values = np.array([[0, largest // 2, largest]], np.uint16)
    pixels, note = to_uint8(values)
    assert pixels.tolist() == [[round(value * 255 / white) for value in values[0].tolist()]]
    assert words in note
    assert bool(note) == bool(words)


def test_full_sixteen_bits_are_divided_by_257():
    eight = np.arange(256, dtype=np.uint16).reshape(16, 16)
    assert np.array_equal(to_uint8(eight * 257)[0], eight)


def test_other_integers_are_stretched():
    pixels, note = to_uint8(np.array([[-500, 0, 500]], np.int16))
    assert pixels.tolist() == [[0, 128, 255]]
    assert note == "values from -500 to 500 stretched to 8 bits"
    assert to_uint8(np.array([[0, 2**32 - 1]], np.uint32))[0].tolist() == [[0, 255]]
    assert to_uint8(np.array([[70_000, 70_000]], np.int32))[0].tolist() == [[0, 0]]


def test_floats():
    assert to_uint8(np.array([[0.0, 0.5, 1.0]]))[0].tolist() == [[0, 128, 255]]
    assert to_uint8(np.array([[0.0, 0.5]], np.float32))[0].tolist() == [[0, 128]]
    assert to_uint8(np.array([[0.0, 100.0, 200.0]]))[0].tolist() == [[0, 100, 200]]
    assert to_uint8(np.array([[-4.0, 0.0, 4.0]]))[0].tolist() == [[0, 128, 255]]
    assert to_uint8(np.array([[-3e38, 3e38]], np.float32))[0].tolist() == [[0, 255]]


def test_what_is_not_finite_is_black_and_said():
    values = np.array([[np.nan, 0.5, 1.0, np.inf, -np.inf]], np.float32)
    pixels, note = to_uint8(values)
    assert pixels.tolist() == [[0, 128, 255, 0, 0]]
    assert "3 values that are not finite became black" in note


def test_nothing_finite_is_a_problem():
    with pytest.raises(ImageProblem, match="none of its pixels is a finite number") as caught:
        to_uint8(np.full((3, 3), np.nan, np.float32))
    assert caught.value.kind == "unreadable"


def test_complex_numbers_are_a_problem():
    with pytest.raises(ImageProblem, match="complex64"):
        to_uint8(np.zeros((2, 2), np.complex64))


NUMBERS = st.sampled_from([np.uint16, np.int16, np.uint32, np.int32, np.float32, np.float64])


@given(NUMBERS.flatmap(lambda kind: hnp.arrays(kind, (3, 4))))
def test_order_is_kept(values):
    """Brighter in the file is never darker in the picture."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return
    pixels, _ = to_uint8(values)
    order = np.argsort(values, axis=None)
    assert (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()


def test_blocks_join_without_a_seam():
    values = np.linspace(-1, 1, 1300 * 1100).reshape(1300, 1100)
    pixels, _ = to_uint8(values)
    assert np.array_equal(pixels, np.round((values + 1) * 127.5).astype(np.uint8))
