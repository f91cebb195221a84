"""Kernel ridge regression on features with exact leave-one-out outputs, in closed form.

The kernel is G = N N^T + 1, N the L2-normalised (features - mean). Its rank r is at most
min(n, d + 1): rows become coordinates Z [n, r] with G = Z Z^T and Z^T Z diagonal, found in the
smaller of the two spaces, so time is linear in n once n > d and memory is one float32 matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAMBDAS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
LEAST_LEFT = 1e-6  # of 1 - leverage: a picture that alone fixes its own output says nothing
RANK = 1e-9  # eigenvalues below this share of the largest are numerically zero
CHUNK = 8192  # rows in flight in float64


@dataclass(frozen=True)
class Coordinates:
    """The kernel's rows as points: `points` [n, r] float32, `values` [r] = diagonal of Z^T Z."""

    points: NDArray[np.float32]
    values: Floats


def coordinates(features: NDArray[np.floating]) -> Coordinates:
    """Return the coordinates of `features` [n, d] under the kernel."""
    count, width = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    if count <= width + 1:
        design = _design(features, mean)
        values, vectors = np.linalg.eigh(design @ design.T)
        kept = values > RANK * values[-1]
        return Coordinates(
            (vectors[:, kept] * np.sqrt(values[kept])).astype(np.float32), values[kept]
        )
    gram = np.zeros((width + 1, width + 1))
    for rows in _chunks(count):
        design = _design(features[rows], mean).astype(np.float32)
        gram += design.T @ design
    values, right = np.linalg.eigh(gram)
    kept = values > RANK * values[-1]
    turn = right[:, kept].astype(np.float32)
    points = np.empty((count, int(kept.sum())), dtype=np.float32)
    for rows in _chunks(count):
        points[rows] = _design(features[rows], mean).astype(np.float32) @ turn
    return Coordinates(points, values[kept])


def _design(features: NDArray[np.floating], mean: Floats) -> Floats:
    """Return the L2-normalised (features - mean) with a column of ones, [n, d + 1]."""
    centred = features - mean
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    centred /= np.maximum(length, 1e-12)
    return np.hstack([centred, np.ones((len(centred), 1))])


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, start + CHUNK)


def leave_one_out(own: Coordinates, targets: Floats) -> tuple[Floats, float]:
    """Return the outputs for each row of a ridge fitted on all other rows [n, k], and the penalty.

    f = (H y - h y) / (1 - h), H the hat matrix, h its diagonal (Allen 1974; exact). The penalty is
    the one of LAMBDAS with the least squared leave-one-out error.
    """
    products = own.points.T @ targets
    leverages = np.empty((len(targets), len(LAMBDAS)))
    shrinking = 1 / (own.values[:, None] + np.array(LAMBDAS))
    for rows in _chunks(len(targets)):
        leverages[rows] = own.points[rows].astype(np.float64) ** 2 @ shrinking
    best, least, chosen = targets, np.inf, LAMBDAS[0]
    for place, penalty in enumerate(LAMBDAS):
        fitted = own.points @ (products * shrinking[:, place, None])
        outputs = _without_own(fitted, leverages[:, place], targets)
        error = float(((outputs - targets) ** 2).sum())
        if error < least:
            best, least, chosen = outputs, error, penalty
    return best, chosen


def _without_own(fitted: Floats, leverage: Floats, targets: Floats) -> Floats:
    left = np.maximum(1 - leverage, LEAST_LEFT)[:, None]
    return (fitted - leverage[:, None] * targets) / left


def weighted_leave_one_out(
    own: Coordinates, targets: Floats, weights: Floats, penalty: float
) -> Floats:
    """Return leave-one-out outputs [n, k] of a ridge whose rows weigh `weights` [n] (above 0).

    A row's own weight drops out of its own output: only the other rows' weights matter.
    """
    count, rank = own.points.shape
    gram = np.diag(np.full(rank, penalty))
    products = np.zeros((rank, targets.shape[1]))
    for rows in _chunks(count):
        points = own.points[rows]
        weighted = points * weights[rows, None].astype(np.float32)
        gram += weighted.T @ points
        products += weighted.T @ targets[rows]
    inverse = np.linalg.inv(gram)
    solved = inverse @ products
    outputs = np.empty_like(targets)
    for rows in _chunks(count):
        points = own.points[rows].astype(np.float64)
        leverage = weights[rows] * np.einsum("ij,ij->i", points @ inverse, points)
        outputs[rows] = _without_own(points @ solved, leverage, targets[rows])
    return outputs


def one_hot(codes: NDArray[np.intp], classes: int) -> Floats:
    """Return [n, classes] with a 1 at each row's code."""
    targets = np.zeros((len(codes), classes))
    targets[np.arange(len(codes)), codes] = 1
    return targets


def softmax(scores: Floats) -> Floats:
    """Return rows that add up to 1."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))
