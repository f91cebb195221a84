"""Pictures to vectors through the store, without facts: what the scikit-learn estimators do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.data.pictures import FileSource, MemorySource, Source
from tellapart.engines import Engine
from tellapart.features.database import DamagedDatabase
from tellapart.features.embed import Embedded, embed
from tellapart.features.look import MOST_MENDED, WRITE_AT, vectors_key
from tellapart.features.parts import Part, Ready
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
    backbone: Backbone,
    engine: Engine,
    decoding: Decoding,
    cache: Cache,
) -> Vectors:
    """Return every source's vector, computing and keeping only those that the cache lacks.

    The vectors are those that `look` keeps: a run and an estimator share them.
    """
    for _ in range(MOST_MENDED):
        try:
            return _embed_kept(sources, backbone, engine, decoding, cache)
        except DamagedDatabase:  # mended by now; what it held is computed again
            continue
    return _embed_kept(sources, backbone, engine, decoding, cache)


def _embed_kept(
    sources: Sequence[Source | MemorySource], backbone: Backbone, engine: Engine,
    decoding: Decoding, cache: Cache,
) -> Vectors:  # fmt: skip
    ready = Ready(Part(backbone).shown(), engine)
    key = vectors_key(backbone, ready.shown[0], engine, decoding)
    states = _states(sources)
    ids = _known_ids(sources, states, cache)
    have = cache.ids_with_vectors(key)
    todo = _first_of_each([row for row, id_ in enumerate(ids) if id_ not in have], ids)
    problems: dict[str | int, str] = {}
    waiting: list[Embedded] = []
    for one in embed([sources[row] for row in todo], [ready], decoding):
        row = todo[one.row]
        ids[row] = one.id
        if one.vector is None:
            problems[one.id or row] = one.problem or "no features"
            continue
        waiting.append(one)
        if len(waiting) == WRITE_AT:
            _keep(waiting, key, cache)
            waiting = []
    _keep(waiting, key, cache)
    cache.save_files(_files(sources, ids, states))
    return _gather(ids, problems, key, backbone.features, cache)


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


def _keep(found: list[Embedded], key: str, cache: Cache) -> None:
    vectors = {one.id: as_stored(one.vector) for one in found if one.vector is not None}
    if vectors:
        cache.save_vectors(key, vectors)


def _gather(
    ids: list[str], problems: dict[str | int, str], key: str, d: int, cache: Cache
) -> Vectors:
    bad = {
        row: problem
        for row, id_ in enumerate(ids)
        if (problem := problems.get(id_ or row)) is not None
    }
    good = [row for row in range(len(ids)) if row not in bad]
    features = np.full((len(ids), d), np.nan, np.float32)
    features[good] = cache.load_vectors(key, [ids[row] for row in good], d)
    return Vectors(tuple(ids), features, bad)
