"""Dealing pictures to train, val and test: whole components, by class, in a seeded order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import SIDES
from tellapart.errors import DataError, OptionError
from tellapart.settings import SplitSettings
from tellapart.splits.proof import prove
from tellapart.splits.records import Split

Rows = NDArray[np.intp]
LEFT_OUT = ""


def make_split(
    labels: Rows,
    classes: tuple[str, ...],
    ids: Sequence[str],
    components: Rows,
    groups: Sequence[str | None],
    given: Sequence[str | None] | None,
    settings: SplitSettings,
    known: Sequence[str | None] | None = None,
) -> Split:
    """Return which side each of n pictures stands on, with the proof that nothing leaks.

    labels      [n] index into `classes`
    components  [n] numbers from `components`: pictures that must stay together
    given       [n] sides that the data itself gives; they are kept, and what leaks is marked
    known       [n] sides from an earlier split, None for new pictures: they are held, and a new
                picture that hangs together with two sides is left out

    Otherwise components, in the order of BLAKE2b(seed, their smallest id), go to the side that
    most lacks their classes. Raises DataError where a class is too small to stand on both sides,
    OptionError for shares that are none.
    """
    if given is not None:
        sides = np.array([side or LEFT_OUT for side in given])
        left_out: tuple[str, ...] = ()
    else:
        shares = _shares(settings)
        _check_classes(labels, classes, components, shares, known)
        sides, left_out = _deal(labels, len(classes), ids, components, shares, settings.seed, known)
    headline = "test" if (sides == "test").any() else "val"
    counted = _first_copies(labels, ids, sides)
    split = Split(
        sides=sides,
        counted=counted,
        leaked=_leaked(sides, components),
        components=components,
        given=given is not None,
        headline=headline,
        proof={},
        left_out=left_out,
    )
    return replace(split, proof=prove(split, labels, classes, ids, groups, settings))


def _shares(settings: SplitSettings) -> dict[str, float]:
    """Return the share of each side that gets any, train first."""
    for name, share in (("--test", settings.test), ("--val", settings.val)):
        if not 0.0 <= share < 1.0:
            raise OptionError(f"{name} is a share of the pictures, 0 to below 1; got {share:g}")
    if settings.test + settings.val >= 1.0:
        raise OptionError(
            f"--test {settings.test:g} and --val {settings.val:g} leave nothing to train on"
        )
    if settings.test + settings.val == 0.0:
        raise OptionError("--test 0 leaves no pictures that judge: give --test or --val a share")
    shares = {"train": 1.0 - settings.test - settings.val}
    shares |= {"val": settings.val, "test": settings.test}
    return {side: share for side, share in shares.items() if share > 0.0}


def _check_classes(
    labels: Rows,
    classes: tuple[str, ...],
    components: Rows,
    shares: dict[str, float],
    known: Sequence[str | None] | None,
) -> None:
    if known is not None and any(known):
        return  # a frozen split stands whatever the classes; new ones are dealt as well as can be
    for code, name in enumerate(classes):
        pictures = np.flatnonzero(labels == code)
        independent = len(np.unique(components[pictures]))
        if 0 < independent < 2:
            raise DataError(
                f"class {name!r} has {len(pictures):,} {_noun(len(pictures))} in one independent"
                " group (copies and groups stay together): a split needs two or more; add"
                f" pictures, or leave the class out with --classes {_others(classes, name)}"
            )


def _noun(count: int) -> str:
    return "picture" if count == 1 else "pictures"


def _others(classes: tuple[str, ...], name: str) -> str:
    others = [one for one in classes if one != name]
    return ",".join(others) if len(others) <= 5 else "..."


def _deal(
    labels: Rows,
    k: int,
    ids: Sequence[str],
    components: Rows,
    shares: dict[str, float],
    seed: int,
    known: Sequence[str | None] | None,
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Deal component by component to the side that most lacks their classes."""
    names = list(shares)
    counts = class_counts(labels, components, k)
    has = np.zeros((len(names), k))
    dealt = np.full(len(counts), -1)
    held = _held_sides(components, known, names) if known is not None else {}
    for component, places in held.items():
        if len(places) == 1:
            dealt[component] = places[0]
            has[places[0]] += counts[component]
    want = np.outer(list(shares.values()), counts.sum(axis=0))
    alone = (counts > 0).sum(axis=0)  # components that hold each class, still to be dealt
    alone -= (counts[dealt >= 0] > 0).sum(axis=0)
    for component in dealing_order(ids, components, seed):
        if dealt[component] >= 0 or component in held:
            continue
        side = _neediest(counts[component], has, want, alone)
        dealt[component] = side
        has[side] += counts[component]
        alone -= counts[component] > 0
    sides = np.array([*names, LEFT_OUT])[dealt[components]]
    torn = np.isin(components, [one for one, places in held.items() if len(places) > 1])
    return _hold(sides, torn, known)


def class_counts(labels: Rows, components: Rows, k: int) -> NDArray[np.int64]:
    """Return the pictures of each class in each component, [components, k]."""
    counts = np.zeros((int(components.max()) + 1, k), np.int64)
    np.add.at(counts, (components, labels), 1)
    return counts


def dealing_order(ids: Sequence[str], components: Rows, seed: int) -> list[int]:
    """Return the components by BLAKE2b(seed, their smallest id): no order of files matters."""
    smallest: dict[int, str] = {}
    for component, id_ in zip(components.tolist(), ids, strict=True):
        if component not in smallest or id_ < smallest[component]:
            smallest[component] = id_
    keys = {
        component: hashlib.blake2b(f"{seed}:{id_}".encode(), digest_size=16).digest()
        for component, id_ in smallest.items()
    }
    return sorted(keys, key=keys.__getitem__)


def _neediest(
    counts: NDArray[np.int64],
    has: NDArray[np.float64],
    want: NDArray[np.float64],
    alone: NDArray[np.int64],
) -> int:
    """Return the side that most lacks the classes of a component.

    The lack of a class is the share of its wanted pictures that is missing, weighted by the
    component's pictures. A class's last components go to sides that have none of it yet: train
    first, then the last side (test), so that every class can be learned and judged.
    """
    present = counts > 0
    bare = (has[:, present] == 0).sum(axis=1)
    if (alone[present] <= (has[:, present] == 0).sum(axis=0)).any() and bare.any():
        order = [0, len(has) - 1, *range(1, len(has) - 1)]
        return next(side for side in order if bare[side])
    lack = (want[:, present] - has[:, present]) / want[:, present]
    return int(np.argmax(lack @ counts[present]))


def _held_sides(
    components: Rows, known: Sequence[str | None], names: list[str]
) -> dict[int, list[int]]:
    """Return component -> sides (positions in `names`) of its known pictures."""
    held: dict[int, list[int]] = {}
    for component, side in zip(components.tolist(), known, strict=True):
        if side is None or side == LEFT_OUT:
            continue
        if side not in names:
            raise OptionError(
                f"--split-from holds pictures on {side!r}, which gets no share here: add --{side}"
            )
        places = held.setdefault(component, [])
        if names.index(side) not in places:
            places.append(names.index(side))
    return held


def _hold(
    sides: NDArray[np.str_], torn: NDArray[np.bool_], known: Sequence[str | None] | None
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Put known pictures where they were; leave out new ones that hang together with two sides."""
    if known is None:
        return sides, ()
    is_known = np.array([one is not None for one in known])
    sides = np.where(is_known, np.array([one or LEFT_OUT for one in known]), sides)
    new = int((torn & ~is_known).sum())
    sides[torn & ~is_known] = LEFT_OUT
    if not new:
        return sides, ()
    link = "links" if new == 1 else "link"
    line = (
        f"{new:,} new {_noun(new)} left out: a copy or group {link} two sides of the known split."
    )
    return sides, (line,)


def _first_copies(labels: Rows, ids: Sequence[str], sides: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return False for the second and later exact copies of a picture inside a side and class."""
    seen: set[tuple[str, str, int]] = set()
    counted = np.ones(len(ids), bool)
    for row, key in enumerate(zip(sides.tolist(), ids, labels.tolist(), strict=True)):
        counted[row] = key not in seen
        seen.add(key)
    return counted


def _leaked(sides: NDArray[np.str_], components: Rows) -> NDArray[np.bool_]:
    """Mark evaluation pictures whose component also stands on an earlier side.

    Train leaks into val and test, val into test: what was learned or chosen from must not judge.
    """
    leaked = np.zeros(len(sides), bool)
    for place, side in enumerate(SIDES):
        for earlier in SIDES[:place]:
            leaked |= (sides == side) & np.isin(components, components[sides == earlier])
    return leaked
