"""How settings did out of fold, and which of them is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.prepare import Floats, Rows
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import calibrated


@dataclass(frozen=True)
class Tried:
    """A setting and how it did out of fold.

    score  balanced accuracy; error its standard error; loss log loss at its best temperature
    """

    setting: Setting
    score: float
    error: float
    loss: float
    temperature: float = 1.0


@dataclass(frozen=True)
class Compared:
    """How several settings did, simplest first, and which pictures each has right."""

    tried: tuple[Tried, ...]
    hits: dict[Setting, NDArray[np.bool_]]

    @classmethod
    def of(cls, out_of_fold: Mapping[Setting, Floats], labels: Rows, components: Rows) -> Compared:
        """Compare scores [n, k] of every setting; components are counted as one each."""
        worth = worth_of(labels)
        recall_of = np.bincount(labels)
        _, group = np.unique(components, return_inverse=True)
        right = {one: scores.argmax(axis=1) == labels for one, scores in out_of_fold.items()}

        def tried(setting: Setting) -> Tried:
            hits = right[setting].astype(float)
            recalls = np.bincount(labels, hits) / np.maximum(recall_of, 1)
            spread = np.bincount(group, (hits - recalls[labels]) * worth)
            error = float(np.sqrt((spread**2).sum()))
            temperature, loss = calibrated(out_of_fold[setting], labels)
            return Tried(setting, float(hits @ worth), error, loss, temperature)

        return cls(tuple(tried(setting) for setting in sorted(out_of_fold)), right)


def worth_of(labels: Rows) -> NDArray[np.float64]:
    """Return what a right answer on each picture adds to the balanced accuracy."""
    counts = np.bincount(labels)
    return np.asarray(1.0 / (counts[labels] * np.count_nonzero(counts)), np.float64)


def choose(tried: tuple[Tried, ...]) -> Setting:
    """Return the setting with the least loss among those within one standard error of the best."""
    best = max(tried, key=lambda one: (round(one.score, 12), -round(one.loss, 12)))
    ties = [one for one in tried if best.score - one.score <= best.error + 1e-12]
    return min(ties, key=lambda one: (round(one.loss, 9), one.setting)).setting
