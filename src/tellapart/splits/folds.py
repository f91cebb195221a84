"""Folds for cross-validation: stratified, whole components, whatever the order of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.splits.deal import class_counts, dealing_order


def stratified_group_folds(
    labels: NDArray[np.intp],
    components: NDArray[np.intp],
    ids: Sequence[str],
    k: int,
    seed: int,
) -> NDArray[np.intp]:
    """Return the fold 0..f-1 of each picture; a component never stands on two folds.

    f is `k`, lowered to the largest number of components that any class has, but not below 2. A
    class of fewer components stands in as many folds as it has of them: with two, each is judged
    by a model that learned from the other. A class of one component is judged by a model that has
    never seen it. So scores are pooled over the folds, not averaged.

    Components are dealt largest first (equal ones by BLAKE2b(seed, smallest id)), each to the fold
    that most lacks its classes, among equals to the emptiest.
    """
    _, components = np.unique(components, return_inverse=True)
    counts = class_counts(labels, components)
    folds = max(2, min(k, int((counts > 0).sum(axis=0).max())))
    order = dealing_order(ids, components, seed)
    order.sort(key=lambda component: -int(counts[component].sum()))  # stable
    sizes = np.maximum(counts.sum(axis=0), 1)
    has = np.zeros((folds, counts.shape[1]))
    total = np.zeros(folds)
    dealt = np.zeros(len(counts), np.intp)
    for component in order:
        present = np.flatnonzero(counts[component])
        mine = counts[component, present]
        load = (has[:, present] / sizes[present]) @ mine
        fold = np.lexsort((total, load.round(12)))[0]
        dealt[component] = fold
        has[fold, present] += mine
        total[fold] += mine.sum()
    return dealt[components]
