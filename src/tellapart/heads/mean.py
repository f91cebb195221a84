"""Nearest class mean: nothing to choose, for few pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tellapart.heads.lda import class_means
from tellapart.heads.linear import LinearHead
from tellapart.heads.prepare import Rows, Table
from tellapart.heads.settings import Setting


def fit_mean(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the head, once for each setting: -|x - mean of the class|^2 / 2, but for |x|^2 / 2.

    Scores are in units of the mean squared distance between the class means, so that they are of
    one size whatever the features' scale.
    """
    means = class_means(table, labels, k)
    spread = max(float(((means - means.mean(axis=0)) ** 2).sum(axis=1).mean()), 1e-30)
    weights = (means / spread).T
    bias = -0.5 * (means**2).sum(axis=1) / spread
    head = LinearHead("mean", weights.astype(np.float32), bias.astype(np.float32))
    return [head for _ in settings]
