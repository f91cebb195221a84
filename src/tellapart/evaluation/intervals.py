"""95 % intervals of accuracies that keep their word: one score interval for all of them.

A share of right answers, and a mean of such shares over classes (balanced accuracy), get the same
interval: all values c0 that a score test does not reject. What the test does, for K classes with
recalls r_k, mean c, and n_k pictures each:

1.  Under the hypothesis "the true mean is c0" the likeliest recalls q_k are looked up. They solve
    l q^2 - (n_k + 1 + l) q + (n_k r_k + m) = 0, where the one number l turns all of them at once
    until their mean is c0; m = (sum r + 1) / (K + 2) is one made-up picture a class, without which
    classes of 2 or 3 pictures look surer than they are.
2.  Their variances s_k^2 = q_k (1 - q_k) f_k, with f_k = 1 / (1 - (K-1)/K n_k / (n_k+1)^2) for
    having been fitted, give v = sum_kl s_k s_l V_kl / K^2. Without groups V is diag(1 / n_k);
    with groups it is `groups.spread`, and n_k becomes the effective 1 / V_kk.
3.  c0 is rejected where |c - c0| > z sqrt(v), on the skewed side by the Cornish-Fisher term
    (z^2 - 1) / 6 * k3 / v further away (k3: third cumulant of c, times the squared design effect
    of groups that span classes); the other side is not narrowed.

For one class (K = 1) this is Wilson's interval (1927), with the skewness term widening it where a
few errors in many pictures make Wilson's too short (as in Brown, Cai and DasGupta, Statistical
Science 16, 2001, section 4.1.1). For K classes it is the constrained-likelihood score test of
Miettinen and Nurminen (Statistics in Medicine 4, 1985) and Martin Andres, Alvarez Hernandez and
Herranz Tejedor (Statistical Methods in Medical Research 20, 2011). The made-up picture, the factor
f and the one-sided use of the skewness are ours; `benchmarks/intervals.py` shows what they do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# mean_interval holds for one classifier on pictures that it never saw. In cross-validation the
# answers come from several, made from overlapping pictures of the same small set, and the one that
# is kept has learned from more. By this factor the deviation grows: simulated with refitting, small
# sets (100 to 400 pictures, 2 to 10 classes) drawn from larger ones of three kinds, 10 folds, it
# must grow 1.0 to 1.22 times to hold the kept classifier's value in 95 %; with 1.25 it did in 95 to
# 99 % (benchmarks/cv_coverage.py, benchmarks/RESULTS.md).
CROSSED_WIDENING = 1.25

Z = 1.959963984540054  # 97.5 % point of the normal distribution
_STEPS = 40  # halvings of asinh(l) in [-25, 25]: c0 to better than 1e-9


def mean_interval(recalls: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return low and high of the mean of K recalls.

    recalls  [..., K] in 0..1
    spread   [..., K, K]: the variance of the mean is sum_kl s_k s_l spread_kl / K^2 where s_k is
             the standard deviation of one answer; diag(1 / n_k) for independent pictures
    Both results have the leading shape, lie in 0..1 and hold the mean between them.
    """
    recalls = np.asarray(recalls, np.float64)
    mean = recalls.mean(axis=-1)
    low = np.minimum(_limit(recalls, spread, side=-1), mean)
    high = np.maximum(_limit(recalls, spread, side=+1), mean)
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def share_interval(shares: Floats, effective: Floats) -> tuple[Floats, Floats]:
    """Return low and high of shares [...] that rest on `effective` [...] independent pictures.

    Wilson's interval, widened for skewness where few errors stand against many pictures.
    """
    shares, effective = np.asarray(shares, np.float64), np.asarray(effective, np.float64)
    return mean_interval(shares[..., None], (1.0 / effective)[..., None, None])


def effective_pictures(recalls: Floats, spread: Floats) -> Floats:
    """Return how many independent pictures would be as sure as the mean of these recalls.

    Takes what `mean_interval` takes. Used for means that are no shares (macro F1).
    """
    recalls = np.asarray(recalls, np.float64)
    hits, pictures, factor = _smoothed(recalls, spread)
    answers = hits / pictures
    mean = answers.mean(axis=-1)
    variance = _variance(answers * (1.0 - answers) * factor, spread)
    return np.asarray(mean * (1.0 - mean) / variance)


def _limit(recalls: Floats, spread: Floats, *, side: int) -> Floats:
    """Return the end of the interval on one side by halving asinh(l) between in and out."""
    mean = recalls.mean(axis=-1)
    hits, pictures, factor = _smoothed(recalls, spread)
    inside = np.full(mean.shape, 25.0 * side)  # l -> +inf turns every recall to 0, -inf to 1
    outside = -inside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        answers = _likeliest(np.sinh(middle)[..., None], hits, pictures)
        rejected = side * (answers.mean(axis=-1) - mean) > _reach(answers, factor, spread, side)
        outside = np.where(rejected, middle, outside)
        inside = np.where(rejected, inside, middle)
    answers = _likeliest(np.sinh((inside + outside) / 2)[..., None], hits, pictures)
    return np.asarray(answers.mean(axis=-1))


def _reach(answers: Floats, factor: Floats, spread: Floats, side: int) -> Floats:
    """Return how far from the hypothesised mean the measured one may lie on one side."""
    squares = answers * (1.0 - answers) * factor
    variance = np.maximum(_variance(squares, spread), 1e-300)
    classes = answers.shape[-1]
    own = np.diagonal(spread, axis1=-2, axis2=-1)
    apart = np.maximum((squares * own).sum(axis=-1) / classes**2, 1e-300)
    third = (squares * (1.0 - 2.0 * answers) * own**2).sum(axis=-1) / classes**3
    shared = (variance / apart) ** 2  # classes that groups tie together err together
    skewed = (Z * Z - 1.0) / 6.0 * third * shared / variance
    return np.asarray(Z * np.sqrt(variance) + np.maximum(-side * skewed, 0.0))


def _variance(squares: Floats, spread: Floats) -> Floats:
    deviations = np.sqrt(squares)
    weighted = (deviations[..., None, :] @ spread)[..., 0, :]
    return np.asarray((weighted * deviations).sum(axis=-1) / squares.shape[-1] ** 2)


def _smoothed(recalls: Floats, spread: Floats) -> tuple[Floats, Floats, Floats]:
    """Return effective hits and pictures [..., K] with the made-up picture, and the factor f."""
    classes = recalls.shape[-1]
    effective = 1.0 / np.diagonal(spread, axis1=-2, axis2=-1)
    middling = (recalls.sum(axis=-1, keepdims=True) + 1.0) / (classes + 2.0)
    factor = 1.0 / (1.0 - (classes - 1) / classes * effective / (effective + 1.0) ** 2)
    return recalls * effective + middling, effective + 1.0, factor


def _likeliest(turn: Floats, hits: Floats, pictures: Floats) -> Floats:
    """Return the root in 0..1 of turn q^2 - (pictures + turn) q + hits = 0, stably."""
    misses = pictures - hits
    root = np.sqrt(np.maximum((pictures + turn) ** 2 - 4.0 * turn * hits, 0.0))
    down = 2.0 * hits / np.where(turn >= 0, pictures + turn + root, 1.0)
    up = 1.0 - 2.0 * misses / np.where(turn < 0, pictures - turn + root, 1.0)
    return np.asarray(np.where(turn >= 0, down, up))
