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

    f is `k`, lowered to the number of components of the class that has fewest, but not below 2. A
    class of one component is in one fold, so the model of that fold has never seen it. Components
    are dealt largest first (equal ones by BLAKE2b(seed, smallest id)), each to the fold that most
    lacks its classes.
    """
    _, components = np.unique(components, return_inverse=True)
    counts = class_counts(labels, components, int(labels.max()) + 1)
    alone = (counts > 0).sum(axis=0)
    folds = max(2, min(k, int(alone[alone > 0].min())))
    order = dealing_order(ids, components, seed)
    order.sort(key=lambda component: -int(counts[component].sum()))  # stable
    want = np.maximum(counts.sum(axis=0) / folds, 1e-9)
    has = np.zeros((folds, counts.shape[1]))
    dealt = np.zeros(len(counts), np.intp)
    for component in order:
        mine = counts[component]
        present = mine > 0
        lack = ((want[present] - has[:, present]) / want[present]) @ mine[present]
        # Equally lacking folds: the emptiest, so that the folds are of one size.
        fold = max(range(folds), key=lambda one: (round(float(lack[one]), 9), -has[one].sum()))
        dealt[component] = fold
        has[fold] += mine
    return dealt[components]
