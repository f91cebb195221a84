"""Pictures to vectors without the store: what `predict` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.data.pictures import MemorySource, RowSource, Source
from tellapart.data.sources import iterate_bytes, read_bytes
from tellapart.engines import Engine, usable_cores
from tellapart.features.rounding import as_stored
from tellapart.features.stream import Examined, Feed, stream
from tellapart.images import Facts, Transform, look_at
from tellapart.images.budget import Budget
from tellapart.settings import Decoding


@dataclass(frozen=True, slots=True)
class Embedded:
    """One source's vector float32 [d], rounded as the store keeps it; or why there is none."""

    row: int
    id: str
    vector: NDArray[np.float32] | None
    problem: str | None


def embed(
    sources: Sequence[Source | MemorySource],
    engine: Engine,
    transform: Transform,
    decoding: Decoding,
    *,
    threads: int | None = None,
) -> Iterator[Embedded]:
    """Yield every source's vector, in whatever order they become known."""
    budget = Budget()  # shared: large pictures do not add up

    def examine(row: int, data: bytes | OSError | None) -> Examined:
        content = content_of(sources[row], data, decoding)
        if isinstance(content, OSError):
            return Examined(row, Facts(id="", problem=reason(content)), decoded=False)
        seen = look_at(content, transform=transform, decoding=decoding, facts=False, budget=budget)
        return Examined(row, seen.facts, decoded=True, pixels=seen.pixels)

    feed = feed_of(sources, range(len(sources)), decoding)
    for one in stream(feed, examine, engine, min(threads or usable_cores(), len(sources))):
        vector = None if one.vector is None else as_stored(one.vector).astype(np.float32)
        yield Embedded(one.row, one.facts.id, vector, one.facts.problem)


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
