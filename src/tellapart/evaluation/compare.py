"""Two classifiers on the same pictures: the difference of their balanced accuracies, paired."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.groups import FEWEST_GROUPS, Rows
from tellapart.evaluation.intervals import Z
from tellapart.evaluation.records import Estimate

Hits = NDArray[np.bool_]


def paired_difference(
    first: Hits, second: Hits, truth: Rows, components: Rows, *, widening: float = 1.0
) -> Estimate:
    """Return the balanced accuracy of `first` less that of `second`, with its 95 % interval.

    first, second  [n] whether each picture was answered rightly
    truth          [n] class codes; classes without a picture do not count
    components     [n] pictures with the same number are not independent
    widening       multiplies the deviation (CROSSED_WIDENING for answers of cross-validation)

    The interval is normal, with one made-up picture a class on which the two disagree, half for
    and half against (Bonett and Price, Biometrical Journal 54, 2012, add one each way for a single
    pair of proportions), so that two that never disagree are not called equal for certain. Answers
    inside a component go together in the deviation.
    """
    value, error = paired_gap(first, second, truth, components)
    reach = Z * widening * error
    number = len(np.unique(components))
    reliable = number == len(truth) or number >= FEWEST_GROUPS
    low, high = max(-1.0, value - reach), min(1.0, value + reach)
    return Estimate(value, low, high, len(truth), reliable)


def paired_gap(first: Hits, second: Hits, truth: Rows, components: Rows) -> tuple[float, float]:
    """Return what `paired_difference` says as value and standard error."""
    _, strata = np.unique(truth, return_inverse=True)
    _, groups = np.unique(components, return_inverse=True)
    pictures = np.bincount(strata).astype(np.float64)
    k = len(pictures)
    differs = first.astype(np.float64) - second.astype(np.float64)
    per_class = np.bincount(strata, differs) / pictures
    apart = np.bincount(strata, np.abs(differs))
    shrunk = per_class * pictures / (pictures + 1.0)  # with the made-up picture
    single = ((apart + 1.0) / (pictures + 1.0) - shrunk**2) / (pictures + 1.0)
    variance = float(np.maximum(single, 0.0).sum()) / k**2
    residuals = (differs - per_class[strata]) / (pictures[strata] * k)
    alone = float((residuals**2).sum())
    together = float((np.bincount(groups, residuals) ** 2).sum())
    if alone > 0:
        variance *= max(1.0, together / alone)
    return float(per_class.mean()), float(variance**0.5)


def is_tie(difference: Estimate) -> bool:
    """Return whether two classifiers cannot be told apart: their interval holds 0."""
    low, high = difference.low, difference.high
    return low is None or high is None or low <= 0.0 <= high


def points_words(difference: Estimate) -> str:
    """Return "+3.1 points (95 % interval +1.0 to +5.2)", and where it cannot be told from none."""
    points = f"{100 * (difference.value or 0.0):+.1f} points"
    if difference.low is not None and difference.high is not None:
        points += f" (95 % interval {100 * difference.low:+.1f} to {100 * difference.high:+.1f})"
    return f"{points}, which cannot be told from none" if is_tie(difference) else points
