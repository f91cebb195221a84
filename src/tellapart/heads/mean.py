"""Nearest class mean: nothing to choose but the distance; for few pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tellapart.heads.lda import class_means
from tellapart.heads.linear import LinearHead
from tellapart.heads.prepare import Rows, Table
from tellapart.heads.settings import Setting

FORMS = ("cosine", "euclidean")
LEAST = 1e-30


def fit_mean(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the head, once for each setting, which all have one form.

    euclidean  -|x - mean of the class|^2 / 2, but for |x|^2 / 2, in units of the mean squared
               distance of the class means from their centre
    cosine     the cosine between x and the mean of the class's rows, each of length 1 (so with
               one picture a class it is its nearest neighbour), times |x| over the rows' mean
               length, which changes no answer
    """
    fit = _cosine if settings[0].form == "cosine" else _euclidean
    return [fit(table, labels, k)] * len(settings)


def _euclidean(table: Table, labels: Rows, k: int) -> LinearHead:
    means = class_means(table, labels, k)
    spread = max(float(((means - means.mean(axis=0)) ** 2).sum(axis=1).mean()), LEAST)
    bias = -0.5 * (means**2).sum(axis=1) / spread
    return LinearHead("mean", (means / spread).T.astype(np.float32), bias.astype(np.float32))


def _cosine(table: Table, labels: Rows, k: int) -> LinearHead:
    sums, length = np.zeros((k, table.width)), 0.0
    for chunk in table.chunks():
        rows = table.rows(chunk)
        lengths = np.sqrt(np.vecdot(rows, rows))[:, None]
        length += float(lengths.sum())
        np.add.at(sums, labels[chunk], rows / np.maximum(lengths, LEAST))
    means = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), LEAST)
    means /= max(length / len(table), LEAST)
    return LinearHead("mean", means.T.astype(np.float32), np.zeros(k, np.float32))
