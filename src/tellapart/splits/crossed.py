"""Folds instead of sides: every picture judges once, and trains for all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import counted
from tellapart.splits.alike import cut_pairs
from tellapart.splits.deal import Rows, check_classes
from tellapart.splits.folds import stratified_group_folds
from tellapart.splits.make import NO_PAIRS, first_copies
from tellapart.splits.proof import MOST_NAMED
from tellapart.splits.records import CROSSED, Folds, Split

OUTER_FOLDS = 10  # a classifier of 9/10 of the pictures is nearly the one that is kept


def make_folds(
    labels: Rows,
    classes: tuple[str, ...],
    ids: Sequence[str],
    components: Rows,
    groups: Sequence[str | None],
    seed: int,
    pairs: Rows | None = None,
    folds: int = OUTER_FOLDS,
) -> Split:
    """Return folds of n pictures as a split whose headline is "cv", with the proof that they hold.

    Takes what `make_split` takes. `folds` are made, or fewer where no class has so many independent
    groups. Where a giant component was cut, a training part leaves out the pictures that are
    alike to one that the fold judges.

    Raises DataError for a class whose pictures all hang together: it cannot be learned and judged.
    """
    check_classes(labels, classes, components)
    sides = np.full(len(ids), CROSSED)
    of = stratified_group_folds(labels, components, ids, folds, seed)
    cut = cut_pairs(components, NO_PAIRS if pairs is None else pairs)
    counts = first_copies(labels, ids, sides)
    split = Split(
        sides=sides,
        counted=counts,
        leaked=np.zeros(len(ids), bool),
        components=components,
        given=False,
        headline=CROSSED,
        proof={},
        cut=cut,
        folds=Folds(of, _training_parts(of, counts, ids, cut)),
    )
    proof = _prove(split, labels, classes, ids, groups, cut, seed)
    return replace(
        split, proof=proof, left_out=_unlearned(proof["missing_classes"], proof["folds"])
    )


def _training_parts(
    of: Rows, counts: NDArray[np.bool_], ids: Sequence[str], cut: Rows
) -> tuple[Rows, ...]:
    """Return each fold's training rows: those of the other folds, each copy once, but those that
    are alike to one of the fold; exact copies share their likenesses.
    """
    _, content = np.unique(np.asarray(ids), return_inverse=True)
    both = np.concatenate([cut, cut[:, ::-1]])
    parts = []
    for fold in range(int(of.max()) + 1):
        alike = both[np.isin(content[both[:, 0]], content[of == fold]), 1]
        parts.append(np.flatnonzero((of != fold) & counts & ~np.isin(content, content[alike])))
    return tuple(parts)


def _prove(
    split: Split,
    labels: Rows,
    classes: tuple[str, ...],
    ids: Sequence[str],
    groups: Sequence[str | None],
    pairs: Rows,
    seed: int,
) -> dict[str, Any]:
    """Return what was checked and found: that no fold trains on what it judges, or the like of it.

    "shared" counts, over all folds, the judged pictures whose id, group, component or likeness
    stands in the fold's training part.
    """
    of, train = (split.folds.of, split.folds.train) if split.folds else (labels[:0], ())
    names = np.asarray(ids)
    keys: dict[str, NDArray[Any]] = {
        "same_file": names,
        "same_group": np.array([f"g{one}" if one is not None else "" for one in groups]),
        "same_component": split.components.astype(str),
    }
    shared = dict.fromkeys([*keys, "alike"], 0)
    for fold, rows in enumerate(train):
        judged = of == fold
        for name, key in keys.items():
            shared[name] += int((np.isin(key, key[rows]) & judged & (key != "")).sum())
        trained = np.isin(names, names[rows])
        shared["alike"] += sum(
            int((judged[one] & trained[other]).sum()) for one, other in (pairs.T, pairs.T[::-1])
        )
    holds = not any(shared.values())
    shares = _shares(of, labels, len(classes), len(train))
    left_out = sum(int(((of != fold) & split.counted).sum()) for fold in range(len(train)))
    left_out -= sum(len(rows) for rows in train)
    return {
        "origin": f"dealt to {len(train)} folds",
        "holds": holds,
        "sentence": _sentence(holds, left_out),
        "given": False,
        "seed": seed,
        "headline": split.headline,
        "folds": len(train),
        "pictures": {CROSSED: len(names)},
        "counted": {CROSSED: int(split.counted.sum())},
        "trained": [len(rows) for rows in train],
        "judged": [int(((of == fold) & split.counted).sum()) for fold in range(len(train))],
        "components": len(np.unique(split.components)),
        "leaked": 0,
        "copies_counted_once": int((~split.counted).sum()),
        "shared": shared,
        "left_out_of_training": left_out,
        "cut": [[ids[one], ids[other]] for one, other in split.cut[:MOST_NAMED].tolist()],
        "missing_classes": _missing(labels, classes, train),
        "worst_deviation": float((shares.max(axis=0) - shares.min(axis=0)).max().round(6)),
    }


def _missing(labels: Rows, classes: tuple[str, ...], train: Sequence[Rows]) -> dict[str, list[str]]:
    """Return the training parts that lack a class, and which."""
    lacking = {
        f"training part {fold}": sorted(set(classes) - {classes[code] for code in labels[rows]})
        for fold, rows in enumerate(train)
    }
    return {part: names for part, names in lacking.items() if names}


def _unlearned(missing: dict[str, list[str]], folds: int) -> tuple[str, ...]:
    """Return a line for each class that some training part lacks."""
    times = Counter(name for names in missing.values() for name in names)
    return tuple(
        f"Class {name!r} stands in too few groups: in {count} of {folds} folds there was nothing of"
        " it to learn from, and its pictures there count as wrong."
        for name, count in times.items()
    )


def _shares(of: Rows, labels: Rows, k: int, folds: int) -> NDArray[np.float64]:
    """Return each class's share of each fold's pictures, [folds, k]."""
    counts = np.zeros((folds, k))
    np.add.at(counts, (of, labels), 1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _sentence(holds: bool, left_out: int) -> str:
    if not holds:
        return "The folds leak: a picture was judged by a model that had seen the like of it."
    said = "No picture was judged by a model that had seen it, a copy of it or one of its group"
    if not left_out:
        return f"{said}."
    return (
        f"{said}; where chains of likeness were cut, {counted(left_out, 'picture')} (counted once a"
        " fold) stood in no training part."
    )
