"""Ridge regression on class indicators: all penalties from one eigensystem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.linear import LinearHead
from tellapart.heads.prepare import Rows, Table, gram
from tellapart.heads.settings import Setting

RANK = 1e-7  # eigenvalues below this share of the largest are numerically zero

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """Weighted, centred rows X~ = sqrt(w) (x - mean) as X~^T X~ = V diag(values) V^T.

    mean      [p] weighted mean of the rows; centre [k] that of the targets
    values    [r] eigenvalues above zero; axes [p, r]
    products  [r, k] = V^T X~^T Y~
    """

    mean: Doubles
    centre: Doubles
    values: Doubles
    axes: Doubles
    products: Doubles

    def head(self, penalty: float) -> LinearHead:
        """Return the head of the least sum w |y - f|^2 + penalty |weights|^2."""
        weights = self.axes @ (self.products / (self.values + penalty)[:, None])
        bias = self.centre - self.mean @ weights
        return LinearHead("ridge", weights.astype(np.float32), bias.astype(np.float32))


def decompose(table: Table, labels: Rows, k: int, weights: Doubles) -> Ridge:
    """Return the decomposition for targets of 1 for a row's class and -1 for the others.

    weights [n], above 0. It is made in the smaller of the two spaces, rows or features.
    """
    targets = _targets(labels, k)
    total = weights.sum()
    centre = (weights @ targets) / total
    mean = sum(weights[chunk] @ table.rows(chunk) for chunk in table.chunks()) / total
    mean = np.asarray(mean, np.float64)
    if len(table) <= table.width:
        rows = (table.all() - mean) * np.sqrt(weights)[:, None]
        values, left = np.linalg.eigh(rows @ rows.T)
        kept = values > RANK * values[-1]
        values = values[kept]
        axes = (rows.T @ left[:, kept]) / np.sqrt(values)
        products = axes.T @ (rows.T @ ((targets - centre) * np.sqrt(weights)[:, None]))
        return Ridge(mean, centre, values, axes, products)
    moments = gram(table, weights.astype(np.float32)) - total * np.outer(mean, mean)
    values, axes = np.linalg.eigh(moments)
    kept = values > RANK * values[-1]
    values, axes = values[kept], axes[:, kept]
    crossed = np.zeros((table.width, k))
    for chunk in table.chunks():
        rows = table.rows(chunk) - mean
        crossed += rows.T @ ((targets[chunk] - centre) * weights[chunk, None])
    return Ridge(mean, centre, values, axes, axes.T @ crossed)


def _targets(labels: Rows, k: int) -> Doubles:
    targets = np.full((len(labels), k), -1.0)
    targets[np.arange(len(labels)), labels] = 1.0
    return targets


def row_weights(labels: Rows, k: int, *, balanced: bool) -> Doubles:
    """Return a weight a row [n]: 1, or for balance n / (k pictures of its class)."""
    if not balanced:
        return np.ones(len(labels))
    counts = np.bincount(labels, minlength=k)
    return np.asarray(len(labels) / (k * counts[labels]), np.float64)


def penalty_of(strength: float, found: Ridge) -> float:
    """Return the penalty: `strength` times the mean eigenvalue, whatever the features' scale."""
    return strength * max(float(found.values.mean()), 1e-30)


def fit_ridge(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the heads for settings that differ in the penalty alone."""
    weights = row_weights(labels, k, balanced=settings[0].balanced)
    found = decompose(table, labels, k, weights)
    return [found.head(penalty_of(one.strength, found)) for one in settings]
