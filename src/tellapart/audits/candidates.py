"""Which pairs of pictures are worth laying over each other: the nearest few of each picture.

By features (centred, cosine) and by small gray pictures in every turn, the whole or the inner part
of either. Up to INDEXED_ABOVE pictures by all products, in chunks, so that memory grows with the
pictures and not with their square; above through an index (indexed.py), so that time does not
either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.alignment import Array, turned, unit
from tellapart.audits.indexed import Vectors, build_index, nearest_in

NEAREST = 5  # by features, and as many by small pictures
SMALL_SIDE = 8  # found copies as well as 16, in a quarter of the time
INNER = 1 / 16  # of the side is left off all round for the inner part
QUERIES = 1024  # rows in one product of matrices
AGAINST = 8_192  # and columns: 32 MB of likenesses
INDEXED_ABOVE = 100_000  # pictures; all products of so many take some 10 minutes

Rows = slice
Likeness = Callable[[Rows, Rows], Array]


def small_pictures(pictures: Array) -> NDArray[np.float16]:
    """Return [m, 2, 8, 8]: the whole and the inner part of [m, side, side] pictures."""
    side = pictures.shape[-1]
    edge = round(INNER * side)
    parts = (pictures, pictures[:, edge : side - edge, edge : side - edge])
    return np.stack([_reduced(part) for part in parts], 1).astype(np.float16)


def _reduced(pictures: Array) -> Array:
    size = pictures.shape[-1] // SMALL_SIDE
    cells = pictures.reshape(-1, SMALL_SIDE, size, SMALL_SIDE, size)
    return np.asarray(cells.mean((2, 4)))


def candidate_pairs(
    small: NDArray[np.float16],
    features: NDArray[np.floating],
    turns: Sequence[int],
    workers: Executor,
    threads: int,
) -> NDArray[np.intp]:
    """Return [p, 2] pairs of rows in ascending order, the first below the second.

    small     [n, 2, 8, 8] as small_pictures returns them
    features  [n, d]

    Raises MissingExtra above INDEXED_ABOVE rows where usearch is not installed.
    """
    count = len(small)
    if count > INDEXED_ABOVE:
        found = _through_indexes(small, features, turns, threads)
    else:
        ways: list[Likeness] = [_by_features(features), _by_pictures(small, turns)]
        tasks = [(way, slice(at, at + QUERIES)) for way in ways for at in range(0, count, QUERIES)]
        found = list(workers.map(lambda task: _nearest(task[0], task[1], count), tasks))
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs, axis=0)


def _through_indexes(
    small: NDArray[np.float16], features: NDArray[np.floating], turns: Sequence[int], threads: int
) -> list[NDArray[np.intp]]:
    """Return the nearest of each row by features, and by small pictures; one index at a time."""
    count = len(small)
    vectors = _centred(features)
    by_features = nearest_in([(build_index(vectors, count), vectors)], count, NEAREST, threads)

    def part(which: int, turn: int = 0) -> Vectors:
        return lambda rows: _flat(turned(small[rows, which], turn))

    whole, inner = (build_index(part(which), count) for which in (0, 1))
    asked = [
        one
        for turn in turns
        for one in ((whole, part(0, turn)), (inner, part(0, turn)), (whole, part(1, turn)))
    ]
    return [by_features, nearest_in(asked, count, NEAREST, threads)]


def _by_features(features: NDArray[np.floating]) -> Likeness:
    vectors = _centred(features)
    return lambda rows, columns: vectors(rows) @ vectors(columns).T


def _centred(features: NDArray[np.floating]) -> Vectors:
    """Return rows -> their features less the mean, of length 1."""
    mean = features.mean(0, dtype=np.float64).astype(np.float32)

    def vectors(rows: Rows) -> Array:
        centred = features[rows].astype(np.float32) - mean
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.maximum(length, 1e-6), dtype=np.float32)

    return vectors


def _by_pictures(small: NDArray[np.float16], turns: Sequence[int]) -> Likeness:
    def likeness(rows: Rows, columns: Rows) -> Array:
        whole, inner = (_flat(small[columns, part]).T for part in (0, 1))
        best = np.full((len(small[rows]), whole.shape[1]), -1, np.float32)
        for turn in turns:
            query, inner_query = (_flat(turned(small[rows, part], turn)) for part in (0, 1))
            for one, other in ((query, whole), (query, inner), (inner_query, whole)):
                np.maximum(best, one @ other, out=best)
        return best

    return likeness


def _flat(small: NDArray[np.floating]) -> Array:
    return unit(small.reshape(len(small), -1).astype(np.float32))


def _nearest(likeness: Likeness, rows: Rows, count: int) -> NDArray[np.intp]:
    """Return [q * NEAREST, 2] pairs: each row with the NEAREST most like it, itself left out."""
    queries = np.arange(count)[rows]
    values, places = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.intp)
    for at in range(0, count, AGAINST):
        block = likeness(rows, slice(at, min(at + AGAINST, count)))
        own = (queries >= at) & (queries < at + AGAINST)
        block[own, queries[own] - at] = -np.inf
        values = np.concatenate([values, block], 1)
        columns = np.broadcast_to(np.arange(at, at + block.shape[1]), block.shape)
        places = np.concatenate([places, columns], 1)
        if values.shape[1] > NEAREST:
            best = np.argpartition(-values, NEAREST - 1, axis=1)[:, :NEAREST]
            values = np.take_along_axis(values, best, 1)
            places = np.take_along_axis(places, best, 1)
    pairs = np.stack([np.broadcast_to(queries[:, None], places.shape), places], -1)
    return pairs[np.isfinite(values)]
