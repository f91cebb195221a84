"""Logistic regression on frozen features, its settings chosen by cross-validation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.linear import LinearHead
from tellapart.progress import Progress, Stage
from tellapart.splits import stratified_group_folds

C_PATH = tuple(10.0**power for power in range(-5, 4))  # scikit-learn's C, smallest first
PATIENCE = 3  # the path ends once so many further values brought nothing better
FOLDS = 5
MOST_ROWS = 4_000  # settings are chosen on a stratified subsample of at most so many pictures
TOLERANCE = 1e-4  # of the gradient, scikit-learn's default
MOST_STEPS = 300  # of L-BFGS, at one value of C; warm starts need few
UNSEEN = -30.0  # the score of a class that a fold's training part does not have

Rows = NDArray[np.intp]
Floats = NDArray[np.float32]


@dataclass(frozen=True, order=True)
class Setting:
    """What cross-validation chooses; ordered from simple to less simple (DESIGN section 6)."""

    c: float
    balanced: bool  # classes weighted inversely to their pictures
    standardised: bool  # features scaled to mean 0, deviation 1


DEFAULT = Setting(1.0, balanced=False, standardised=False)  # where nothing can be validated


@dataclass(frozen=True)
class Tried:
    """A setting and how it did out of fold: balanced accuracy, its standard error beside the best.

    error is the standard error of the paired difference to the best setting, 0 for the best.
    """

    setting: Setting
    score: float
    error: float


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
) -> Search:
    """Choose C, class weighting and standardising together, by balanced accuracy out of fold.

    features float32 [n, d], labels [n] in 0..k-1 with every class present. Folds are stratified
    and keep components together. Settings whose paired difference to the best is within one
    standard error are ties: the simplest of them is chosen. The temperature is the one that
    minimises the log loss of the chosen setting's out-of-fold scores (Guo et al. 2017).
    """
    rows = _subsample(labels, components, ids, seed)
    features, labels, components = features[rows], labels[rows], components[rows]
    independent = [len(np.unique(components[labels == code])) for code in range(k)]
    if sum(count >= 2 for count in independent) < 2:
        return Search(DEFAULT, (), 1.0, 0, 0)
    folds = stratified_group_folds(
        labels, components, [ids[row] for row in rows], min(FOLDS, max(independent)), seed
    )
    paths = list(product((False, True), (False, True)))
    tasks = [(fold, *path) for path in paths for fold in range(int(folds.max()) + 1)]
    with progress.stage("choose settings", len(tasks), "paths") as stage:
        scores = _in_threads(features, labels, k, folds, tasks, stage)
    out_of_fold = _collect(scores, tasks, folds, len(labels), k)
    tried = _compare(out_of_fold, labels, components)
    chosen = min(one.setting for one in tried if _ties(one, tried))
    temperature = best_temperature(out_of_fold[chosen], labels)
    return Search(chosen, tried, temperature, len(rows), int(folds.max()) + 1)


def fit_head(
    features: Floats, labels: Rows, k: int, setting: Setting, temperature: float
) -> LinearHead:
    """Fit the head with a setting on all rows, standardising and temperature folded in."""
    mean, scale = _moments(features, setting.standardised)
    with _one_thread_quietly():
        model = _model(setting)
        model.fit((features - mean) / scale, labels)
    weights, bias = _softmax_form(model, k)
    weights = weights / scale[:, None]
    bias = bias - mean @ weights
    return LinearHead(
        "logistic",
        np.ascontiguousarray(weights / temperature, dtype=np.float32),
        np.asarray(bias / temperature, np.float32),
    )


def best_temperature(scores: Floats, labels: Rows) -> float:
    """Return the temperature in 0.001..100 with the least log loss, ignoring unseen classes."""
    from scipy.optimize import minimize_scalar

    known = scores[np.arange(len(labels)), labels] > UNSEEN
    scores, labels = scores[known].astype(np.float64), labels[known]

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(labels)), labels]).mean())

    found = minimize_scalar(loss, bounds=(np.log(1e-3), np.log(100.0)), method="bounded")
    return float(np.exp(found.x))


def _subsample(labels: Rows, components: Rows, ids: Sequence[str], seed: int) -> Rows:
    """Return at most about MOST_ROWS rows, whole components, stratified."""
    parts = -(-len(labels) // MOST_ROWS)
    if parts < 2:
        return np.arange(len(labels))
    dealt = stratified_group_folds(labels, components, ids, parts, seed)
    return np.flatnonzero(dealt == 0)


def _in_threads(
    features: Floats,
    labels: Rows,
    k: int,
    folds: Rows,
    tasks: list[tuple[int, bool, bool]],
    stage: Stage,
) -> list[dict[float, Floats]]:
    """Run a path of C for every task, two or more at a time; each on one BLAS thread.

    One thread a task makes the sums, and so the result, the same on any number of cores.
    """
    from concurrent.futures import ThreadPoolExecutor

    def one(task: tuple[int, bool, bool]) -> dict[float, Floats]:
        fold, balanced, standardised = task
        held = folds == fold
        return _path(features, labels, k, held, balanced=balanced, standardised=standardised)

    found = []
    with _one_thread_quietly(), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for scores in threads.map(one, tasks):
            found.append(scores)
            stage.advance()
    return found


def _path(
    features: Floats,
    labels: Rows,
    k: int,
    held: NDArray[np.bool_],
    *,
    balanced: bool,
    standardised: bool,
) -> dict[float, Floats]:
    """Return C -> scores of the held-out rows, from the smallest C until nothing gets better."""
    mean, scale = _moments(features[~held], standardised)
    train, test = (features[~held] - mean) / scale, (features[held] - mean) / scale
    train, test = _rotated(train, test)
    model = None
    found: dict[float, Floats] = {}
    best, since = -1.0, 0
    for c in C_PATH:
        model = _model(Setting(c, balanced, standardised), model)
        model.fit(train, labels[~held])
        weights, bias = _softmax_form(model, k)
        found[c] = np.asarray(test @ weights + bias, np.float32)
        score = _balanced_accuracy(found[c].argmax(axis=1), labels[held])
        best, since = (score, 0) if score > best else (best, since + 1)
        if since > PATIENCE:
            break
    return found


def _rotated(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Turn few rows into as many coordinates: the penalty and so the fit are the same, faster."""
    n, d = train.shape
    if n > d // 2:
        return train, test
    basis, _ = np.linalg.qr(train.T)
    return train @ basis, test @ basis


def _moments(features: Floats, standardised: bool) -> tuple[Floats, Floats]:
    d = features.shape[1]
    if not standardised:
        return np.zeros(d, np.float32), np.ones(d, np.float32)
    scale = features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-6] = 1.0  # a constant feature says nothing, and stays
    return features.mean(axis=0, dtype=np.float64).astype(np.float32), scale.astype(np.float32)


def _model(setting: Setting, before: Any = None) -> Any:
    """Return scikit-learn's model for a setting, starting where `before` ended."""
    from sklearn.linear_model import LogisticRegression

    if before is not None:
        return before.set_params(C=setting.c)
    return LogisticRegression(
        C=setting.c,
        class_weight="balanced" if setting.balanced else None,
        max_iter=MOST_STEPS,
        tol=TOLERANCE,
        warm_start=True,
    )


def _softmax_form(model: Any, k: int) -> tuple[Floats, Floats]:
    """Return weights [d, k] and bias [k] for all k classes; unseen ones score UNSEEN."""
    coefficients, intercepts = model.coef_, model.intercept_
    if (
        len(model.classes_) == 2
    ):  # scikit-learn keeps one column: the second class against the first
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    weights = np.zeros((coefficients.shape[1], k), np.float32)
    bias = np.full(k, UNSEEN, np.float32)
    weights[:, model.classes_] = coefficients.T
    bias[model.classes_] = intercepts
    return weights, bias


def _collect(
    scores: list[dict[float, Floats]],
    tasks: list[tuple[int, bool, bool]],
    folds: Rows,
    n: int,
    k: int,
) -> dict[Setting, Floats]:
    """Return setting -> out-of-fold scores [n, k], for the settings that every fold reached."""
    by_path: dict[tuple[bool, bool], list[tuple[int, dict[float, Floats]]]] = {}
    for (fold, balanced, standardised), found in zip(tasks, scores, strict=True):
        by_path.setdefault((balanced, standardised), []).append((fold, found))
    collected = {}
    for (balanced, standardised), parts in by_path.items():
        for c in C_PATH:
            if all(c in found for _, found in parts):
                pooled = np.empty((n, k), np.float32)
                for fold, found in parts:
                    pooled[folds == fold] = found[c]
                collected[Setting(c, balanced, standardised)] = pooled
    return collected


def _compare(
    out_of_fold: dict[Setting, Floats], labels: Rows, components: Rows
) -> tuple[Tried, ...]:
    """Return how every setting did, with the standard error of its difference to the best."""
    hits = {setting: scores.argmax(axis=1) == labels for setting, scores in out_of_fold.items()}
    counts = np.bincount(labels)
    worth = 1.0 / (counts[labels] * np.count_nonzero(counts))  # of a picture in balanced accuracy
    score = {setting: float(hit @ worth) for setting, hit in hits.items()}
    best = min(hits, key=lambda one: (-round(score[one], 12), one))
    _, group = np.unique(components, return_inverse=True)

    def error(setting: Setting) -> float:
        difference = (hits[best].astype(float) - hits[setting]) * worth
        return float(np.sqrt((np.bincount(group, difference) ** 2).sum()))

    return tuple(Tried(one, score[one], error(one)) for one in sorted(hits))


def _ties(one: Tried, tried: tuple[Tried, ...]) -> bool:
    return max(other.score for other in tried) - one.score <= one.error + 1e-12


def _balanced_accuracy(predicted: Rows, labels: Rows) -> float:
    counts = np.bincount(labels)
    hits = np.bincount(labels, predicted == labels)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


@contextmanager
def _one_thread_quietly() -> Iterator[None]:
    """Keep BLAS to one thread, and scikit-learn from warning that a path's end has not converged.

    An unregularised fit of separable classes has no optimum; its C loses to smaller ones.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
