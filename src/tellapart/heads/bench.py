"""Where settings are compared: shared folds, prepared once, with the pictures held out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.kinds import HEADS
from tellapart.heads.knn import KnnHead
from tellapart.heads.logistic import one_thread_quietly
from tellapart.heads.prepare import Floats, Rows, Table, preparation
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import UNSEEN

Bools = NDArray[np.bool_]
Part = tuple[Floats, Floats]  # what is learned from and what is held out, prepared


@dataclass(frozen=True)
class Bench:
    """The pictures that settings are compared on, and their folds.

    features  float32 [n, d]; labels [n] in 0..k-1
    folds     [n] in 0..f-1
    parts     prepared folds, by (fold, standardised, components): made when first asked for
    """

    features: Floats
    labels: Rows
    k: int
    folds: Rows
    seed: int
    parts: dict[tuple[int, bool, int], Part] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of folds."""
        return int(self.folds.max()) + 1

    def held(self, fold: int) -> Bools:
        """Return which pictures a fold holds out."""
        return np.asarray(self.folds == fold)

    def part(self, fold: int, standardised: bool, components: int) -> Part:
        """Return a prepared fold. PCA is done once, for the largest number of components asked."""
        key = (
            fold,
            standardised,
            MOST_COMPONENTS if 0 < components < MOST_COMPONENTS else components,
        )
        if key not in self.parts:
            held = self.held(fold)
            train, test = self.features[~held], self.features[held]
            prepare = preparation(train, standardised=standardised, pca=key[2])
            self.parts[key] = prepare(train), prepare(test)
        train, test = self.parts[key]
        if components:
            return train[:, :components], test[:, :components]
        return train, test

    def out_of_fold(
        self, settings: Sequence[Setting], folds: Sequence[int], into: dict[Setting, Floats]
    ) -> None:
        """Fit settings that differ in strength alone on some folds; write scores [n, k] `into`.

        Folds are fitted side by side, each on one BLAS thread: so the sums, and with them the
        result, are the same on any number of cores.
        """
        for one in settings:
            into.setdefault(one, np.full((len(self.labels), self.k), np.nan, np.float32))
        with one_thread_quietly(), ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            for fold, scores in zip(
                folds, threads.map(lambda fold: self._scores(settings, fold), folds), strict=True
            ):
                for one, some in zip(settings, scores, strict=True):
                    into[one][self.held(fold)] = some

    def _scores(self, settings: Sequence[Setting], fold: int) -> list[Floats]:
        """Return the scores of what a fold holds out, for each setting."""
        first = settings[0]
        train, test = self.part(fold, first.standardised, first.pca)
        known, labels = np.unique(self.labels[~self.held(fold)], return_inverse=True)
        empty = np.full((len(test), self.k), UNSEEN, np.float32)
        if len(known) == 1:  # where groups tie classes together
            empty[:, known] = 0.0
            return [empty for _ in settings]
        heads = HEADS[first.kind].fit(Table(train), labels, len(known), settings, self.seed)
        found = []
        for scores in _all_scores(heads, settings, test):
            whole = empty.copy()
            whole[:, known] = scores
            found.append(whole)
        return found


MOST_COMPONENTS = 256


def _all_scores(heads: Sequence[Any], settings: Sequence[Setting], test: Floats) -> list[Floats]:
    if isinstance(heads[0], KnnHead):  # one sorting serves all numbers of neighbours
        return heads[0].path(test, [int(one.strength) for one in settings])
    return [head.scores(test) for head in heads]
