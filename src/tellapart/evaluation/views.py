"""What answering by several views of a picture brings, and what it costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import counted
from tellapart.evaluation.compare import paired_difference, points_words
from tellapart.evaluation.records import Estimate

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class ViewsEffect:
    """Answers by the mean probability of several views against those by the whole picture alone.

    views       keys of images.VIEWS
    whole       balanced accuracy, 0..1, of the whole picture alone; averaged: of all views
    difference  the second less the first, paired, with its 95 % interval
    seconds     a picture from its file to its features: the whole alone, all views
    """

    views: tuple[str, ...]
    whole: float
    averaged: float
    difference: Estimate
    seconds: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in run.json and metrics.json."""
        return asdict(self)


def views_effect(
    whole: Floats, averaged: Floats, truth: Rows, components: Rows, *,
    views: tuple[str, ...], seconds: tuple[float, float],
) -> ViewsEffect:  # fmt: skip
    """Return what `averaged` [n, k] gains on `whole` [n, k].

    truth  [n] class codes; components [n]: pictures with the same number are not independent
    """
    hits, before = averaged.argmax(axis=1) == truth, whole.argmax(axis=1) == truth
    return ViewsEffect(
        views=views,
        whole=float(np.mean([before[truth == one].mean() for one in np.unique(truth)])),
        averaged=float(np.mean([hits[truth == one].mean() for one in np.unique(truth)])),
        difference=paired_difference(hits, before, truth, components),
        seconds=seconds,
    )


def views_words(effect: ViewsEffect) -> str:
    """Return gain and cost in a sentence."""
    one, every = effect.seconds
    return (
        f"{counted(len(effect.views), 'view')} of each picture, probabilities averaged (--tta):"
        f" balanced accuracy {effect.averaged:.3f}, with the whole picture alone"
        f" {effect.whole:.3f}: {points_words(effect.difference)}; {1000 * every:.1f} ms a picture"
        f" instead of {1000 * one:.1f} ms, {every / one:.1f} times as long."
    )
