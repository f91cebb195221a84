"""Near-duplicates: altered copies of one picture, found on gray pictures of 128 px.

Candidates (candidates.py) are laid over each other (alignment.py) and judged by how well blocks of
them agree. One threshold holds for all picture sets. Everything is worked out in the order of the
ids and in batches of one size, so neither the order of files nor the number of threads matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tellapart.audits import alignment
from tellapart.audits.alignment import ALL_TURNS, UPRIGHT_TURNS, Array, turned
from tellapart.audits.candidates import SMALL_SIDE, candidate_pairs, small_pictures
from tellapart.audits.inputs import COPY
from tellapart.audits.margins import trimmed
from tellapart.engines import usable_cores
from tellapart.progress import Progress, Stage

LIKENESS_VERSION = 2  # raise it whenever the same pictures give other pairs
COPY_SCORE = 0.75
ALIKE = "alike"
ALIKE_SCORE = 0.60
ALIKE_BROADLY = 0.45  # suffices where MANY_BLOCKS agree: the same ground in another year
MANY_BLOCKS = 40  # with texture, of 64
MASTER_SIDE = 128
LEAST_START = 0.40  # correlation below which no turn is followed (1 % quantile of copies: .55)
TURNS_FOLLOWED = 2
LEAST_AT_32 = 0.50  # after refining at 32 px and at 64 px (copies: 0.63 and more)
LEAST_AT_64 = 0.50
STEPS_AT_32, STEPS_AT_64 = 10, 6
NOISE_AT_64, NOISE_AT_128 = 2.0, 4.0  # variance of luma in a block that counts
DETAIL_ALLOWANCE = 0.35  # fine detail (128 px) may agree so much less: resizing blurs it
BATCH = 48  # pairs laid over each other at once: more fall out of the processor's cache
PREPARED = 256  # pictures made ready at once
MOST_PARTNERS = 32  # further pictures that one picture is checked against to complete its clique


@dataclass(frozen=True)
class NearDuplicates:
    """Pairs of near-duplicates in ascending order, p of them.

    pairs   [p, 2] rows, the first below the second
    scores  [p] likeness, ALIKE_BROADLY..1
    kinds   [p] "copy" from COPY_SCORE on, else "alike": look at them (one place, series, layout)
    turns   [p] how the picture of the smaller id was turned to lie on the other: 0 upright, 1..3
            quarter turns against the clock, 4..7 mirrored first
    """

    pairs: NDArray[np.intp]
    scores: NDArray[np.float32]
    kinds: tuple[str, ...]
    turns: NDArray[np.int8]


class Masters(Protocol):
    """Pictures that are read a part at a time: an array, or what reads them from a store."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.uint8]: ...


def find_near_duplicates(
    masters: Masters,
    features: NDArray[np.floating],
    ids: Sequence[str],
    *,
    mirror: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> NearDuplicates:
    """Return pairs of pictures that are one picture: re-encoded, resized, cropped, turned, framed.

    masters   [n, 128, 128] gray, stretched; read in parts, by several threads
    features  [n, d] of any backbone, used to find candidates only
    ids       n different content ids: leave exact copies out
    mirror    False takes mirrored copies for different pictures; turned ones are still found
    threads   None: one a core
    """
    _check(masters, features, ids)
    order = np.array(sorted(range(len(ids)), key=lambda row: ids[row]), dtype=np.intp)
    turns = ALL_TURNS if mirror else UPRIGHT_TURNS
    threads = threads or usable_cores()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as workers:
        pictures = _prepare(masters, order, workers)
        ordered = features if (order[1:] > order[:-1]).all() else features[order]
        pairs = _candidates(pictures, ordered, turns, workers, threads)
        found = _find(pictures, pairs, turns, workers, progress or Progress())
    return _in_rows_of(found, order)


def _check(masters: Masters, features: NDArray[np.floating], ids: Sequence[str]) -> None:
    if masters.shape != (len(ids), MASTER_SIDE, MASTER_SIDE) or len(features) != len(ids):
        raise ValueError(
            f"{len(ids)} ids, masters {masters.shape} and features {features.shape} do not match"
        )
    if len(set(ids)) != len(ids):
        raise ValueError("ids repeat: leave exact copies out")


class _Pictures(NamedTuple):
    """The pictures in the order of their ids; `start` [n, 32, 32], `small` [n, 2, 8, 8]."""

    masters: Masters
    order: NDArray[np.intp]
    start: NDArray[np.float16]
    small: NDArray[np.float16]

    def trimmed(self, places: NDArray[np.intp]) -> Array:
        return trimmed(self.masters[self.order[places]])


def _prepare(masters: Masters, order: NDArray[np.intp], workers: Executor) -> _Pictures:
    start = np.empty((len(order), alignment.START_SIDE, alignment.START_SIDE), np.float16)
    small = np.empty((len(order), 2, SMALL_SIDE, SMALL_SIDE), np.float16)

    def prepare(at: int) -> None:
        part = slice(at, at + PREPARED)
        pictures = trimmed(masters[order[part]])
        small[part] = small_pictures(pictures)
        start[part] = alignment.halved(alignment.locally_normalised(alignment.halved(pictures)))

    list(workers.map(prepare, range(0, len(order), PREPARED)))
    return _Pictures(masters, order, start, small)


class _Laid(NamedTuple):
    """Pairs that lie on each other: places [m, 2], score and turn of each."""

    pairs: NDArray[np.intp]
    scores: Array
    turns: NDArray[np.int8]


NOTHING = _Laid(np.empty((0, 2), np.intp), np.empty(0, np.float32), np.empty(0, np.int8))


def _candidates(
    pictures: _Pictures,
    features: NDArray[np.floating],
    turns: tuple[int, ...],
    workers: Executor,
    threads: int,
) -> NDArray[np.intp]:
    if len(features) < 2:
        return np.empty((0, 2), np.intp)
    return candidate_pairs(pictures.small, features, turns, workers, threads)


def _find(
    pictures: _Pictures,
    pairs: NDArray[np.intp],
    turns: tuple[int, ...],
    workers: Executor,
    progress: Progress,
) -> _Laid:
    """Return the pairs that lie on each other: candidates, then what completes cliques."""
    checked = pairs
    with progress.stage("near-duplicates", len(pairs), "pairs") as stage:
        found = _joined(_lay_all(pictures, pairs, turns, workers, stage))
        while len(more := _missing_links(found, checked, len(pictures.order))):
            checked = np.concatenate([checked, more])
            found = _joined([found, *_lay_all(pictures, more, turns, workers, None)])
    return found


def _lay_all(
    pictures: _Pictures,
    pairs: NDArray[np.intp],
    turns: tuple[int, ...],
    workers: Executor,
    stage: Stage | None,
) -> Iterator[_Laid]:
    """Yield what lies on each other, a batch of pairs at a time; `stage` counts the pairs."""
    batches = list(_batches(pairs))
    laid = workers.map(lambda batch: _lay(pictures, batch, turns), batches)
    for batch, part in zip(batches, laid, strict=True):
        if stage is not None:
            stage.advance(len(batch))
        yield part


def _batches(pairs: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for at in range(0, len(pairs), BATCH):
        yield pairs[at : at + BATCH]


def _joined(parts: Iterable[_Laid]) -> _Laid:
    return _Laid(*(np.concatenate(columns) for columns in zip(NOTHING, *parts, strict=True)))


class _Followed(NamedTuple):
    """Pairs in one turn each, m of them, with the placement found so far."""

    pairs: NDArray[np.intp]
    turns: NDArray[np.intp]
    placements: Array

    def kept(self, which: NDArray[np.bool_]) -> _Followed:
        return _Followed(self.pairs[which], self.turns[which], self.placements[which])


def _lay(pictures: _Pictures, pairs: NDArray[np.intp], turns: tuple[int, ...]) -> _Laid:
    """Lay the pairs over each other, ever finer, and keep those that are at least alike."""
    followed = _started(pictures, pairs, turns)
    one = _turned(pictures.start[followed.pairs[:, 0]].astype(np.float32), followed.turns)
    other = pictures.start[followed.pairs[:, 1]].astype(np.float32)
    followed = _refined(followed, one, other, STEPS_AT_32, LEAST_AT_32)
    if not len(followed.pairs):
        return NOTHING
    return _judged(pictures, followed)


def _started(pictures: _Pictures, pairs: NDArray[np.intp], turns: tuple[int, ...]) -> _Followed:
    """Return the pairs in the turns that are worth following."""
    first, rows_of_first = np.unique(pairs[:, 0], return_inverse=True)
    second, rows_of_second = np.unique(pairs[:, 1], return_inverse=True)
    found = alignment.start(
        pictures.start[first].astype(np.float32),
        pictures.start[second].astype(np.float32),
        np.stack([rows_of_first, rows_of_second], 1),
        turns,
    )
    best = np.argsort(-found.likeness, axis=1, kind="stable")[:, :TURNS_FOLLOWED]
    rows, ranks = np.nonzero(np.take_along_axis(found.likeness, best, 1) >= LEAST_START)
    chosen = best[rows, ranks]
    return _Followed(pairs[rows], np.asarray(turns)[chosen], found.placements[rows, chosen])


def _refined(followed: _Followed, one: Array, other: Array, steps: int, least: float) -> _Followed:
    """Return the pairs with better placements, less those that do not correlate even so."""
    if not len(followed.pairs):
        return followed
    placements = alignment.refine(one, other, followed.placements, steps)
    alike = alignment.correlation(one, other, placements) >= least
    return followed._replace(placements=placements).kept(alike)


def _judged(pictures: _Pictures, followed: _Followed) -> _Laid:
    """Refine at 64 px, then score; of a pair's turns the best one counts."""
    places, rows = np.unique(followed.pairs, return_inverse=True)
    followed = followed._replace(pairs=rows.reshape(-1, 2))
    at_128 = pictures.trimmed(places)
    at_64 = alignment.halved(at_128)
    one, other = _sides(alignment.locally_normalised(at_64), followed)
    followed = _refined(followed, one, other, STEPS_AT_64, LEAST_AT_64)
    if not len(followed.pairs):
        return NOTHING
    scores = _scores(at_64, at_128, followed)
    best = np.lexsort((followed.turns, -scores, followed.pairs[:, 1], followed.pairs[:, 0]))
    best = best[scores[best] > 0]
    _, firsts = np.unique(followed.pairs[best], axis=0, return_index=True)
    kept = best[firsts]
    return _Laid(places[followed.pairs[kept]], scores[kept], followed.turns[kept].astype(np.int8))


def _scores(at_64: Array, at_128: Array, followed: _Followed) -> Array:
    """Return the agreement [m] at 64 px, bounded by that of the details (128 px); 0: not alike."""
    coarse, fine = (
        alignment.agreement(
            *_sides(alignment.high_passed(pictures), followed), followed.placements, noise
        )
        for pictures, noise in ((at_64, NOISE_AT_64), (at_128, NOISE_AT_128))
    )
    scores = np.minimum(coarse.scores, fine.scores + np.float32(DETAIL_ALLOWANCE))
    least = np.where(coarse.blocks >= MANY_BLOCKS, ALIKE_BROADLY, ALIKE_SCORE)
    return np.asarray(scores * (scores >= least))


def _sides(pictures: Array, followed: _Followed) -> tuple[Array, Array]:
    """Return the first pictures of the pairs, turned, and the second ones."""
    first, second = followed.pairs.T
    return _turned(pictures[first], followed.turns), pictures[second]


def _turned(pictures: Array, turns: NDArray[np.intp]) -> Array:
    result = np.empty_like(pictures)
    for turn in np.unique(turns):
        which = turns == turn
        result[which] = turned(pictures[which], int(turn))
    return result


def _missing_links(found: _Laid, checked: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return unchecked pairs whose pictures are both copies of a third, in ascending order.

    A picture meets at most MOST_PARTNERS others here, so that a thousand copies of one picture
    do not make half a million pairs.
    """
    beside: dict[int, list[int]] = {}
    for a, b in found.pairs[found.scores >= COPY_SCORE].tolist():
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    missing: set[tuple[int, int]] = set()
    for partners in beside.values():
        missing.update(combinations(sorted(partners)[:MOST_PARTNERS], 2))
    wanted = np.array(sorted(missing), dtype=np.intp).reshape(-1, 2)
    new = ~np.isin(wanted @ (count, 1), checked @ (count, 1))
    return np.asarray(wanted[new], dtype=np.intp)


def _in_rows_of(found: _Laid, order: NDArray[np.intp]) -> NearDuplicates:
    """Return what was found by the caller's rows, pairs ascending."""
    pairs = np.sort(order[found.pairs], axis=1)
    by_row = np.lexsort((pairs[:, 1], pairs[:, 0]))
    scores = found.scores[by_row]
    kinds = tuple(COPY if score >= COPY_SCORE else ALIKE for score in scores.tolist())
    return NearDuplicates(pairs[by_row], scores, kinds, found.turns[by_row])
