"""Dealing pictures to train, val and test: whole components, by class, in a seeded order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import SIDES
from tellapart.errors import DataError, OptionError
from tellapart.settings import USUAL_SHARES, SplitSettings

Rows = NDArray[np.intp]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
LEFT_OUT = ""

# What it costs that a class is missing on a side: far more than any unevenness can. A class must
# first be learned, then judged, then validated.
MISSING = {"train": 4e6, "test": 2e6, "val": 1e6}


def side_shares(settings: SplitSettings) -> dict[str, float]:
    """Return the share of each side that gets any; OptionError for shares that are none."""
    test = USUAL_SHARES["test"] if settings.test is None else settings.test
    val = USUAL_SHARES["val"] if settings.val is None else settings.val
    for name, share in (("--test", test), ("--val", val)):
        if not 0.0 <= share < 1.0:
            raise OptionError(f"{name} is a share of the pictures, 0 to below 1; got {share:g}")
    if test + val >= 1.0:
        raise OptionError(f"--test {test:g} and --val {val:g} leave nothing to train on")
    if test + val == 0.0:
        raise OptionError("--test 0 leaves no pictures that judge: give --test or --val a share")
    shares = {"train": 1.0 - test - val, "val": val, "test": test}
    return {side: share for side, share in shares.items() if share > 0.0}


def check_classes(labels: Rows, classes: tuple[str, ...], components: Rows) -> None:
    """Raise DataError for a class that cannot stand on two sides: all of it hangs together."""
    for code, name in enumerate(classes):
        pictures = np.flatnonzero(labels == code)
        if len(pictures) and len(np.unique(components[pictures])) < 2:
            raise DataError(
                f"class {name!r} has {len(pictures):,} {noun(len(pictures))} in one independent"
                " group (copies and groups stay together): a split needs two or more; add"
                f" pictures, or leave the class out with --classes {_others(classes, name)}"
            )


def noun(count: int) -> str:
    """Return "picture" or "pictures"."""
    return "picture" if count == 1 else "pictures"


def _others(classes: tuple[str, ...], name: str) -> str:
    others = [one for one in classes if one != name]
    return ",".join(others) if len(others) <= 5 else "..."


def deal(
    labels: Rows,
    ids: Sequence[str],
    components: Rows,
    shares: dict[str, float],
    seed: int,
    known: Sequence[str | None] | None,
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Return the side [n] of each picture, and a line for what had to be left out.

    Components, in the order of BLAKE2b(seed, their smallest id), go one by one to the side that
    most lacks their classes; then single components move for as long as that makes the sides
    more even, or gives a class to a side that has none of it. Known pictures stay where they are.
    """
    names: list[str] = [side for side in SIDES if side in shares or (known and side in known)]
    _, components = np.unique(components, return_inverse=True)
    counts = _with_total(labels, components, ids)
    held = _held_sides(components, known, names) if known is not None else {}
    dealt = np.full(len(counts), -1)
    for component, places in held.items():
        dealt[component] = places[0]
    free = [one for one in dealing_order(ids, components, seed) if one not in held]
    aims = _aims(counts, names, shares)
    has = np.zeros((len(names), counts.shape[1]))
    np.add.at(has, dealt[dealt >= 0], counts[dealt >= 0])
    for component in free:
        present = np.flatnonzero(counts[component])
        mine = counts[component, present]
        side = dealt[component] = aims.neediest(present, mine, has)
        has[side, present] += mine
    _even_out(dealt, counts, has, free, aims)
    sides = np.array(names)[dealt[components]]
    torn = np.isin(components, [one for one, places in held.items() if len(places) > 1])
    return _hold(sides, torn, known)


def class_counts(labels: Rows, components: Rows) -> Counts:
    """Return the pictures of each class in each component, [components, classes].

    components must leave out no number below their largest.
    """
    counts = np.zeros((int(components.max()) + 1, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (components, labels), 1)
    return counts


def _with_total(labels: Rows, components: Rows, ids: Sequence[str]) -> Counts:
    """Return the class counts, and in a last column their sum; exact copies count once."""
    first = list(
        dict(zip(zip(ids, labels.tolist(), strict=True), range(len(ids)), strict=True)).values()
    )
    counts = class_counts(labels[first], components[first])
    return np.column_stack([counts, counts.sum(axis=1)])


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


@dataclass(frozen=True)
class _Aims:
    """What every side should have of every class, and what it costs to be off.

    shares [s], want [s, k] pictures, sizes [k] pictures of a class, price [s, k] of having none.
    The last of the k columns is all classes together.
    """

    shares: Floats
    want: Floats
    sizes: Floats
    price: Floats

    def neediest(self, present: Rows, mine: Counts, has: Floats) -> int:
        """Return the side that most lacks a component: `mine` pictures of the columns `present`."""
        lack = ((self.want[:, present] - has[:, present]) / self.sizes[present]) @ mine
        return int(np.argmax(np.where(self.shares > 0, lack.round(12), -np.inf)))

    def cost(self, has: Floats) -> Floats:
        """Return what each side costs, [..., s], for what it has, [..., s, k].

        It is sum (has - want)^2 / size over the classes and all of them together, and the price of
        every class that is missing.
        """
        uneven = ((has - self.want) ** 2 / self.sizes).sum(axis=-1)
        return np.asarray(uneven + (self.price * (has <= 0)).sum(axis=-1))


def _aims(counts: Counts, names: list[str], shares: dict[str, float]) -> _Aims:
    wanted = np.array([shares.get(name, 0.0) for name in names])
    price = np.array([MISSING[name] for name in names]) * (wanted > 0)
    before = np.empty(len(names), np.intp)  # how many sides need a class more than this one does
    before[np.argsort(-price, kind="stable")] = np.arange(len(names))
    holders = (counts > 0).sum(axis=0)  # components that have a picture of the class
    return _Aims(
        shares=wanted,
        want=np.outer(wanted, counts.sum(axis=0)),
        sizes=np.maximum(counts.sum(axis=0), 1).astype(np.float64),
        price=price[:, None] * (holders > before[:, None]),
    )


def _even_out(dealt: Rows, counts: Counts, has: Floats, free: list[int], aims: _Aims) -> None:
    """Move single components to other sides for as long as that lowers the cost (in place).

    Components with equal counts are alike to the cost, so one of each kind stands for all that a
    side has of it: the one that was dealt last.
    """
    if not free:
        return
    kinds, kind_of = np.unique(counts[free], axis=0, return_inverse=True)
    members: dict[tuple[int, int], list[int]] = {}
    for component, kind in zip(free, kind_of.ravel().tolist(), strict=True):
        members.setdefault((kind, int(dealt[component])), []).append(component)
    for _ in free:
        move = _best_move(kinds, members, has, aims)
        if move is None:
            return
        kind, start, end = move
        component = members[kind, start].pop()
        members.setdefault((kind, end), []).append(component)
        dealt[component] = end
        has[start] -= kinds[kind]
        has[end] += kinds[kind]


def _best_move(
    kinds: Counts, members: dict[tuple[int, int], list[int]], has: Floats, aims: _Aims
) -> tuple[int, int, int] | None:
    """Return the (kind, from, to) that lowers the cost most, None where none does."""
    now = aims.cost(has)
    without = aims.cost(has - kinds[:, None, :]) - now  # [kinds, sides]
    with_it = aims.cost(has + kinds[:, None, :]) - now
    change = without[:, :, None] + with_it[:, None, :]
    possible = np.zeros(without.shape, bool)
    for (kind, side), components in members.items():
        possible[kind, side] = bool(components)
    change[~possible] = 0.0
    change[:, :, aims.shares <= 0] = 0.0
    change[:, np.arange(len(now)), np.arange(len(now))] = 0.0
    best = np.unravel_index(int(np.argmin(change.round(9))), change.shape)
    if change[best] >= -1e-9:
        return None
    return int(best[0]), int(best[1]), int(best[2])


def _held_sides(
    components: Rows, known: Sequence[str | None], names: list[str]
) -> dict[int, list[int]]:
    """Return component -> sides (positions in `names`) of its known pictures."""
    held: dict[int, list[int]] = {}
    for component, side in zip(components.tolist(), known, strict=True):
        if side:
            places = held.setdefault(component, [])
            if names.index(side) not in places:
                places.append(names.index(side))
    return held


def _hold(
    sides: NDArray[Any], torn: NDArray[np.bool_], known: Sequence[str | None] | None
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    """Put known pictures where they were; leave out new ones that hang together with two sides."""
    if known is None:
        return sides, ()
    is_known = np.array([bool(one) for one in known])
    sides = np.where(is_known, np.array([one or LEFT_OUT for one in known]), sides)
    new = int((torn & ~is_known).sum())
    sides[torn & ~is_known] = LEFT_OUT
    if not new:
        return sides, ()
    links = "links" if new == 1 else "link"
    line = (
        f"{new:,} new {noun(new)} left out: a copy or group {links} two sides of the known split."
    )
    return sides, (line,)
