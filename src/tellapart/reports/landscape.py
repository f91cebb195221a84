"""The map of the features: two principal components, and small pictures for the pointer."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TILE = 48  # pixels: the side of a small picture on the sheet
SHEET_QUALITY = 72


def two_components(features: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], float]:
    """Return [m, 2] principal components scaled to -1..1, and the share of variance they hold.

    The sign is fixed (the largest weight is positive), so that equal features give equal maps.
    """
    centred = np.asarray(features, dtype=np.float64)
    centred = centred - centred.mean(axis=0) if len(centred) else centred
    places = np.zeros((len(centred), 2))
    total = float((centred**2).sum())
    if total == 0:
        return places, 0.0
    if len(centred) <= centred.shape[1]:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        found = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        found = centred @ vectors[:, ::-1][:, :2]
    places[:, : found.shape[1]] = found * _signs(found)
    share = float(np.maximum(values[::-1][:2], 0).sum()) / total
    return np.round(places / np.abs(places).max(), 4) + 0.0, min(share, 1.0)


def _signs(found: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)


def tile_sheet(
    ids: Sequence[str], thumbnails: Mapping[str, bytes]
) -> tuple[bytes, list[tuple[int, int, int, int] | None]]:
    """Put small pictures on one JPEG sheet; one file is half the size of a thousand.

    Returns the sheet (b"" where there is no picture) and, for every id, left, top, width and height
    of its tile in pixels, None where no thumbnail is to be had.
    """
    from PIL import Image

    small = {one: _small(thumbnails[one]) for one in dict.fromkeys(ids) if thumbnails.get(one)}
    if not small:
        return b"", [None] * len(ids)
    across = int(np.ceil(np.sqrt(len(small))))
    down = -(-len(small) // across)
    sheet = Image.new("RGB", (across * TILE, down * TILE), "white")
    places: dict[str, tuple[int, int, int, int]] = {}
    for position, (one, tile) in enumerate(small.items()):
        left, top = position % across * TILE, position // across * TILE
        sheet.paste(tile, (left, top))
        places[one] = (left, top, *tile.size)
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=SHEET_QUALITY)
    return written.getvalue(), [places.get(one) for one in ids]


def _small(thumbnail: bytes) -> Any:
    from PIL import Image

    with Image.open(io.BytesIO(thumbnail)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((TILE, TILE))
    return picture
