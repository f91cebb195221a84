"""Mixing tuned and starting weights, and choosing how much of each out of fold.

Weights in between two fine-tuned of one start are often better than either (WiSE-FT, Wortsman et
al. 2022, arXiv:2109.01903). Which share to take is chosen by the log loss, at its best temperature,
on pictures that the training has not seen; 0 keeps the start, that is the probe.

Several trainings from one pretrained start lie close together, and the mean of their weights is
mostly no worse than each of them (model soups, Wortsman et al. 2022, arXiv:2203.05482): so those
that choose the share also make the model, and none has to follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.compare import paired_gap
from tellapart.finetuning.records import Mix, Rows
from tellapart.heads.temperature import calibrated_loss
from tellapart.optional import need_torch

LOWEST = -1e4  # stands for the bias of a class that a head has never seen: finite, so it can move

Scores = NDArray[np.float32]


def blended(start: Mapping[str, Any], tuned: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    """Return alpha * tuned + (1 - alpha) * start for every tensor of numbers with fractions."""
    return {
        name: value.lerp(tuned[name], alpha) if value.is_floating_point() else tuned[name]
        for name, value in start.items()
    }


def mean_of(states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of each tensor of numbers with fractions, of others the first.

    A class's rows of the head are the mean of those trainings that had pictures of it.
    """
    torch = need_torch()
    known = torch.stack([one["head.bias"] > LOWEST / 2 for one in states])
    known |= ~known.any(dim=0)  # nobody's: stays unknown
    shares = known / known.sum(dim=0)

    def mean(name: str, first: Any) -> Any:
        if not first.is_floating_point():
            return first
        if not name.startswith("head."):
            return first + sum(one[name] - first for one in states) / len(states)  # equals stay
        rows = [share.reshape(-1, *[1] * (first.ndim - 1)) for share in shares]
        return sum(own * one[name] for own, one in zip(rows, states, strict=True))

    return {name: mean(name, first) for name, first in states[0].items()}


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


@dataclass(frozen=True)
class Gain:
    """By how much balanced accuracy exceeds the probe's, with its standard error, on `pictures`.

    fair  whether other pictures chose alpha than those that measure
    """

    value: float
    error: float
    pictures: int
    fair: bool


def gain(
    scores: Mapping[float, Scores], alpha: float, labels: Rows, components: Rows, folds: Rows,
    chosen_on: int | None = None,
) -> Gain:  # fmt: skip
    """Return by how much balanced accuracy at `alpha` exceeds that at 0, paired.

    folds [n]; chosen_on: the fold that chose something else beside alpha, which does not measure.
    Of several folds each is scored at the alpha that the others choose; a single one at `alpha`,
    which it chose itself. Pictures of one component count as one.
    """
    numbers = np.unique(folds)
    if len(numbers) == 1:
        found = paired_gain(scores[alpha], scores[0.0], labels, components)
        return Gain(*found, len(labels), fair=len(scores) == 1)
    mixed = np.array(scores[0.0])
    for number in numbers:
        others = folds != number
        some = {one: values[others] for one, values in scores.items()}
        chosen = choose_alpha(compare(some, labels[others], components[others]))
        mixed[~others] = scores[chosen][~others]
    rows = folds != chosen_on
    found = paired_gain(mixed[rows], scores[0.0][rows], labels[rows], components[rows])
    return Gain(*found, int(rows.sum()), fair=True)


def paired_gain(
    first: Scores, second: Scores, labels: Rows, components: Rows
) -> tuple[float, float]:
    """Return by how much the balanced accuracy of the scores `first` [n, k] exceeds that of
    `second`, and the standard error of that: never 0, so that a rare class of which one answer
    changed proves little (see evaluation.compare).
    """
    return paired_gap(
        first.argmax(axis=1) == labels, second.argmax(axis=1) == labels, labels, components
    )


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
