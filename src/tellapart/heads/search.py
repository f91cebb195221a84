"""Choosing a head's settings by cross-validation on the training pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.logistic import fit_head, model, one_thread_quietly, softmax_form
from tellapart.heads.prepare import Floats, Rows, preparation
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import UNSEEN, best_temperature, calibrated_loss
from tellapart.progress import Progress
from tellapart.splits import stratified_group_folds
from tellapart.splits.deal import class_counts, dealing_order

C_PATH = tuple(10.0**power for power in range(-5, 4))  # scikit-learn's C, smallest first
PATIENCE = 3  # a path ends once so many further values brought nothing better
FOLDS = 5
MOST_ROWS = 4_000  # settings are chosen on a stratified subsample of about so many pictures
DEFAULT = Setting(1.0, balanced=False, standardised=False)  # where nothing can be validated


@dataclass(frozen=True)
class Tried:
    """A setting and how it did out of fold.

    score  balanced accuracy; error its standard error; loss log loss at its best temperature
    """

    setting: Setting
    score: float
    error: float
    loss: float


@dataclass(frozen=True)
class Search:
    """The chosen setting, all that were tried, and the temperature its scores are divided by."""

    chosen: Setting
    tried: tuple[Tried, ...]
    temperature: float
    rows: int  # pictures it was chosen on; 0 where nothing could be validated
    folds: int


def search(
    features: Floats,
    labels: Rows,
    k: int,
    components: Rows,
    ids: Sequence[str],
    *,
    seed: int,
    progress: Progress,
    pca: int = 0,
) -> Search:
    """Choose C, class weighting and standardising together, by balanced accuracy out of fold.

    features float32 [n, d], labels [n] in 0..k-1 with every class present; with `pca` their so
    many principal components, of each fold's training part. Folds are stratified
    and keep components together. Settings within one standard error of the best are ties; of
    these the one with the least log loss is taken, then the simplest. (Taking the simplest at once
    lost 1.1 points of balanced accuracy on average, on inner splits of the training sides of seven
    sets: hits alone hardly tell neighbouring settings apart, their scores do.)
    """
    rows = _subsample(labels, components, ids, seed)
    some = [ids[row] for row in rows]
    found = _search(features[rows], labels[rows], k, components[rows], some, seed, progress, pca)
    if len(rows) == len(labels) or not found.rows:
        return found
    with progress.stage("choose temperature", len(labels)) as stage:
        held = stratified_group_folds(labels, components, ids, FOLDS, seed) == 0
        temperature = _held_out_temperature(features, labels, k, held, found.chosen)
        stage.advance(len(labels))
    return replace(found, temperature=temperature)


def _held_out_temperature(
    features: Floats, labels: Rows, k: int, held: NDArray[np.bool_], setting: Setting
) -> float:
    head = fit_head(features[~held], labels[~held], k, setting, 1.0)
    scores = features[held] @ head.weights + head.bias
    return best_temperature(np.asarray(scores, np.float32), labels[held])


def _search(
    features: Floats,
    labels: Rows,
    k: int,
    components: Rows,
    ids: list[str],
    seed: int,
    progress: Progress,
    pca: int,
) -> Search:
    independent = [len(np.unique(components[labels == code])) for code in range(k)]
    if sum(count >= 2 for count in independent) < 2:
        return Search(replace(DEFAULT, pca=pca), (), 1.0, 0, 0)
    folds = stratified_group_folds(labels, components, ids, FOLDS, seed)
    out_of_fold = _out_of_fold(features, labels, k, folds, progress, pca)
    tried = _compare(out_of_fold, labels, components)
    chosen = choose(tried)
    temperature = best_temperature(out_of_fold[chosen], labels)
    return Search(chosen, tried, temperature, len(labels), int(folds.max()) + 1)


def _subsample(labels: Rows, components: Rows, ids: Sequence[str], seed: int) -> Rows:
    """Return about MOST_ROWS rows at most: whole components, each class by its share.

    A class keeps at least as many pictures as there are folds, or all that it has.
    """
    if len(labels) <= MOST_ROWS:
        return np.arange(len(labels))
    _, components = np.unique(components, return_inverse=True)
    counts = class_counts(labels, components)
    wanted = np.maximum(counts.sum(axis=0) * (MOST_ROWS / len(labels)), FOLDS)
    taken = np.zeros(len(counts), bool)
    for component in dealing_order(ids, components, seed):
        mine = counts[component]
        taken[component] = (wanted[mine > 0] >= 0.5).any()
        wanted -= mine * taken[component]
    return np.flatnonzero(taken[components])


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


def _out_of_fold(
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
        round(float((pooled.argmax(axis=1) == labels) @ _worth(labels)), 12)
        for setting, pooled in found.items()
        if (setting.balanced, setting.standardised) == path
    ]
    best = int(np.argmax(scores))
    guessing = scores[best] <= 1 / len(np.unique(labels)) + 1e-9
    return guessing or len(scores) - 1 - best < PATIENCE


def _worth(labels: Rows) -> NDArray[np.float64]:
    """Return what a right answer on each picture adds to the balanced accuracy."""
    counts = np.bincount(labels)
    return np.asarray(1.0 / (counts[labels] * np.count_nonzero(counts)), np.float64)


def _compare(
    out_of_fold: dict[Setting, Floats], labels: Rows, components: Rows
) -> tuple[Tried, ...]:
    """Return how every setting did, simplest first; components are counted as one each."""
    worth = _worth(labels)
    recall_of = np.bincount(labels)
    _, group = np.unique(components, return_inverse=True)

    def one(setting: Setting) -> Tried:
        scores = out_of_fold[setting]
        hits = (scores.argmax(axis=1) == labels).astype(float)
        recalls = np.bincount(labels, hits) / np.maximum(recall_of, 1)
        spread = np.bincount(group, (hits - recalls[labels]) * worth)
        error = float(np.sqrt((spread**2).sum()))
        return Tried(setting, float(hits @ worth), error, calibrated_loss(scores, labels))

    return tuple(one(setting) for setting in sorted(out_of_fold))


def choose(tried: tuple[Tried, ...]) -> Setting:
    """Return the setting with the least loss among those within one standard error of the best."""
    best = max(tried, key=lambda one: (round(one.score, 12), -round(one.loss, 12)))
    ties = [one for one in tried if best.score - one.score <= best.error + 1e-12]
    return min(ties, key=lambda one: (round(one.loss, 9), one.setting)).setting
