"""Components: pictures that hang together through equal ids, groups, or pairs of likeness."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def components(n: int, *keys: Sequence[Hashable | None]) -> NDArray[np.intp]:
    """Return the component [n] of each of n pictures, numbered 0.. in order of first appearance.

    Two pictures hang together where any of `keys` (ids, groups; each of length n) gives them the
    same value, or through others. None hangs together with nothing.
    """
    links = [_links_of_equal(key) for key in keys]
    return join(n, np.concatenate([np.empty((0, 2), np.intp), *links]))


def join(n: int, links: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the connected component [n] of each picture under the links [l, 2]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    return _by_first_appearance(found)


def _links_of_equal(key: Sequence[Hashable | None]) -> NDArray[np.intp]:
    """Link each picture with the first one that has the same value."""
    first: dict[Any, int] = {}
    links = [
        (first[value], row)
        for row, value in enumerate(key)
        if value is not None and first.setdefault(value, row) != row
    ]
    return np.array(links, np.intp).reshape(-1, 2)


def _by_first_appearance(found: NDArray[Any]) -> NDArray[np.intp]:
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
