"""The pictures that an int8 network is calibrated on: some of the training pictures, decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.data.pictures import Source
from tellapart.data.sources import read_bytes
from tellapart.engines.quantise import quantised
from tellapart.errors import DataError
from tellapart.images import Shown, look_at
from tellapart.settings import Decoding

MOST_PICTURES = 300  # NNCF's own default; it estimates ranges of activations, which settle early


def int8_backbone(
    backbone: Backbone,
    shown: Sequence[Shown],
    sources: Sequence[Source],
    ids: Sequence[str],
    decoding: Decoding,
    seed: int,
) -> tuple[Backbone, int]:
    """Return the backbone in int8, and the number of pictures it is calibrated on.

    shown         the inputs that it will take, several of three-band composites
    sources, ids  of the training pictures, and of no others: what is calibrated is fitted
    """
    rows = chosen(ids, seed)

    def pixels() -> NDArray[np.uint8]:
        return np.stack([one for row in rows for one in _pixels(sources[row], shown, decoding)])

    return quantised(backbone, [ids[row] for row in rows], pixels), len(rows)


def chosen(ids: Sequence[str], seed: int) -> list[int]:
    """Return the rows of MOST_PICTURES distinct pictures, the same whatever the order of rows."""
    first = {id_: row for row, id_ in reversed(list(enumerate(ids)))}

    def place(id_: str) -> bytes:
        return hashlib.blake2b(f"int8 {seed} {id_}".encode(), digest_size=16).digest()

    return [first[id_] for id_ in sorted(first, key=place)[:MOST_PICTURES]]


def _pixels(
    source: Source, shown: Sequence[Shown], decoding: Decoding
) -> tuple[NDArray[np.uint8], ...]:
    try:
        content = read_bytes(source, decoding.max_file_bytes)
    except OSError as problem:
        raise _changed(str(problem.strerror or problem)) from problem
    seen = look_at(content, shown, decoding=decoding, facts=False)
    if seen.facts.problem:
        raise _changed(seen.facts.problem)
    return seen.pixels


def _changed(reason: str) -> DataError:
    return DataError(
        f"a training picture cannot be read any more ({reason}): run the same command again"
    )
