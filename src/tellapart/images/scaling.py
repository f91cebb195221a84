"""Pixel values of any type to 8 bits, by rules that depend on the picture as little as they can.

- 8 bits and booleans: as they are.
- Whole numbers from 0 to 65,535: the range is the smallest of 8, 10, 12, 14 and 16 bits that holds
  the largest value, 0 stays black and the range's top becomes white. Cameras, scanners and X-ray
  machines keep 10 to 14 bits in 16; a fixed division by 257 would turn those pictures black, and
  stretching each picture between its own ends would undo every difference in brightness. A picture
  that uses its 16 bits is divided by 257.
- Other whole numbers: stretched from the smallest to the largest value.
- Floats: 0..1 times 255; else 0..255 as they are; else stretched between the finite ends. Pixels
  that are not finite become black.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.images.problems import ImageProblem

RANGES_IN_BITS = (8, 10, 12, 14, 16)
_BLOCK = 1_000_000  # values that are held as float64 at a time


def to_uint8(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    """Return `values` as uint8 of the same shape, and what was done in words ("" for 8 bits).

    All bands of a picture are scaled together. Raises ImageProblem where no pixel is finite or
    the type is no number.
    """
    if values.dtype == np.uint8:
        return values, ""
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), ""
    if values.dtype.kind in "ui":
        return _from_integers(values)
    if values.dtype.kind == "f":
        return _from_floats(values)
    raise ImageProblem("unreadable", f"pixels of the type {values.dtype} are not read")


def _from_integers(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65_535:
        return _stretched(values, low, high), f"values from {low} to {high} stretched to 8 bits"
    bits = next(bits for bits in RANGES_IN_BITS if high < 2**bits)
    top = 2**bits - 1
    table = np.round(np.arange(top + 1) * (255 / top)).astype(np.uint8)
    return table[values], f"values up to {high:,} read as {bits} bits" if bits > 8 else ""


def _from_floats(values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    finite = np.isfinite(values)
    count = int(finite.sum())
    if not count:
        raise ImageProblem("unreadable", "none of its pixels is a finite number")
    rest = values.size - count
    note = f"; {rest:,} values that are not finite became black" if rest else ""
    if rest:
        values = np.where(finite, values, values[finite].min())
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        pixels, how = _stretched(values, 0.0, 1.0), "float values 0 to 1 read as 8 bits"
    elif low >= 0 and high <= 255:
        pixels, how = _stretched(values, 0.0, 255.0), "float values 0 to 255 read as 8 bits"
    else:
        pixels = _stretched(values, low, high)
        how = f"float values from {low:g} to {high:g} stretched to 8 bits"
    if rest:
        pixels[~finite] = 0
    return pixels, how + note


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    span = high / 2 - low / 2  # halves, because the whole may overflow
    if span <= 0:
        return np.zeros(values.shape, np.uint8)
    pixels = np.empty(values.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, values[0].size))
    for start in range(0, len(values), rows):
        # float64: a span of 32-bit numbers, or the ends of float32, would overflow in float32
        block = values[start : start + rows].astype(np.float64)
        pixels[start : start + rows] = np.round((block / 2 - low / 2) / span * 255)
    return pixels
