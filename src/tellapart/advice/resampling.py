"""Differences between answers with intervals: whole components drawn with replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.measure import FOLDS, REPEATS, Part, Sample
from tellapart.advice.records import Guess
from tellapart.heads.prepare import Rows

REPLICATES = 400
# The error falls as n^-c. Learning curves have been seen between 0.1 and 1 (Viering & Loog 2021,
# "The shape of learning curves: a review"); two doublings cannot tell c, so every value of this
# range counts as equally likely and the interval holds them all.
SLOWEST, STEEPEST = 0.2, 1.0

Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Replicates:
    """What every bootstrap replicate draws, r of them.

    weights    [r, n] how often a picture's component was drawn
    draws      [r, n] which repeat of the subsets is looked at, the same for a whole fold
    steepness  [r] exponent c of the learning curve
    noise      [r] standard normal
    mixture    [r] 0..1, how far to the second of two guides
    """

    weights: Numbers
    draws: Rows
    steepness: Numbers
    noise: Numbers
    mixture: Numbers
    labels: Rows
    k: int

    def score(self, hits: NDArray[Any], labels: Rows | None = None) -> Numbers:
        """Return [r] balanced accuracy for hits [n] (0 or 1), or [repeats, n] of several subsets.

        labels None: the given ones. A class that a replicate did not draw takes no part in it.
        """
        labels = self.labels if labels is None else labels
        recalls = np.stack([self.recall(hits, labels == code) for code in range(self.k)])
        drawn = np.isfinite(recalls)
        means = np.where(drawn, recalls, 0.0).sum(axis=0) / np.maximum(drawn.sum(axis=0), 1)
        return np.asarray(means)

    def recall(self, hits: NDArray[Any], of: NDArray[np.bool_]) -> Numbers:
        """Return [r] the share of hits among the rows `of` [n]; NaN where none was drawn."""
        rows = np.flatnonzero(of)
        own = self.weights[:, rows]
        values = hits[:, rows] if hits.ndim == 2 else hits[None, rows]
        if len(values) > 1:
            values = np.take_along_axis(values, self.draws[:, rows], axis=0)
        with np.errstate(invalid="ignore"):
            share: Numbers = np.divide((own * values).sum(axis=1), own.sum(axis=1))
            return share

    def unchanged(self, codes: Sequence[int]) -> Numbers:
        """Return [r] noise for what some classes bring to a difference of balanced accuracy.

        As if two more pictures of each class had been seen, one answer gained and one lost (the
        idea of Agresti & Min 2005 for paired shares): that a handful did not change proves little.
        """
        sizes = np.bincount(self.labels, minlength=self.k)[list(codes)]
        spread = np.sqrt((2 / (sizes + 2.0) ** 2).sum()) / self.k
        return np.asarray(self.noise * spread)


def replicates(sample: Sample, parts: list[Part], seed: int) -> Replicates:
    """Draw components, subsets and exponents by seed."""
    random = np.random.default_rng([seed, 7])
    _, group = np.unique(sample.components, return_inverse=True)
    groups = int(group.max()) + 1
    drawn = random.multinomial(groups, np.full(groups, 1 / groups), REPLICATES)
    fold = np.zeros(len(sample.labels), np.intp)
    for part in parts:
        fold[part.held] = part.number
    picked = random.integers(0, REPEATS, (REPLICATES, len(parts)))
    return Replicates(
        weights=drawn[:, group].astype(np.float64),
        draws=picked[:, fold],
        steepness=random.uniform(SLOWEST, STEEPEST, REPLICATES),
        noise=random.standard_normal(REPLICATES),
        mixture=random.uniform(0, 1, REPLICATES),
        labels=sample.labels,
        k=sample.k,
    )


def guess(values: Numbers) -> Guess:
    """Return mean and 95 % interval of replicates; those that are NaN are left out."""
    known = values[np.isfinite(values)]
    if not len(known):
        return Guess(0.0, 0.0, 0.0)
    low, high = np.quantile(known, (0.025, 0.975))
    return Guess(*(round(float(one), 5) for one in (known.mean(), low, high)))


def carried_on(quarter: Numbers, half: Numbers, steepness: Numbers, share: float) -> Numbers:
    """Return [r] what doubling all pictures there are brings, from doublings at smaller size.

    quarter  what the same doubling brought with a quarter of the pictures; half: with a half
    share    how many of the pictures a fold learned from, 0..1

    With an error of a + b n^-c each doubling brings 2^-c times the one before.
    """
    at_half = (quarter * 2.0**-steepness + half) / 2
    return np.asarray(at_half * (share / 2) ** steepness)


def share_learned(pictures: int, of: int) -> float:
    """Return the share of all training pictures that a fold learns from."""
    return pictures / of * (FOLDS - 1) / FOLDS
