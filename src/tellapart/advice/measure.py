"""What a head answers out of fold when it learns from fewer pictures, or from other labels."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.logistic import model, one_thread_quietly, softmax_form
from tellapart.heads.prepare import Floats, Rows, preparation
from tellapart.heads.settings import Setting
from tellapart.splits import stratified_group_folds

FOLDS = 5
REPEATS = 2  # subsets drawn anew in each fold: so ten of each size
TOLERANCE = 1e-3  # of the gradient: hundreds of fits that only have to answer, from a warm start
STEPS = 200

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Sample:
    """Training pictures in the order of their ids, so that no other order matters.

    features    float32 [n, d]
    labels      [n] in 0..k-1, every class present
    components  [n] what hangs together
    """

    features: Floats
    labels: Rows
    components: Rows
    ids: Sequence[str]
    k: int


@dataclass(frozen=True)
class Part:
    """One fold: the rows that are learned from and those held out, features turned.

    start  scikit-learn's model fitted on all of `learned`: where the other fits start from
    """

    number: int
    learned: Rows
    held: Rows
    labels: Rows  # of learned
    train: Floats
    test: Floats
    start: Any


def parts_of(sample: Sample, setting: Setting, seed: int) -> list[Part]:
    """Return the folds with their models: stratified, components whole.

    A fold whose other folds hold one class only is left out.
    """
    folds = stratified_group_folds(sample.labels, sample.components, sample.ids, FOLDS, seed)
    held = [folds == number for number in range(int(folds.max()) + 1)]
    fit = [one for one in held if len(np.unique(sample.labels[~one])) > 1]
    tasks = list(enumerate(fit))
    return in_threads(lambda task: _part(sample, setting, task[1], task[0]), tasks)


def _part(sample: Sample, setting: Setting, out: Bools, number: int) -> Part:
    learned, held = np.flatnonzero(~out), np.flatnonzero(out)
    train, test = sample.features[learned], sample.features[held]
    prepare = preparation(train, standardised=setting.standardised, pca=setting.pca)
    train, test = _turned(prepare(train), prepare(test))
    labels = sample.labels[learned]
    start = model(setting, TOLERANCE, STEPS).fit(train, labels)
    return Part(number, learned, held, labels, train, test, start)


def _turned(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Turn few rows into as many coordinates: the penalty and so the fit are the same, faster."""
    if len(train) >= train.shape[1]:
        return train, test
    basis, _ = np.linalg.qr(train.T)
    return train @ basis, test @ basis


def answers(part: Part, k: int, kept: Bools | None = None, labels: Rows | None = None) -> Rows:
    """Return [held] what a head answers that learned from the rows `kept` under `labels`.

    kept [learned] None: all of them; labels [learned] None: their own.
    """
    if kept is None and labels is None:
        fitted = part.start
    else:
        kept = np.ones(len(part.learned), bool) if kept is None else kept
        labels = part.labels if labels is None else labels
        present = np.unique(labels[kept])
        if len(present) == 1:
            return np.full(len(part.held), present[0])
        fitted = copy.deepcopy(part.start)
        if not np.array_equal(present, part.start.classes_):
            fitted.set_params(warm_start=False)
        fitted.fit(part.train[kept], labels[kept])
    weights, bias = softmax_form(fitted, k)
    found: Rows = (part.test @ weights + bias).argmax(axis=1)
    return found


@dataclass(frozen=True)
class Draw:
    """An order of each class's learned rows, whole components at a time.

    before  [learned] pictures of the same class that are drawn earlier
    size    [learned] pictures of the class
    """

    before: Rows
    size: Rows

    def first(self, wanted: NDArray[np.floating] | float) -> Bools:
        """Return [learned] the first `wanted` pictures of each class, at least one of each."""
        chosen: Bools = self.before < np.maximum(1.0, wanted) - 0.5
        return chosen


def draw(sample: Sample, part: Part, seed: int, repeat: int) -> Draw:
    """Draw an order by seed, fold, repeat and class: the sets of fewer pictures are nested."""
    components = sample.components[part.learned]
    before = np.zeros(len(part.learned), np.intp)
    size = np.zeros(len(part.learned), np.intp)
    for code in range(sample.k):
        rows = np.flatnonzero(part.labels == code)
        if not len(rows):
            continue
        own, place = np.unique(components[rows], return_inverse=True)
        order = np.random.default_rng([seed, part.number, repeat, code]).permutation(len(own))
        sizes = np.bincount(place, minlength=len(own))
        earlier = np.empty(len(own), np.intp)
        earlier[order] = np.concatenate([[0], sizes[order].cumsum()[:-1]])
        before[rows], size[rows] = earlier[place], len(rows)
    return Draw(before, size)


def fewer(sample: Sample, order: Sequence[str], most: int, seed: int) -> Rows:
    """Return rows of `most` pictures at most (and more than half of that): a stratified share."""
    if len(order) <= most:
        return np.arange(len(order))
    shares = -(-len(order) // most)
    dealt = stratified_group_folds(sample.labels, sample.components, order, shares, seed)
    return np.flatnonzero(dealt == 0)


def in_threads(work: Callable[[Any], Any], tasks: Sequence[Any]) -> list[Any]:
    """Return work(task) of every task; each keeps to one BLAS thread, so sums are always alike."""
    from concurrent.futures import ThreadPoolExecutor

    with one_thread_quietly(), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return list(threads.map(work, tasks))
