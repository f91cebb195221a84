"""What an evaluation is: numbers with intervals, per class, curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; low and high are None where no interval is given.

    value is None for 0/0. `pictures` is the number of pictures it rests on. `reliable` is False
    where the interval rests on fewer than 10 independent groups.
    """

    value: float | None
    low: float | None
    high: float | None
    pictures: int
    reliable: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in metrics.json."""
        out = {"value": self.value, "low": self.low, "high": self.high, "pictures": self.pictures}
        return out if self.reliable else {**out, "reliable": False}


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class: `pictures` is its number of evaluation pictures (support)."""

    name: str
    pictures: int
    predicted: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    accuracy: Estimate  # one-vs-rest
    roc_auc: Estimate
    average_precision: Estimate


@dataclass(frozen=True)
class Curve:
    """A curve of one class ("" for all together) as x and y in 0..1, at most 200 points."""

    kind: str  # "roc", "precision_recall" or "calibration"
    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    weight: tuple[int, ...] = ()  # calibration: pictures in each bin


@dataclass(frozen=True)
class Evaluation:
    """How a classifier did on one set of labelled pictures (n pictures, k classes)."""

    classes: tuple[str, ...]
    pictures: int
    groups: int  # independent groups (components) among them; equal to pictures without groups
    headline: Estimate  # balanced accuracy
    metrics: dict[str, Estimate]  # accuracy, macro_f1, log_loss, ece, roc_auc, ...
    baseline_class: str
    baseline_accuracy: float
    per_class: tuple[ClassScores, ...]
    confusion: NDArray[np.int64]  # [k, k], rows are the truth
    curves: tuple[Curve, ...]
    missing_classes: tuple[str, ...] = ()  # no picture here: left out of all means over classes
