"""The linear head: probabilities alone or among others to the bit, arrays there and back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tellapart.heads import LinearHead


def head(d: int = 1280, k: int = 7) -> LinearHead:
    random = np.random.default_rng(0)
    return LinearHead(
        "logistic",
        random.normal(0, 0.1, (d, k)).astype(np.float32),
        random.normal(0, 1, k).astype(np.float32),
    )


def test_probabilities_are_the_softmax_of_the_scores() -> None:
    features = np.random.default_rng(1).random((50, 1280)).astype(np.float16)
    found = head().probabilities(features)
    scores = features.astype(np.float64) @ head().weights + head().bias
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("d", [3, 1280])
def test_a_picture_alone_gets_what_it_got_among_others_to_the_bit(d: int) -> None:
    features = np.random.default_rng(1).random((5_000, d)).astype(np.float16)
    found = head(d).probabilities(features)
    for row in (0, 17, 4_999):
        np.testing.assert_array_equal(head(d).probabilities(features[row : row + 1])[0], found[row])


def test_large_scores_stay_finite_and_no_pictures_are_fine() -> None:
    far = LinearHead("logistic", np.array([[1e4, -1e4]], np.float32), np.zeros(2, np.float32))
    assert far.probabilities(np.ones((1, 1), np.float32)).tolist() == [[1.0, 0.0]]
    assert head().probabilities(np.empty((0, 1280), np.float16)).shape == (0, 7)


def test_arrays_there_and_back() -> None:
    again = LinearHead.from_arrays("logistic", head().arrays())
    np.testing.assert_array_equal(again.weights, head().weights)
    np.testing.assert_array_equal(again.bias, head().bias)


def test_what_predict_needs_imports_numpy_alone() -> None:
    code = (
        "import sys; from tellapart.heads.linear import LinearHead; "
        "print([m for m in ('sklearn', 'scipy', 'polars', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
