"""The plain logistic path: four ways of preparing and weighting, each going up C."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.compare import worth_of
from tellapart.heads.logistic import model, one_thread_quietly, softmax_form
from tellapart.heads.prepare import Floats, Rows, preparation
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import UNSEEN
from tellapart.progress import Progress

C_PATH = tuple(10.0**power for power in range(-5, 4))  # scikit-learn's C, smallest first
PATIENCE = 3  # a path ends once so many further values brought nothing better


@dataclass(frozen=True)
class _Part:
    """One fold made ready: what is learned from, and the features of what is held out."""

    train: Floats
    labels: Rows  # of train
    test: Floats

    def scores(self, fitted: Any, k: int) -> Floats:
        """Fit the model on and return the scores [m, k] of what is held out."""
        if (self.labels == self.labels[0]).all():  # where groups tie classes together
            only = np.where(np.arange(k) == self.labels[0], 0.0, UNSEEN)
            return np.tile(only.astype(np.float32), (len(self.test), 1))
        weights, bias = softmax_form(fitted.fit(self.train, self.labels), k)
        return np.asarray(self.test @ weights + bias, np.float32)


def _part(
    features: Floats, labels: Rows, held: NDArray[np.bool_], standardised: bool, pca: int
) -> _Part:
    train, test = features[~held], features[held]
    prepare = preparation(train, standardised=standardised, pca=pca)
    train, test = _rotated(prepare(train), prepare(test))
    return _Part(train, labels[~held], test)


def _rotated(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Turn few rows into as many coordinates: the penalty and so the fit are the same, faster."""
    n, d = train.shape
    if n > d // 2:
        return train, test
    basis, _ = np.linalg.qr(train.T)
    return train @ basis, test @ basis


def plain_paths(
    features: Floats, labels: Rows, k: int, folds: Rows, progress: Progress, pca: int
) -> dict[Setting, Floats]:
    """Return setting -> scores [n, k] of every picture by a model that has not seen its fold.

    Four paths (weighted or not, standardised or not) go up C until it brings nothing better. All
    folds of all paths are fitted side by side, each on one BLAS thread: so the sums, and with them
    the result, are the same on any number of cores.
    """
    from concurrent.futures import ThreadPoolExecutor

    held = [folds == fold for fold in range(int(folds.max()) + 1)]
    paths = list(product((False, True), (False, True)))
    found: dict[Setting, Floats] = {}
    with (
        progress.stage("choose settings", unit="fits") as stage,
        one_thread_quietly(),
        ThreadPoolExecutor(os.cpu_count() or 1) as threads,
    ):
        parts = [
            list(threads.map(lambda one: _part(features, labels, one, standardised, pca), held))  # noqa: B023
            for standardised in (False, True)
        ]
        models = {path: [model(Setting(1.0, *path)) for _ in held] for path in paths}

        def scores(task: tuple[Setting, int]) -> Floats:
            setting, fold = task
            fitted = models[setting.balanced, setting.standardised][fold].set_params(
                C=setting.strength
            )
            return parts[setting.standardised][fold].scores(fitted, k)

        for c in C_PATH:
            tasks = [
                (Setting(c, *path, pca=pca), fold) for path in paths for fold in range(len(held))
            ]
            for (setting, fold), part in zip(tasks, threads.map(scores, tasks), strict=True):
                pooled = found.setdefault(setting, np.empty((len(labels), k), np.float32))
                pooled[held[fold]] = part
                stage.advance()
            paths = [path for path in paths if _goes_on(found, path, labels)]
    return found


def _goes_on(found: dict[Setting, Floats], path: tuple[bool, bool], labels: Rows) -> bool:
    """Return whether a path may still get better; one that only guesses has not begun."""
    scores = [
        round(float((pooled.argmax(axis=1) == labels) @ worth_of(labels)), 12)
        for setting, pooled in found.items()
        if (setting.balanced, setting.standardised) == path
    ]
    best = int(np.argmax(scores))
    guessing = scores[best] <= 1 / len(np.unique(labels)) + 1e-9
    return guessing or len(scores) - 1 - best < PATIENCE
