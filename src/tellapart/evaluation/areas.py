"""Areas under ROC and precision-recall curves, their curves, and the bootstrap of areas and loss.

Everything rests on one ranking a class, so that hundreds of bootstrap replicates of many classes
need one cumulative sum each and no sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.groups import Rows, counts_table, effective_pictures
from tellapart.evaluation.intervals import Floats, Z, share_interval
from tellapart.evaluation.records import Curve, Estimate

MOST_POINTS = 200
REPLICATES = (50, 400)  # fewest and most; 50 give a standard error to 10 %
WORK = 200_000_000  # pictures x classes x replicates that set the number between them
LEAST_DEVIATION = 1e-12  # of replicates that differ at all
_BLOCK = 50  # replicates at a time: bounds memory to a few times n x 50 x 4 bytes


@dataclass(frozen=True)
class Ranking:
    """Pictures ordered by falling probability of one class; ties share their place.

    order     [n] rows, likeliest first
    positive  [P] places in `order` that hold the class's own pictures
    before    [P] number of pictures that stand strictly above each of them
    through   [P] number of pictures that stand above or equal, itself included
    """

    order: Rows
    positive: Rows
    before: Rows
    through: Rows


def rank(scores: NDArray[np.floating], own: NDArray[np.bool_]) -> Ranking:
    """Rank pictures by `scores` [n]; own [n] says which belong to the class."""
    order = np.argsort(-scores, kind="stable")
    falling = -scores[order]
    positive = np.flatnonzero(own[order])
    before = np.searchsorted(falling, falling[positive], side="left")
    through = np.searchsorted(falling, falling[positive], side="right")
    return Ranking(order, positive, before, through)


def weighted_areas(ranking: Ranking, weights: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return ROC areas and average precisions [B] under picture weights [n, B].

    The same values as scikit-learn's roc_auc_score and average_precision_score with
    sample_weight; NaN where one side has no weight.
    """
    ordered = weights[ranking.order]
    own = ordered[ranking.positive]
    everything = _running_sum(ordered)
    right = _running_sum(own)
    right_through = right[np.searchsorted(ranking.positive, ranking.through)]
    right_before = right[np.searchsorted(ranking.positive, ranking.before)]
    wrong = (everything[ranking.through] - right_through) + (
        everything[ranking.before] - right_before
    )
    positives = right[-1].astype(np.float64)
    negatives = everything[-1] - positives
    precision = right_through / np.maximum(everything[ranking.through], 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (own * wrong).sum(axis=0, dtype=np.float64) / 2.0
        roc = 1.0 - above / (positives * negatives)
        average = (own * precision).sum(axis=0, dtype=np.float64) / positives
    return roc, average


def _running_sum(weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return cumulative sums along the first axis with a leading 0 (exact: weights are counts)."""
    out = np.zeros((weights.shape[0] + 1, weights.shape[1]), weights.dtype)
    np.cumsum(weights, axis=0, out=out[1:])
    return out


def roc_points(ranking: Ranking) -> tuple[Floats, Floats]:
    """Return false and true positive rates at every corner of the ROC curve."""
    wrong = len(ranking.order) - len(ranking.positive)
    ends = np.unique(np.concatenate([ranking.before, ranking.through, [0, len(ranking.order)]]))
    hits = np.searchsorted(ranking.positive, ends)
    return (ends - hits) / max(wrong, 1), hits / max(len(ranking.positive), 1)


def precision_recall_points(ranking: Ranking) -> tuple[Floats, Floats]:
    """Return recalls and precisions at every threshold that adds a picture of the class."""
    ends = np.unique(ranking.through)
    hits = np.searchsorted(ranking.positive, ends)
    recall, precision = hits / max(len(ranking.positive), 1), hits / ends
    return np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision])


def thinned(kind: str, name: str, x: Floats, y: Floats) -> Curve:
    """Return a curve of at most MOST_POINTS of these points, both ends among them."""
    if len(x) > MOST_POINTS:
        keep = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int)
        x, y = x[keep], y[keep]
    return Curve(kind, name, tuple(x.tolist()), tuple(y.tolist()))


@dataclass(frozen=True)
class Replicates:
    """Bootstrap replicates: log loss [R], ROC areas and average precisions [R, K]."""

    log_loss: Floats
    roc: Floats
    average: Floats


def bootstrap(
    losses: Floats, rankings: list[Ranking], truth: Rows, components: Rows, *, seed: int
) -> Replicates:
    """Resample whole components inside their class and measure loss and areas each time.

    losses [n], truth and components [n] (0-based, without gaps). A component's class is its most
    frequent one; a class of a single component is resampled with the other such classes.
    """
    fewest, most = REPLICATES
    affordable = WORK // max(len(truth) * len(rankings), 1)
    replicates = int(np.clip(affordable, fewest, most))
    rng = np.random.default_rng(seed)
    table = counts_table(truth, components)
    strata = np.asarray(table.argmax(axis=1)).ravel()
    strata = np.where(np.bincount(strata)[strata] < 2, -1, strata)
    parts = []
    for first in range(0, replicates, _BLOCK):
        size = min(_BLOCK, replicates - first)
        weights = _resample(strata, size, rng)[components]
        loss = (losses @ weights) / np.maximum(weights.sum(axis=0, dtype=np.float64), 1.0)
        areas = [weighted_areas(one, weights) for one in rankings]
        parts.append((loss, np.array([a[0] for a in areas]), np.array([a[1] for a in areas])))
    loss, roc, average = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    return Replicates(loss, roc.T, average.T)


def _resample(strata: Rows, replicates: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how often each component [G] is drawn in each replicate, within its stratum."""
    weights = np.zeros((len(strata), replicates), np.float32)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        drawn = rng.integers(len(rows), size=(replicates, len(rows)))
        drawn += np.arange(replicates)[:, None] * len(rows)
        counts = np.bincount(drawn.ravel(), minlength=replicates * len(rows))
        weights[rows] = counts.reshape(replicates, len(rows)).T
    return weights


def loss_estimate(
    value: float, replicates: Floats, pictures: int, *, reliable: bool, widening: float = 1.0
) -> Estimate:
    """Return a loss with its interval, normal on the log scale with the bootstrap's deviation.

    Without an interval where every replicate is the same: one component a class, or one in all.
    """
    deviation = float(np.log(replicates).std(ddof=1)) * widening
    if deviation < LEAST_DEVIATION:
        return Estimate(value, None, None, pictures, reliable)
    low, high = value * np.exp(-Z * deviation), value * np.exp(Z * deviation)
    return Estimate(value, float(low), float(high), pictures, reliable)


def area_estimate(
    value: float,
    replicates: Floats,
    worth: float,
    pictures: int,
    *,
    reliable: bool,
    widening: float = 1.0,
) -> Estimate:
    """Return an area with its interval, normal on the logit scale with the bootstrap's deviation.

    worth: effective pictures of the smaller side. A perfect ranking stays perfect in every
    replicate: the interval is then that of `worth` right answers out of `worth`. So it is where
    nothing can be resampled.
    """
    known = replicates[np.isfinite(replicates)]
    if not 1e-9 < value < 1 - 1e-9 or len(known) < 2 or known.std() < LEAST_DEVIATION:
        low, high = share_interval(np.array([value]), np.array([max(worth, 1.0)]))
        return Estimate(value, float(low[0]), float(high[0]), pictures, reliable)
    deviation = widening * float(known.std(ddof=1)) / (value * (1 - value))
    middle = np.log(value / (1 - value))
    low, high = 0.5 + 0.5 * np.tanh((middle + np.array([-Z, Z]) * deviation) / 2)
    return Estimate(value, float(low), float(high), pictures, reliable)


def smaller_side(truth: Rows, components: Rows, correlation: float) -> Floats:
    """Return for each class the effective pictures of itself or of the rest, whichever is fewer."""
    table = counts_table(truth, components)
    own = effective_pictures(table, correlation)
    together = effective_pictures(counts_table(np.zeros_like(truth), components), correlation)
    return np.minimum(own, np.maximum(together - own, 1.0))
