"""Vectors as the store keeps them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.features import as_stored


def test_usual_features_become_float16() -> None:
    vector = np.random.default_rng(0).uniform(0, 6, 1280).astype(np.float32)
    assert as_stored(vector).dtype == np.float16


@pytest.mark.parametrize("scale", [1e5, 1e-8])  # float16 overflows, and flushes to zero
def test_what_float16_cannot_hold_stays_float32(scale: float) -> None:
    vector = np.array([1.0, 0.5, 0.0], np.float32) * np.float32(scale)
    stored = as_stored(vector)
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, vector)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=8))
def test_little_is_lost_and_twice_is_once(values: list[float]) -> None:
    vector = np.array(values, np.float32)
    stored = as_stored(vector)
    wide = stored.astype(np.float32)
    assert np.abs(wide - vector).max() <= 1e-3 * np.abs(vector).max()
    np.testing.assert_array_equal(as_stored(wide), stored)
