"""Whether "90 % sure" is right nine times of ten."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.records import Curve

MOST_BINS = 15  # Guo et al., "On calibration of modern neural networks", ICML 2017
FEWEST_IN_BIN = 10


def calibration(confidence: NDArray[np.floating], hits: NDArray[np.bool_]) -> tuple[float, Curve]:
    """Return the expected calibration error and the curve behind it.

    confidence [n]: probability of the predicted class; hits [n]. Bins hold equally many pictures
    (Nguyen and O'Connor, EMNLP 2015): at most MOST_BINS, each of at least FEWEST_IN_BIN where n
    allows; equal confidences share a bin. The error is the mean over pictures of
    |mean confidence - share right| of their bin. x of the curve is mean confidence, y the share.
    """
    sure = np.asarray(confidence, np.float64)
    bins = int(np.clip(len(sure) // FEWEST_IN_BIN, 1, MOST_BINS))
    place = np.searchsorted(np.sort(sure), sure, side="left") * bins // len(sure)
    sizes = np.bincount(place, minlength=bins)
    filled = sizes > 0
    counts = sizes[filled]
    mean = np.bincount(place, sure, bins)[filled] / counts
    right = np.bincount(place, hits.astype(np.float64), bins)[filled] / counts
    error = float((np.abs(mean - right) * counts).sum() / len(sure))
    curve = Curve(
        "calibration", "", tuple(mean.tolist()), tuple(right.tolist()), tuple(counts.tolist())
    )
    return error, curve
