"""How long a picture takes, from its file to its features."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tellapart.data.pictures import Source
from tellapart.features.embed import embed
from tellapart.features.parts import Ready
from tellapart.settings import Decoding

TIMED = 48  # pictures that are timed


def seconds_a_picture(
    sources: Sequence[Source], ways: Sequence[Sequence[Ready]], decoding: Decoding
) -> tuple[float, ...]:
    """Return the seconds that a picture takes in each of several ways, of parts that can run.

    Measured on the first TIMED sources, after all ways have been gone through once, so that files
    and networks are in memory.
    """
    some = sources[:TIMED]
    for parts in ways:
        _once(some, parts, decoding)
    return tuple(_once(some, parts, decoding) for parts in ways)


def _once(sources: Sequence[Source], parts: Sequence[Ready], decoding: Decoding) -> float:
    began = time.perf_counter()
    for _ in embed(sources, parts, decoding):
        pass
    return (time.perf_counter() - began) / len(sources)
