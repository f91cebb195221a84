"""Pictures to vectors without the store: what `predict` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import MemorySource, RowSource, Source
from tellapart.data.sources import iterate_bytes, read_bytes
from tellapart.engines import usable_cores
from tellapart.features.parts import Ready, joined
from tellapart.features.rounding import as_stored
from tellapart.features.stream import Examined, Feed, stream
from tellapart.images import Facts, look_at
from tellapart.images.budget import Budget
from tellapart.settings import Decoding

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Embedded:
    """One source's vector float32 [d], rounded as the store keeps it; or why there is none."""

    row: int
    id: str
    vector: Vector | None
    problem: str | None


def embed(
    sources: Sequence[Source | MemorySource],
    parts: Sequence[Ready],
    decoding: Decoding,
    *,
    threads: int | None = None,
) -> Iterator[Embedded]:
    """Yield every source's vector, that of all parts, in whatever order they become known."""
    budget = Budget()  # shared: large pictures do not add up
    shown = [one for part in parts for one in part.shown]
    engines = [part.engine for part in parts for _ in part.shown]

    def examine(row: int, data: bytes | OSError | None) -> Examined:
        content = content_of(sources[row], data, decoding)
        if isinstance(content, OSError):
            return Examined(row, Facts(id="", problem=reason(content)), decoded=False)
        seen = look_at(content, shown, decoding=decoding, facts=False, budget=budget)
        return Examined(row, seen.facts, decoded=True, pixels=dict(enumerate(seen.pixels)))

    feed = feed_of(sources, range(len(sources)), decoding)
    for one in stream(feed, examine, engines, min(threads or usable_cores(), len(sources))):
        vector = _joined(parts, one.vectors) if one.vectors else None
        yield Embedded(one.row, one.facts.id, vector, one.facts.problem)


def _joined(parts: Sequence[Ready], vectors: Mapping[int, NDArray[np.float32]]) -> Vector:
    """Return the vector of all parts, each input's own rounded as the store keeps it."""
    rounded = iter([as_stored(vectors[number]) for number in range(len(vectors))])
    own = [[next(rounded).astype(np.float32) for _ in part.shown] for part in parts]
    return joined(own).astype(np.float32, copy=False)


def feed_of(
    sources: Sequence[Source | MemorySource], rows: Sequence[int], decoding: Decoding
) -> Feed:
    """Yield the rows: files for the threads to read, then the bytes of tables' rows."""
    tables: dict[int, RowSource] = {}
    for row in rows:
        source = sources[row]
        if isinstance(source, RowSource):
            tables[row] = source
        else:
            yield row, None
    places = list(tables)
    found = iterate_bytes(list(tables.values()), range(len(tables)), decoding.max_file_bytes)
    for place, content in found:
        yield places[place], content


def content_of(
    source: Source | MemorySource, data: bytes | OSError | None, decoding: Decoding
) -> bytes | OSError:
    """Return a picture's bytes, reading the file where the feed has not."""
    if data is not None:
        return data
    try:
        return read_bytes(source, decoding.max_file_bytes)
    except OSError as problem:
        return problem


def reason(problem: OSError) -> str:
    """Return in words why a file cannot be read."""
    return f"cannot be read: {problem.strerror or problem}"
