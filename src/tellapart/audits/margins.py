"""Plain borders round pictures, found and taken off, so that a framed copy is like its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.alignment import Array, hats

FLAT = 2.5  # standard deviation of luma in one row of a border, of 255; JPEG blurs a clean one
SAME = 4.0  # by how much the means of a border's rows may differ
MOST = 0.25  # of the side: a wider plain margin is the picture's own


def trimmed(masters: NDArray[np.uint8]) -> Array:
    """Return [m, side, side] pictures without plain borders, stretched to the old size, 0..255."""
    pictures = masters.astype(np.float32)
    top, bottom = _flat_rows(pictures), _flat_rows(pictures[:, ::-1])
    across = pictures.transpose(0, 2, 1)
    left, right = _flat_rows(across), _flat_rows(across[:, ::-1])
    framed = np.flatnonzero(top + bottom + left + right)
    if len(framed):
        side = pictures.shape[-1]
        rows = _read(top[framed], bottom[framed], side)
        columns = _read(left[framed], right[framed], side)
        pictures[framed] = rows @ pictures[framed] @ columns.transpose(0, 2, 1)
    return pictures


def _flat_rows(pictures: Array) -> NDArray[np.intp]:
    """Return how many rows from the top are plain border, with the row that is half of it; [m]."""
    means, deviations = pictures.mean(2), pictures.std(2)
    flat = (deviations < FLAT) & (np.abs(means - means[:, :1]) < SAME)
    rows = np.where(flat.all(1), 0, flat.argmin(1))
    return np.where((rows > 0) & (rows <= MOST * pictures.shape[-1]), rows + 1, 0)


def _read(before: NDArray[np.intp], after: NDArray[np.intp], side: int) -> Array:
    """Return the weights [m, side, side] that stretch what is left to the whole side."""
    share = (np.arange(side) + 0.5) / side
    places = before[:, None] + share * (side - before - after)[:, None] - 0.5
    return hats(places.astype(np.float32), side)
