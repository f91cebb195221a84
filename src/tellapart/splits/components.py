"""Components: pictures that hang together through equal ids, groups, or pairs of likeness."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def components(n: int, *keys: Sequence[Hashable | None]) -> Rows:
    """Return the component [n] of each of n pictures, numbered 0.. by their smallest first key.

    Two pictures hang together where any of `keys` (ids, groups; each of length n) gives them the
    same value, or through others. None hangs together with nothing. The numbers do not depend on
    the order of rows; only components without any first key are numbered, last, as they come.
    """
    links = [_links_of_equal(key) for key in keys]
    found = join(n, np.concatenate([np.empty((0, 2), np.intp), *links]))
    return numbered(found, keys[0]) if keys else found


def join(n: int, links: Rows) -> Rows:
    """Return the connected component [n] of each picture under the links [l, 2]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(n, n))
    _, found = connected_components(graph, directed=False)
    return np.asarray(found, np.intp)


def numbered(found: Rows, keys: Sequence[Hashable | None]) -> Rows:
    """Number components 0.. by the smallest key of their pictures, whatever the order of rows."""
    order = sorted(range(len(found)), key=lambda row: (keys[row] is None, str(keys[row])))
    _, first, inverse = np.unique(found[order], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    out = np.empty(len(found), np.intp)
    out[order] = rank[inverse]
    return out


def links_inside(found: Rows) -> Rows:
    """Return links [l, 2] that join each component's pictures to its first one."""
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    return np.column_stack([first[inverse], np.arange(len(found))])


def _links_of_equal(key: Sequence[Hashable | None]) -> Rows:
    """Link each picture with the first one that has the same value."""
    first: dict[Any, int] = {}
    links = [
        (first[value], row)
        for row, value in enumerate(key)
        if value is not None and first.setdefault(value, row) != row
    ]
    return np.array(links, np.intp).reshape(-1, 2)
