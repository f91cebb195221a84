"""Components joined by likeness, where one false link must not tie half of a set together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.splits.components import Rows, join, links_inside, numbered

GIANT_SHARE = 0.05  # of the set or of a class (DESIGN section 4)
GIANT_PICTURES = 10  # so many alike pictures are no giant, whatever their share of a small set


def join_alike(
    components: Rows,
    labels: Rows,
    ids: Sequence[str],
    pairs: Rows,
    scores: NDArray[np.floating[Any]],
) -> Rows:
    """Join components [n] by pairs [p, 2] of alike rows with scores [p], giants cut.

    components  what must stay together (copies, the user's groups); it is never cut
    labels      [n] class codes
    ids         [n] content ids, which make the numbering and ties independent of order

    Pairs are taken from the most alike down. One that would make a component whose pictures,
    without its largest part that must stay together, are more than 5 % of the set or of a class
    (and more than 10) is cut: at that moment it is the weakest link of what it would make. Cut
    pairs are those whose rows end in two components; `make_split` names them.
    """
    _, parts = np.unique(components, return_inverse=True)
    counts = _counts(labels, parts)
    limits = np.maximum(np.floor(GIANT_SHARE * counts.sum(axis=0)), GIANT_PICTURES)
    whole = join(len(parts), np.concatenate([links_inside(parts), pairs]))
    in_giant = np.isin(whole, _giants(whole, parts, counts, limits))[pairs[:, 0]]
    keep = ~in_giant
    order = sorted(
        np.flatnonzero(in_giant).tolist(),
        key=lambda place: (-float(scores[place]), sorted(ids[row] for row in pairs[place])),
    )
    pieces = _Pieces(list(range(len(counts))), list(counts), list(counts))
    for place in order:
        one, other = parts[pairs[place]].tolist()
        keep[place] = pieces.merge(one, other, limits)
    found = join(len(parts), np.concatenate([links_inside(parts), pairs[keep]]))
    return numbered(found, ids)


def cut_pairs(components: Rows, pairs: Rows) -> Rows:
    """Return the pairs [c, 2] of alike rows that stand in two components."""
    return np.asarray(pairs[components[pairs[:, 0]] != components[pairs[:, 1]]], np.intp)


def _counts(labels: Rows, parts: Rows) -> NDArray[np.int64]:
    """Return the pictures of each class in each part, and in the last column all of them."""
    counts = np.zeros((int(parts.max()) + 1, int(labels.max()) + 2), np.int64)
    np.add.at(counts, (parts, labels), 1)
    counts[:, -1] = counts.sum(axis=1)
    return counts


def _giants(whole: Rows, parts: Rows, counts: NDArray[Any], limits: NDArray[Any]) -> Rows:
    """Return the components of `whole` that the limits forbid."""
    _, first = np.unique(parts, return_index=True)
    of_part = whole[first]
    totals = np.zeros((int(whole.max()) + 1, counts.shape[1]), np.int64)
    np.add.at(totals, of_part, counts)
    suspects = np.flatnonzero((totals > limits).any(axis=1))
    giants = []
    for component in suspects:
        mine = counts[of_part == component]
        largest = max(mine, key=_size)
        if (totals[component] - largest > limits).any():
            giants.append(component)
    return np.array(giants, np.intp)


def _size(counts: NDArray[Any]) -> tuple[int, ...]:
    return (int(counts[-1]), *counts.tolist())


@dataclass(frozen=True)
class _Pieces:
    """Parts merged so far: a parent of each, and for roots their counts and their largest part's.

    The lists change as parts are merged.
    """

    parents: list[int]
    counts: list[NDArray[Any]]
    largest: list[NDArray[Any]]

    def merge(self, one: int, other: int, limits: NDArray[Any]) -> bool:
        """Merge the pieces of two parts unless that makes a giant; return whether they are one."""
        one, other = self._root(one), self._root(other)
        if one == other:
            return True
        counts = self.counts[one] + self.counts[other]
        largest = max(self.largest[one], self.largest[other], key=_size)
        if (counts - largest > limits).any():
            return False
        self.parents[other] = one
        self.counts[one], self.largest[one] = counts, largest
        return True

    def _root(self, part: int) -> int:
        while self.parents[part] != part:
            self.parents[part] = self.parents[self.parents[part]]
            part = self.parents[part]
        return part
