"""Linear discriminant analysis with a shrunk covariance: all shrinkages from one decomposition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.linear import LinearHead
from tellapart.heads.prepare import Rows, Table, gram
from tellapart.heads.settings import Setting

RANK = 1e-7  # eigenvalues below this share of the largest are numerically zero
LEAST = 1e-30

Doubles = NDArray[np.float64]


def fit_lda(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the heads for settings that differ in the shrinkage s, in 0..1, alone.

    The covariance within the classes S becomes (1 - s) S + s (trace S / p) I (Ledoit and Wolf
    2004), which keeps its axes; balanced: classes count alike in it and are equally likely.
    """
    means = class_means(table, labels, k)
    counts = np.bincount(labels, minlength=k)
    priors = np.full(k, 1 / k) if settings[0].balanced else counts / len(labels)
    weights = (priors / counts)[labels]
    values, axes = _within(table, labels, means, weights)
    average = max(float(values.sum()) / table.width, LEAST)
    along = axes.T @ means.T  # [r, k]
    rest = means.T - axes @ along
    heads = []
    for one in settings:
        floor = max(one.strength * average, 1e-9 * average)
        inside = along / ((1 - one.strength) * values + floor)[:, None]
        columns = axes @ inside + rest / floor
        bias = np.log(priors) - 0.5 * np.einsum("kp,pk->k", means, columns)
        heads.append(LinearHead("lda", columns.astype(np.float32), bias.astype(np.float32)))
    return heads


def class_means(table: Table, labels: Rows, k: int) -> Doubles:
    """Return the mean of each class's rows, [k, p]."""
    sums = np.zeros((k, table.width))
    for chunk in table.chunks():
        np.add.at(sums, labels[chunk], table.rows(chunk))
    return np.asarray(sums / np.bincount(labels, minlength=k)[:, None])


def _within(
    table: Table, labels: Rows, means: Doubles, weights: Doubles
) -> tuple[Doubles, Doubles]:
    """Return eigenvalues [r] and axes [p, r] of the weighted covariance within the classes."""
    if len(table) <= table.width:
        rows = (table.all() - means[labels]) * np.sqrt(weights)[:, None]
        values, left = np.linalg.eigh(rows @ rows.T)
        kept = values > max(RANK * values[-1], LEAST)
        values = values[kept]
        return values, (rows.T @ left[:, kept]) / np.sqrt(values)
    total = np.zeros((len(means), 1))
    np.add.at(total[:, 0], labels, weights)
    within = gram(table, weights.astype(np.float32)) - (means * total).T @ means
    values, axes = np.linalg.eigh(within)
    kept = values > max(RANK * values[-1], LEAST)
    return values[kept], axes[:, kept]
