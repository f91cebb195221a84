"""Pictures to vectors through the store, without facts: what the scikit-learn estimators do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.data.pictures import FileSource, MemorySource, Source
from tellapart.engines import Engine
from tellapart.features.database import DamagedDatabase
from tellapart.features.embed import Embedded, embed
from tellapart.features.look import MOST_MENDED, WRITE_AT, vectors_key
from tellapart.features.parts import Ready, Recipe
from tellapart.features.rounding import as_stored
from tellapart.features.store import Cache, FileState, file_state
from tellapart.images import picture_id
from tellapart.settings import Decoding


@dataclass(frozen=True)
class Vectors:
    """What came of n sources.

    ids       "" where no bytes could be read
    features  float32 [n, d], rounded as the store keeps them; NaN where there is a problem
    problems  row -> why it has no vector, in ascending order of rows
    """

    ids: tuple[str, ...]
    features: NDArray[np.float32]
    problems: dict[int, str]


def embed_kept(
    sources: Sequence[Source | MemorySource],
    recipe: Recipe,
    engines: Mapping[Backbone, Engine],
    decoding: Decoding,
    cache: Cache,
) -> Vectors:
    """Return every source's vector, computing and keeping only those that the cache lacks.

    recipe   parts of one view each, whose vectors stand side by side
    engines  what runs each of their backbones

    The vectors are those that `look` keeps: a run and an estimator share them.
    """
    for _ in range(MOST_MENDED):
        try:
            return _embed_kept(sources, recipe, engines, decoding, cache)
        except DamagedDatabase:  # mended by now; what it held is computed again
            continue
    return _embed_kept(sources, recipe, engines, decoding, cache)


def _embed_kept(
    sources: Sequence[Source | MemorySource], recipe: Recipe, engines: Mapping[Backbone, Engine],
    decoding: Decoding, cache: Cache,
) -> Vectors:  # fmt: skip
    parts = [Ready(part.shown(), engines[part.backbone]) for part in recipe]
    widths = {  # by the key under which the part's vectors are kept
        vectors_key(part.backbone, ready.shown[0], ready.engine, decoding): part.backbone.features
        for part, ready in zip(recipe, parts, strict=True)
    }
    states = _states(sources)
    ids = _known_ids(sources, states, cache)
    have = set.intersection(*map(cache.ids_with_vectors, widths))
    todo = _first_of_each([row for row, id_ in enumerate(ids) if id_ not in have], ids)
    problems: dict[str | int, str] = {}
    waiting: list[Embedded] = []
    for one in embed([sources[row] for row in todo], parts, decoding):
        row = todo[one.row]
        ids[row] = one.id
        if one.vector is None:
            problems[one.id or row] = one.problem or "no features"
            continue
        waiting.append(one)
        if len(waiting) == WRITE_AT:
            _keep(waiting, widths, cache)
            waiting = []
    _keep(waiting, widths, cache)
    cache.save_files(_files(sources, ids, states))
    return _gather(ids, problems, widths, cache)


def _files(
    sources: Sequence[Source | MemorySource], ids: list[str], states: dict[str, FileState]
) -> list[tuple[str, FileState, str]]:
    return [
        (source.file, states[source.file], ids[row])
        for row, source in enumerate(sources)
        if ids[row] and isinstance(source, FileSource) and source.file in states
    ]


def _states(sources: Sequence[Source | MemorySource]) -> dict[str, FileState]:
    """Return what tells each file's version, taken before it is read."""
    files = {source.file for source in sources if isinstance(source, FileSource)}
    return {file: state for file in files if (state := file_state(file))}


def _known_ids(
    sources: Sequence[Source | MemorySource], states: dict[str, FileState], cache: Cache
) -> list[str]:
    """Return the ids that are known without reading a file; "" where one is not."""
    found = cache.known_ids(states)
    return [
        picture_id(source.content)
        if isinstance(source, MemorySource)
        else found.get(source.file, "")
        if isinstance(source, FileSource)
        else ""
        for source in sources
    ]


def _first_of_each(rows: list[int], ids: list[str]) -> list[int]:
    """Return the rows without those whose known id an earlier one has."""
    first = {ids[row] or row: row for row in reversed(rows)}
    return sorted(first.values())


def _keep(found: list[Embedded], widths: Mapping[str, int], cache: Cache) -> None:
    vectors = {one.id: one.vector for one in found if one.vector is not None}
    start = 0
    for key, width in widths.items():
        columns = slice(start, start + width)
        own = {id_: as_stored(vector[columns]) for id_, vector in vectors.items()}
        if own:
            cache.save_vectors(key, own)
        start += width


def _gather(
    ids: list[str], problems: dict[str | int, str], widths: Mapping[str, int], cache: Cache
) -> Vectors:
    bad = {
        row: problem
        for row, id_ in enumerate(ids)
        if (problem := problems.get(id_ or row)) is not None
    }
    good = [row for row in range(len(ids)) if row not in bad]
    known = [ids[row] for row in good]
    features = np.full((len(ids), sum(widths.values())), np.nan, np.float32)
    features[good] = np.concatenate(
        [cache.load_vectors(key, known, width) for key, width in widths.items()], axis=1
    )
    return Vectors(tuple(ids), features, bad)
