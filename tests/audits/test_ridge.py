"""Closed forms against fits that really leave one out."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.audits import ridge


def _kernel(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(axis=0)
    normalised = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return normalised @ normalised.T + 1


def _brute(gram: np.ndarray, targets: np.ndarray, weights: np.ndarray, penalty: float):
    outputs = np.empty_like(targets)
    for row in range(len(gram)):
        rest = np.arange(len(gram)) != row
        root = np.sqrt(weights[rest])
        inner = gram[np.ix_(rest, rest)] * root[:, None] * root
        dual = np.linalg.solve(inner + penalty * np.eye(rest.sum()), targets[rest] * root[:, None])
        outputs[row] = (gram[row, rest] * root) @ dual
    return outputs


@pytest.mark.parametrize(("count", "width"), [(20, 50), (60, 8)])
def test_leave_one_out_is_what_fitting_without_the_row_gives(count, width, monkeypatch):
    draw = np.random.default_rng(1)
    features = draw.normal(size=(count, width))
    codes = draw.integers(0, 3, count)
    features[np.arange(count), codes] += 2
    targets = ridge.one_hot(codes, 3)
    monkeypatch.setattr(ridge, "CHUNK", 7)
    own = ridge.coordinates(features)
    outputs, penalty = ridge.leave_one_out(own, targets)
    gram = _kernel(features)
    tried = {one: _brute(gram, targets, np.ones(count), one) for one in ridge.LAMBDAS}
    errors = {one: ((out - targets) ** 2).sum() for one, out in tried.items()}
    assert penalty == min(errors, key=errors.__getitem__)
    np.testing.assert_allclose(outputs, tried[penalty], atol=2e-4)

    weights = draw.uniform(0.05, 1, count)
    weighted = ridge.weighted_leave_one_out(own, targets, weights, penalty)
    np.testing.assert_allclose(weighted, _brute(gram, targets, weights, penalty), atol=2e-4)


def test_coordinates_hold_the_kernel():
    features = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    own = ridge.coordinates(features)
    np.testing.assert_allclose(own.points @ own.points.T, _kernel(features), atol=1e-5)
    assert own.points.shape[1] <= 7


def test_a_constant_feature_matrix_is_no_error():
    own = ridge.coordinates(np.ones((5, 4)))
    outputs, _ = ridge.leave_one_out(own, ridge.one_hot(np.array([0, 1, 0, 1, 0]), 2))
    assert np.isfinite(outputs).all()
