"""The temperature: how sure a head may sound, learned from its out-of-fold scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UNSEEN = -np.inf  # the score of a class that a fold's training part does not have


def without_unseen(scores: NDArray[np.float32], learned: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return scores [n, k] with UNSEEN for the classes that are not among the labels `learned`."""
    absent = np.setdiff1d(np.arange(scores.shape[1]), learned)
    found = np.array(scores)
    found[:, absent] = UNSEEN
    return found


def best_temperature(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """Return the temperature, in 1e-6..1e3, by which scores [n, k] are best divided."""
    return calibrated(scores, labels)[0]


def calibrated_loss(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """Return the log loss that scores [n, k] have at their best temperature."""
    return calibrated(scores, labels)[1]


def calibrated(scores: NDArray[np.float32], labels: NDArray[np.intp]) -> tuple[float, float]:
    """Return the best temperature for scores [n, k], and the log loss that they have at it.

    It minimises the log loss of the labels [n] (Guo et al. 2017), where each picture is taken to
    be of its class with probability (n + 1) / (n + 2), and of the others with the rest (Platt
    1999): with every picture right, the plain loss would want a temperature of 0, and the head
    would call all it ever says certain. Pictures whose class their fold had not seen take no part.
    """
    from scipy.optimize import minimize_scalar

    known = scores[np.arange(len(labels)), labels] > UNSEEN
    scores, labels = scores[known].astype(np.float64), labels[known]
    seen = scores > UNSEEN
    target = _smoothed(seen, labels)

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        chances = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return -float((target * np.where(seen, chances, 0.0)).sum(axis=1).mean())

    found = minimize_scalar(loss, bounds=(np.log(1e-6), np.log(1e3)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _smoothed(seen: NDArray[np.bool_], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the chance [n, k] of each class: nearly 1 for the label, the rest for the others."""
    rest = 1 / (len(labels) + 2)
    others = np.maximum(seen.sum(axis=1, keepdims=True) - 1, 1)
    target = np.where(seen, rest / others, 0.0)
    target[np.arange(len(labels)), labels] = 1 - rest
    return target
