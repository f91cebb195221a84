"""Making a split: given, known or dealt; what counts of it, and the proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import SIDES
from tellapart.errors import DataError
from tellapart.settings import SplitSettings
from tellapart.splits.alike import cut_pairs
from tellapart.splits.deal import LEFT_OUT, Rows, check_classes, deal, noun, side_shares
from tellapart.splits.proof import prove
from tellapart.splits.records import Split
from tellapart.splits.timely import Order, deal_in_order

NO_PAIRS = np.empty((0, 2), np.intp)


def make_split(
    labels: Rows,
    classes: tuple[str, ...],
    ids: Sequence[str],
    components: Rows,
    groups: Sequence[str | None],
    given: Sequence[str | None] | None,
    settings: SplitSettings,
    known: Sequence[str | None] | None = None,
    pairs: Rows | None = None,
    order: Order | None = None,
) -> Split:
    """Return which side each of n pictures stands on, with the proof that nothing leaks.

    labels      [n] index into `classes`
    components  [n] from `components` or `join_alike`: pictures that must stay together
    given       [n] sides that the data itself gives; they are kept, and what leaks is marked. Sides
                that name training pictures only are no split: then these are dealt
    known       [n] sides from an earlier split, None for new pictures: they are held, and a new
                picture that hangs together with two sides is left out
    pairs       [p, 2] rows of near-duplicates; those in two components were cut, and evaluation
                pictures whose partner stands on an earlier side leave the headline
    order       when the pictures came: the earliest are train, the latest test

    Otherwise components are dealt (see `deal`). Raises DataError where a class is too small to
    stand on both sides, the given split has no training pictures, or none of the pictures is
    known; OptionError for shares that are none.
    """
    pairs = NO_PAIRS if pairs is None else pairs
    is_given = given is not None and any(side in SIDES[1:] for side in given)
    origin = _origin(given, known, is_given)
    left_out: tuple[str, ...] = ()
    if given is not None and is_given:
        sides = np.array([side or LEFT_OUT for side in given])
        _check_given(sides)
    elif order is not None:
        sides, origin = deal_in_order(order, components, side_shares(settings))
    else:
        sides, left_out = _dealt(labels, classes, ids, components, settings, known)
    cut = cut_pairs(components, pairs)
    split = Split(
        sides=sides,
        counted=first_copies(labels, ids, sides),
        leaked=_leaked(sides, components) | _leaked_by_pairs(sides, ids, cut),
        components=components,
        given=is_given,
        headline="test" if (sides == "test").any() else "val",
        proof={},
        left_out=left_out + _never_learned(sides, labels, classes),
        cut=cut,
    )
    proof = prove(split, labels, classes, ids, groups, pairs, settings)
    return replace(split, proof={"origin": origin, **proof})


def _dealt(
    labels: Rows,
    classes: tuple[str, ...],
    ids: Sequence[str],
    components: Rows,
    settings: SplitSettings,
    known: Sequence[str | None] | None,
) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    shares = side_shares(settings)
    if known is None:  # a frozen split stands whatever its classes
        check_classes(labels, classes, components)
    elif not any(known):
        raise DataError(
            f"--split-from {settings.split_from} names none of these {len(labels):,} pictures,"
            " neither by path nor by id: was it made of another set?"
        )
    return deal(labels, ids, components, shares, settings.seed, known)


def _origin(
    given: Sequence[str | None] | None, known: Sequence[str | None] | None, is_given: bool
) -> str:
    if is_given:
        return "given by the data"
    if known is not None and any(known):
        held = sum(bool(side) for side in known)
        return f"{held:,} {noun(held)} held on the sides of the known split, the others dealt"
    if given is not None:
        return "dealt, because the data names training pictures only"
    return "dealt"


def _check_given(sides: NDArray[np.str_]) -> None:
    if not (sides == "train").any():
        has = " and ".join(side for side in SIDES if (sides == side).any())
        raise DataError(
            f"the data's own split has no training pictures (only {has}): add a train side, or"
            " read the pictures without their split"
        )


def first_copies(labels: Rows, ids: Sequence[str], sides: NDArray[np.str_]) -> NDArray[np.bool_]:
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


def _leaked_by_pairs(sides: NDArray[np.str_], ids: Sequence[str], pairs: Rows) -> NDArray[np.bool_]:
    """Mark evaluation pictures with a pair on an earlier side; exact copies share their pairs."""
    last = len(SIDES)
    rank = np.array([SIDES.index(side) if side else last for side in sides.tolist()], np.intp)
    _, content = np.unique(np.asarray(ids), return_inverse=True)
    earliest = np.full(len(sides), last)  # side on which a content stands
    np.minimum.at(earliest, content, rank)
    partner = np.full(len(sides), last)  # earliest side on which one of its partners stands
    for one, other in (pairs.T, pairs.T[::-1]):
        np.minimum.at(partner, content[one], earliest[content[other]])
    return np.asarray((partner[content] < rank) & (rank < last))


def _never_learned(
    sides: NDArray[np.str_], labels: Rows, classes: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a line for each class that stands on an evaluation side and not on train."""
    learned = set(labels[sides == "train"].tolist())
    lines = []
    for code, name in enumerate(classes):
        judged = int(((labels == code) & (sides != "train") & (sides != LEFT_OUT)).sum())
        if judged and code not in learned:
            lines.append(
                f"Class {name!r} has no training {noun(2)}: it cannot be learned, and its"
                f" {judged:,} evaluation {noun(judged)} do not count."
            )
    return tuple(lines)
