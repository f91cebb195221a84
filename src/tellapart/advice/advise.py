"""What would help most now: every option measured, ranked by its gain."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.measure import FOLDS, REPEATS, STEPS, TOLERANCE, Sample, fewer
from tellapart.advice.options import (
    MOST_CLASSES,
    SHARES,
    SIBLINGS,
    Measured,
    measured,
    more_pictures,
    other_backbone,
    relabelled,
)
from tellapart.advice.records import Advice, Suspect
from tellapart.advice.resampling import REPLICATES, SLOWEST, STEEPEST
from tellapart.heads.probe import Fits
from tellapart.heads.settings import Setting
from tellapart.optional import installed_version
from tellapart.progress import Progress
from tellapart.splits.components import numbered

ADVICE_VERSION = 2  # raise it whenever advice changes its meaning: what is kept is then made anew
MOST_PICTURES = 1_500  # a larger training set is measured on a stratified share of it
STAND_IN = Setting(0.1, balanced=True, standardised=False)  # for a head of another kind
BACKBONE_PICTURES = 400  # on which another backbone is measured

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Larger:
    """Another backbone's features [m, d] of the training pictures `rows` [m]."""

    name: str
    rows: Rows
    features: NDArray[np.floating[Any]]


def advise(
    features: NDArray[np.floating[Any]],
    labels: Rows,
    names: Sequence[str],
    components: Rows,
    ids: Sequence[str],
    *,
    setting: Setting,
    suspects: Sequence[Suspect] = (),
    larger: Larger | None = None,
    notes: Sequence[str] = (),
    seed: int,
    cache: Fits,
    progress: Progress,
) -> tuple[Advice, int]:
    """Return what would help a head most that learned from these pictures, and how often it was
    computed (0 where the cache had it, else 1).

    features [n, d] of the training pictures, labels [n] in 0..k-1 with every class present, names
    [k]; setting is the head's, and stays as it is (a logistic regression stands in for a head of
    another kind, which a note says). Everything is measured by cross-validation on
    these pictures alone, components whole: no other picture takes part. notes are kept with it.
    """
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    if setting.kind != "logistic":
        notes = (
            *notes,
            f"Measured with a logistic regression in place of the head {setting.kind}.",
        )
        setting = STAND_IN
    components = numbered(components, ids)  # numbers that hang on the pictures alone
    key = _key(features, labels, names, components, ids, order, setting, suspects, larger, seed)
    kept = cache.load_arrays(key)
    if kept is not None:
        return _noted(Advice.from_json(kept[1]), notes), 0
    with progress.stage("advise", unit="options") as stage:
        found = _advise(
            features, labels, names, components, ids, order, setting, suspects, larger, seed
        )
        stage.advance(len(found.options))
    cache.save_arrays(key, {}, found.to_json())
    return _noted(found, notes), 1


def _noted(found: Advice, notes: Sequence[str]) -> Advice:
    return Advice(
        found.options, found.doubling, found.curves, found.score, found.pictures,
        (*found.notes, *notes),
    )  # fmt: skip


def _advise(
    features: NDArray[Any],
    labels: Rows,
    names: Sequence[str],
    components: Rows,
    ids: Sequence[str],
    order: Rows,
    setting: Setting,
    suspects: Sequence[Suspect],
    larger: Larger | None,
    seed: int,
) -> Advice:
    everything = Sample(
        np.zeros((0, 0), np.float32), labels[order], components[order],
        [ids[row] for row in order], len(names),
    )  # fmt: skip
    chosen = order[fewer(everything, everything.ids, MOST_PICTURES, seed)]
    sample = Sample(
        np.asarray(features[chosen], np.float32), labels[chosen], components[chosen],
        [ids[row] for row in chosen], len(names),
    )  # fmt: skip
    counts = np.bincount(labels, minlength=len(names))
    found = measured(sample, names, setting, counts, seed)
    if found is None:
        why = "no class but one has two independent training pictures: nothing can be measured"
        return Advice((), None, (), None, len(labels), (why,))
    place = np.full(len(labels), -1)
    place[chosen] = np.arange(len(chosen))
    pictures = more_pictures(found, seed)
    options = [
        *pictures.options,
        *_relabelling(found, place, suspects),
        *_backbone(found, place, larger, setting, seed),
    ]
    options.sort(key=lambda one: (-one.gain.value, one.kind, one.name))
    score = round(float(found.by.score(found.hits).mean()), 5)
    return Advice(
        tuple(options), pictures.doubling, pictures.curves, score, len(chosen),
        tuple(_limits(len(chosen), len(labels), len(names))),
    )  # fmt: skip


def _relabelling(found: Measured, place: Rows, suspects: Sequence[Suspect]) -> list[Any]:
    inside = [(place[one.row], one.proposed) for one in suspects if place[one.row] >= 0]
    if not inside:
        return []
    rows, proposed = (np.array(one, np.intp) for one in zip(*inside, strict=True))
    return [relabelled(found, rows, proposed, len(suspects))]


def _backbone(
    found: Measured, place: Rows, larger: Larger | None, setting: Setting, seed: int
) -> list[Any]:
    if larger is None:
        return []
    inside = place[larger.rows] >= 0
    rows = place[larger.rows][inside]
    known = np.bincount(found.sample.labels[rows], minlength=found.sample.k)
    if (known >= 2).sum() < 2:
        return []
    order = np.argsort(rows)
    features = np.asarray(larger.features[inside][order], np.float32)
    return [other_backbone(found, larger.name, rows[order], features, setting, seed)]


def _limits(pictures: int, of: int, classes: int) -> list[str]:
    said = []
    if pictures < of:
        said.append(f"Measured on a stratified share of {pictures:,} of {of:,} training pictures.")
    if classes > MOST_CLASSES:
        said.append(
            f"Only the {MOST_CLASSES} classes with the most errors were measured, of {classes:,}."
        )
    return said


def backbone_rows(labels: Rows, components: Rows, ids: Sequence[str], k: int, seed: int) -> Rows:
    """Return the training rows on which another backbone is worth looking at, a few hundred.

    They are taken out of those that `advise` measures on, whatever the order of rows.
    """
    order = np.array(sorted(range(len(labels)), key=lambda row: (ids[row], labels[row])))
    for most in (MOST_PICTURES, BACKBONE_PICTURES):
        some = [ids[row] for row in order]
        sample = Sample(np.zeros((0, 0), np.float32), labels[order], components[order], some, k)
        order = order[fewer(sample, some, most, seed)]
    return order


def _key(
    features: NDArray[Any], labels: Rows, names: Sequence[str], components: Rows,
    ids: Sequence[str], order: Rows, setting: Setting, suspects: Sequence[Suspect],
    larger: Larger | None, seed: int,
) -> str:  # fmt: skip
    """Return the digest of everything that advice depends on, in whatever order rows come."""
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    settings = (
        ADVICE_VERSION, seed, setting, tuple(names), features.shape, str(features.dtype),
        MOST_PICTURES, BACKBONE_PICTURES, FOLDS, REPEATS, TOLERANCE, STEPS, REPLICATES, SLOWEST,
        STEEPEST, MOST_CLASSES, SIBLINGS, SHARES,
        sorted((int(rank[one.row]), one.proposed) for one in suspects),
        None if larger is None else (larger.name, larger.features.shape),
        installed_version("scikit-learn"), installed_version("scipy"), installed_version("numpy"),
    )  # fmt: skip
    digest = hashlib.blake2b(repr(settings).encode(), digest_size=16)
    arrays = [features[order], labels[order], components[order]]
    if larger is not None:
        by_rank = np.argsort(rank[larger.rows])
        arrays += [rank[larger.rows][by_rank], larger.features[by_rank]]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    digest.update("\n".join(ids[row] for row in order).encode())
    return digest.hexdigest()
