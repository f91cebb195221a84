"""Candidates among very many pictures: nearest neighbours from an index (usearch) in place of all
products. Needs the extra [large].

The index is a graph (Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search
using hierarchical navigable small world graphs", 2018): it finds nearly all of what products find.
It is built by one thread in the order of the rows, so what it finds depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.alignment import Array
from tellapart.optional import import_openvino, need

ROWS = 1024  # added or asked for at once

Vectors = Callable[[slice], Array]  # rows -> float32 [q, d] of length 1


def need_index() -> Any:
    """Import usearch's index, or raise MissingExtra with the install line.

    OpenVINO comes first: imported after usearch (2.26 and 2026.4 were tried) it loads no network.
    """
    import_openvino()
    return need("usearch.index", "large").Index


def build_index(vectors: Vectors, count: int) -> Any:
    """Return an index over the rows 0..count-1 of `vectors`, by their products."""
    width = vectors(slice(0, 1)).shape[1]
    index = need_index()(ndim=width, metric="ip", dtype="f16")
    for at in range(0, count, ROWS):
        part = vectors(slice(at, at + ROWS))
        index.add(np.arange(at, at + len(part), dtype=np.uint64), part, threads=1)
    return index


def nearest_in(
    asked: Sequence[tuple[Any, Vectors]], count: int, nearest: int, threads: int
) -> NDArray[np.intp]:
    """Return [p, 2] pairs: each row with the `nearest` rows most like it in any way of asking.

    asked  an index and the vectors that its neighbours are looked for, once a way
    """
    found = []
    for at in range(0, count, ROWS):
        rows = np.arange(at, min(at + ROWS, count))
        keys, products = [], []
        for index, vectors in asked:
            matches = index.search(vectors(slice(at, at + ROWS)), nearest + 1, threads=threads)
            keys.append(np.asarray(matches.keys, dtype=np.intp))
            products.append(1 - np.asarray(matches.distances, dtype=np.float32))
        found.append(_best(rows, np.concatenate(keys, 1), np.concatenate(products, 1), nearest))
    return np.concatenate(found)


def _best(
    rows: NDArray[np.intp], keys: NDArray[np.intp], products: Array, nearest: int
) -> NDArray[np.intp]:
    """Return [p, 2]: rows with the `nearest` different keys of the largest products."""
    asking = np.repeat(rows, keys.shape[1])
    flat, likeness = keys.ravel(), products.ravel()
    kept = flat != asking
    asking, flat, likeness = asking[kept], flat[kept], likeness[kept]
    order = np.lexsort((-likeness, flat, asking))
    pairs, first = np.unique(np.stack([asking, flat], 1)[order], axis=0, return_index=True)
    likeness = likeness[order][first]
    order = np.lexsort((pairs[:, 1], -likeness, pairs[:, 0]))
    pairs = pairs[order]
    starts = np.searchsorted(pairs[:, 0], pairs[:, 0])
    return np.asarray(pairs[np.arange(len(pairs)) - starts < nearest], dtype=np.intp)
