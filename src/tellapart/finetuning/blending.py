"""Mixing tuned and starting weights, and choosing how much of each out of fold.

Weights in between two fine-tuned of one start are often better than either (WiSE-FT, Wortsman et
al. 2022, arXiv:2109.01903). Which share to take is chosen by the log loss, at its best temperature,
on pictures that the training has not seen; 0 keeps the start, that is the probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.finetuning.records import Mix, Rows
from tellapart.heads.temperature import calibrated_loss

Scores = NDArray[np.float32]


def blended(start: Mapping[str, Any], tuned: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    """Return alpha * tuned + (1 - alpha) * start for every tensor of numbers with fractions."""
    return {
        name: value.lerp(tuned[name], alpha) if value.is_floating_point() else tuned[name]
        for name, value in start.items()
    }


def compare(scores: Mapping[float, Scores], labels: Rows, components: Rows) -> tuple[Mix, ...]:
    """Return what each alpha reaches with its out-of-fold scores [n, k], smallest alpha first."""
    return tuple(
        Mix(alpha, calibrated_loss(scores[alpha], labels), *_accuracy(scores[alpha], labels,
                                                                      components))
        for alpha in sorted(scores)
    )  # fmt: skip


def choose_alpha(mixes: Sequence[Mix]) -> float:
    """Return the alpha of least loss, the smallest of equals."""
    return min(mixes, key=lambda one: (round(one.loss, 9), one.alpha)).alpha


def gain(
    scores: Mapping[float, Scores], alpha: float, labels: Rows, components: Rows
) -> tuple[float, float]:
    """Return by how much balanced accuracy at `alpha` exceeds that at 0, and its standard error.

    The comparison is paired; pictures of one component count as one.
    """
    return paired_gain(scores[alpha], scores[0.0], labels, components)


def paired_gain(
    first: Scores, second: Scores, labels: Rows, components: Rows
) -> tuple[float, float]:
    """Return by how much the balanced accuracy of the scores `first` [n, k] exceeds that of
    `second`, and the standard error of that.
    """
    better = (first.argmax(axis=1) == labels).astype(float)
    better -= (second.argmax(axis=1) == labels).astype(float)
    return _mean(better, labels, components)


def _accuracy(scores: Scores, labels: Rows, components: Rows) -> tuple[float, float]:
    return _mean((scores.argmax(axis=1) == labels).astype(float), labels, components)


def _mean(values: NDArray[np.float64], labels: Rows, components: Rows) -> tuple[float, float]:
    """Return the mean over classes of a value a picture, and its standard error."""
    counts = np.bincount(labels)
    worth = 1.0 / (counts[labels] * np.count_nonzero(counts))
    means = np.bincount(labels, values) / np.maximum(counts, 1)
    _, group = np.unique(components, return_inverse=True)
    spread = np.bincount(group, (values - means[labels]) * worth)
    return float(values @ worth), float(np.sqrt((spread**2).sum()))
