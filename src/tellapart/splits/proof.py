"""The proof of a split: pairs are checked on the finished sides, by other code than dealt them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import SIDES
from tellapart.settings import SplitSettings
from tellapart.splits.records import Split

MOST_NAMED = 1_000  # cut pairs


def prove(
    split: Split,
    labels: NDArray[np.intp],
    classes: tuple[str, ...],
    ids: Sequence[str],
    groups: Sequence[str | None],
    alike: NDArray[np.intp],
    settings: SplitSettings,
) -> dict[str, Any]:
    """Return what was checked and found, as it stands in run.json.

    "pairs" counts, for every two sides, the pairs of pictures (one on each) that share an id, a
    group or a component, or stand in `alike` [p, 2], once among all pictures and once among those
    that count; "holds" says that the second are none. "cut" names (at most 1,000 of) the pairs of
    near-duplicates between which giant components were cut, by ids.
    """
    counting = split.counted & ~split.leaked
    keys: dict[str, Sequence[Any]] = {
        "same_file": ids,
        "same_group": groups,
        "same_component": split.components.tolist(),
    }
    everything = np.ones(len(labels), bool)
    pairs = {name: _crossing(split.sides, key, everything) for name, key in keys.items()}
    left = {name: _crossing(split.sides, key, counting) for name, key in keys.items()}
    pairs["alike"] = _crossing_pairs(split.sides, alike, everything)
    left["alike"] = _crossing_pairs(split.sides, alike, counting)
    holds = not any(count for found in left.values() for count in found.values())
    shares = _class_shares(split, labels, classes)
    return {
        "holds": holds,
        "sentence": _sentence(split, pairs, holds),
        "given": split.given,
        "seed": None if split.given else settings.seed,
        "headline": split.headline,
        "pictures": {side: int((split.sides == side).sum()) for side in _sides(split)},
        "counted": {side: len(split.rows(side)) for side in _sides(split)},
        "components": len(np.unique(split.components)),
        "leaked": int(split.leaked.sum()),
        "copies_counted_once": int((~split.counted).sum()),
        "pairs": pairs,
        "pairs_that_count": left,
        "cut": [[ids[one], ids[other]] for one, other in split.cut[:MOST_NAMED].tolist()],
        "missing_classes": _missing(split, labels, classes),
        "class_shares": shares,
        "worst_deviation": _worst_deviation(shares),
    }


def _sides(split: Split) -> list[str]:
    return [side for side in SIDES if (split.sides == side).any()]


def _crossing(
    sides: NDArray[np.str_], key: Sequence[Any], rows: NDArray[np.bool_]
) -> dict[str, int]:
    """Count the pairs with an equal key on two sides, for every two sides, by sorting the key."""
    chosen = [row for row in np.flatnonzero(rows).tolist() if key[row] is not None]
    _, codes = np.unique([str(key[row]) for row in chosen], return_inverse=True)
    on = np.asarray(sides)[chosen]
    width = int(codes.max()) + 1 if len(chosen) else 0
    counts = {side: np.bincount(codes[on == side], minlength=width) for side in SIDES}
    return {
        f"{first}-{second}": int((counts[first] * counts[second]).sum())
        for first, second in combinations(SIDES, 2)
    }


def _crossing_pairs(
    sides: NDArray[np.str_], alike: NDArray[np.intp], rows: NDArray[np.bool_]
) -> dict[str, int]:
    """Count the given pairs of rows that stand on two sides, for every two sides."""
    on = sides[alike[rows[alike].all(axis=1)]]
    return {
        f"{first}-{second}": int((((on == first).any(axis=1)) & ((on == second).any(axis=1))).sum())
        for first, second in combinations(SIDES, 2)
    }


def _missing(
    split: Split, labels: NDArray[np.intp], classes: tuple[str, ...]
) -> dict[str, list[str]]:
    """Return side -> classes that have pictures, but none on that side."""
    present = [code for code in range(len(classes)) if (labels == code).any()]
    return {
        side: [classes[code] for code in present if not (labels[split.sides == side] == code).any()]
        for side in _sides(split)
    }


def _class_shares(
    split: Split, labels: NDArray[np.intp], classes: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Return side -> class -> its share of the side's pictures."""
    found = {}
    for side in _sides(split):
        counts = np.bincount(labels[split.sides == side], minlength=len(classes))
        shares = (counts / counts.sum()).round(6).tolist()
        found[side] = dict(zip(classes, shares, strict=True))
    return found


def _worst_deviation(shares: dict[str, dict[str, float]]) -> float:
    """Return the largest difference of a class's share between two sides."""
    per_side = [list(found.values()) for found in shares.values()]
    if len(per_side) < 2:
        return 0.0
    table = np.array(per_side)
    return float((table.max(axis=0) - table.min(axis=0)).max().round(6))


def _sentence(split: Split, pairs: dict[str, dict[str, int]], holds: bool) -> str:
    if not holds:
        return "The split leaks: pictures that count stand on two sides."
    across = sum(pairs["same_component"].values()) + sum(pairs["alike"].values())
    if not across:
        return "No picture, copy or group stands on two sides."
    leaked = int(split.leaked.sum())
    noun = "picture" if leaked == 1 else "pictures"
    if split.given:
        why = f"The given split leaks: {leaked:,} evaluation {noun} with a copy or group"
    elif sum(pairs["same_component"].values()):
        why = f"The known split leaks: {leaked:,} evaluation {noun} with a copy or group"
    else:
        why = f"Chains of likeness were cut: {leaked:,} evaluation {noun} with a likeness"
    verb = "is" if leaked == 1 else "are"
    return (
        f"{why} on another side {verb} left out of the headline; among those that count, no"
        " picture, copy or group stands on two sides."
    )
