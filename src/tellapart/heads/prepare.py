"""What is done to features before a head is fitted: standardising and PCA, of training rows only.

Both are affine, so a fitted head takes them into its own arrays (`fold`): nothing of them is left
when it predicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 4_096  # rows in float32 at a time

Rows = NDArray[np.intp]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """x -> ((x - mean) / scale) @ turn; without a turn the last step is left out.

    mean, scale  float32 [d]
    turn         float32 [d, p] with orthonormal columns, the largest variance first, or None
    """

    mean: Floats
    scale: Floats
    turn: Floats | None = None

    def __call__(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return the prepared features float32 [n, p]; themselves where nothing is to be done."""
        wide = np.asarray(features, np.float32)
        out = scaled(wide, self.mean, self.scale)
        return out if self.turn is None else np.asarray(out @ self.turn, np.float32)

    def fold(self, weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
        """Return weights [d, k] and bias for raw features, from those for prepared ones [p, k]."""
        if self.turn is not None:
            weights = self.turn @ weights
        weights = weights / self.scale[:, None]
        return weights, bias - self.mean @ weights


@dataclass(frozen=True)
class Table:
    """Prepared rows that need not stand in memory at once.

    features  [n, d] of any width, as they are kept
    """

    features: NDArray[np.floating[Any]]
    prepare: Preparation | None = None  # None: `features` are prepared already

    def __len__(self) -> int:
        return len(self.features)

    @property
    def width(self) -> int:
        """Number of prepared features."""
        if self.prepare is None or self.prepare.turn is None:
            return int(self.features.shape[1])
        return int(self.prepare.turn.shape[1])

    def rows(self, which: slice | Rows) -> Floats:
        """Return some prepared rows, float32."""
        some = np.asarray(self.features[which], np.float32)
        return some if self.prepare is None else self.prepare(some)

    def all(self) -> Floats:
        """Return all prepared rows, float32."""
        return self.rows(slice(None))

    def chunks(self) -> Iterator[slice]:
        """Return slices that cover all rows, CHUNK at a time."""
        return chunks(len(self))


def chunks(rows: int) -> Iterator[slice]:
    """Yield slices that cover so many rows, CHUNK at a time."""
    for start in range(0, rows, CHUNK):
        yield slice(start, min(start + CHUNK, rows))


def preparation(
    features: NDArray[np.floating[Any]], *, standardised: bool, pca: int = 0
) -> Preparation:
    """Return the preparation learned from features [n, d]; `pca` 0 keeps all of them.

    PCA keeps at most min(n - 1, d) components; fewer where the rest is numerically nothing.
    """
    mean, scale = moments(features, standardised)
    if not pca:
        return Preparation(mean, scale)
    if not standardised:
        mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    return Preparation(mean, scale, _components(Table(features, Preparation(mean, scale)), pca))


def moments(features: NDArray[np.floating[Any]], standardised: bool) -> tuple[Floats, Floats]:
    """Return mean and deviation [d] of the features, 0 and 1 where they are not standardised."""
    n, d = features.shape
    if not standardised:
        return np.zeros(d, np.float32), np.ones(d, np.float32)
    mean = features.mean(axis=0, dtype=np.float64)
    squares = np.zeros(d)
    for start in range(0, n, CHUNK):
        squares += ((features[start : start + CHUNK] - mean) ** 2).sum(axis=0)
    scale = np.sqrt(squares / n)
    scale[scale <= 1e-6 * np.abs(mean) + 1e-30] = 1.0  # a constant feature says nothing, and stays
    return mean.astype(np.float32), scale.astype(np.float32)


def scaled(features: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return the standardised features; themselves, not a copy, where nothing is to be done."""
    if not mean.any() and (scale == 1).all():
        return features
    out = features - mean
    out /= scale
    return out


def _components(table: Table, most: int) -> Floats:
    """Return the principal axes [d, p] of centred rows, by the smaller of the two Gram matrices.

    Each axis points where its largest entry is positive, so that equal data give equal axes.
    """
    n, d = len(table), table.width
    keep = max(1, min(most, n - 1, d))
    if n <= d:
        rows = table.all()
        values, left = _largest(np.asarray(rows @ rows.T, np.float64), keep)
        axes = rows.T.astype(np.float64) @ (left / np.sqrt(values))
    else:
        _, axes = _largest(gram(table), keep)
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.ascontiguousarray(axes * signs, dtype=np.float32)


def _largest(matrix: NDArray[np.float64], keep: int) -> tuple[Any, Any]:
    """Return the largest eigenvalues [p] and vectors [m, p], largest first, zeros left out."""
    from scipy.linalg import eigh

    m = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=(m - keep, m - 1))
    kept = np.flatnonzero(values > max(values[-1], 1e-30) * 1e-7)[::-1]
    if not len(kept):  # equal rows: any axis will do
        kept = np.array([len(values) - 1])
    return np.maximum(values[kept], 1e-30), vectors[:, kept]


def gram(table: Table, weights: Floats | None = None) -> NDArray[np.float64]:
    """Return the sum over rows of weight x x^T, float64 [p, p], a chunk of rows at a time."""
    total = np.zeros((table.width, table.width))
    for chunk in table.chunks():
        rows = table.rows(chunk)
        weighted = rows if weights is None else rows * weights[chunk, None]
        total += weighted.T @ rows
    return total
