"""Lay one gray picture over another, turned, scaled and shifted, and say how well they agree.

Pictures are batches [m, side, side] of float32. A placement is four numbers (scale x, shift x,
scale y, shift y): the point u of the first picture (-1..1 from edge to edge, pixel centres inside)
lies at scale * u + shift of the second. A turn is 0..7: quarter turns against the clock (turn % 4),
of the mirrored picture from 4 on.

The way (start by sliding, robust Gauss-Newton, agreement in blocks of high-passed pictures) follows
B. D. Lucas and T. Kanade, "An iterative image registration technique" (1981); robust weights are
Geman and McClure's. The constants were chosen on planted copies in four real picture sets
(benchmarks/audit.py measures them on fresh ones).
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]
Pixel = TypeVar("Pixel", bound=np.generic)

UPRIGHT_TURNS = (0, 1, 2, 3)
ALL_TURNS = (0, 1, 2, 3, 4, 5, 6, 7)
START_SIDE = 32
SCALES = (0.76, 0.81, 0.87, 0.93, 1.0, 1.07, 1.15, 1.23, 1.32)
WINDOW = 22  # of START_SIDE px: what slides; the rest is room for shifts
OUTLIER = 0.7  # residual, in local standard deviations, at which a pixel's weight is a quarter
LARGEST_STEP = 0.15  # of a placement's numbers in one Gauss-Newton step
SCALE_RANGE = (0.6, 1.6)
SHIFT_RANGE = (-0.6, 0.6)
LEAST_OVERLAP = 0.54  # of the area of either picture (two crops of 15 % and 10 % leave 0.58)
LEAST_BLOCKS = 6  # with texture, of 64
BLOCKS = 8  # along a side


class Start(NamedTuple):
    """Where sliding found each of m pairs most alike, turn by turn.

    likeness    [m, turns] correlation, -1..1
    placements  [m, turns, 4]
    """

    likeness: Array
    placements: Array


def smoothing(side: int, sigma: float) -> Array:
    """Return the [side, side] matrix that smooths columns by a Gaussian, fair at the edges."""
    place = np.arange(side)
    weights = np.exp(-0.5 * ((place[:, None] - place[None]) / sigma) ** 2)
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32)


_WIDE = smoothing(64, 6.0)
_FINE = {64: smoothing(64, 2.0), 128: smoothing(128, 4.0)}


def halved(pictures: Array) -> Array:
    """Return pictures of half the side, each pixel the mean of four."""
    upper, lower = pictures[:, ::2], pictures[:, 1::2]
    total = upper[..., ::2] + upper[..., 1::2] + lower[..., ::2] + lower[..., 1::2]
    return np.asarray(total * np.float32(0.25))


def locally_normalised(pictures: Array) -> Array:
    """Return 64 px pictures less their local mean, in units of the local standard deviation."""
    mean = _WIDE @ pictures @ _WIDE.T
    variance = _WIDE @ (pictures * pictures) @ _WIDE.T - mean * mean
    deviation = np.sqrt(np.maximum(variance, 0, dtype=np.float32))
    return np.asarray((pictures - mean) / (deviation + np.float32(4)))


def high_passed(pictures: Array) -> Array:
    """Return 64 or 128 px pictures less what is smooth over 3 % of their side."""
    smooth = _FINE[pictures.shape[-1]]
    return np.asarray(pictures - smooth @ pictures @ smooth.T)


def turned(pictures: NDArray[Pixel], turn: int) -> NDArray[Pixel]:
    """Return the pictures (last two axes) turned: mirrored from 4 on, then turn % 4 quarters."""
    seen = pictures[..., ::-1] if turn >= 4 else pictures
    return cast("NDArray[Pixel]", np.rot90(seen, turn % 4, axes=(-2, -1)))


def hats(places: Array, side: int) -> Array:
    """Return the weights [..., side] by which a row of pixels is read between them, at `places`."""
    reach = np.abs(places[..., None] - np.arange(side, dtype=np.float32))
    return np.asarray(np.maximum(0, 1 - reach), dtype=np.float32)


def _between(down: Array, pictures: Array, across: Array) -> Array:
    """Return the pictures read between their pixels, by the weights of rows and of columns."""
    return np.asarray(down @ pictures @ across.swapaxes(-1, -2), dtype=np.float32)


def unit(vectors: Array) -> Array:
    """Return the vectors (last axis) less their mean, of length 1 (0 where they were constant)."""
    centred = vectors - vectors.mean(-1, keepdims=True)
    length = np.sqrt(np.einsum("...i,...i->...", centred, centred))[..., None]
    return np.asarray(centred / (length + np.float32(1e-6)))


_FROM_CENTRE = np.arange(WINDOW, dtype=np.float32) - np.float32((WINDOW - 1) / 2)
_MIDDLE = (START_SIDE - 1) / 2
_CUTS = np.stack([hats(_FROM_CENTRE / np.float32(s) + np.float32(_MIDDLE), 32) for s in SCALES])


def start(first: Array, second: Array, pairs: NDArray[np.intp], turns: tuple[int, ...]) -> Start:
    """Slide the middle of pictures over others: every turn, SCALES, shifts of whole pixels.

    first, second  [a, 32, 32] and [b, 32, 32], locally normalised
    pairs          [m, 2] rows of first and of second
    """
    middles = _between(_CUTS, first[:, None], _CUTS)
    views = np.stack([turned(middles, turn) for turn in turns], axis=1)
    templates = unit(views.reshape(len(first), len(turns) * len(SCALES), WINDOW**2))
    windows = sliding_window_view(second, (WINDOW, WINDOW), axis=(1, 2))
    shifts = windows.shape[1]
    spots = unit(np.ascontiguousarray(windows).reshape(len(second), shifts**2, WINDOW**2))
    found = np.stack([templates[a] @ spots[b].T for a, b in pairs])
    found = found.reshape(len(pairs), len(turns), -1)
    best = found.argmax(-1)
    likeness = np.take_along_axis(found, best[..., None], -1)[..., 0]
    scale = np.asarray(SCALES, np.float32)[best // shifts**2]
    offset = (WINDOW - 1) / 2 - _MIDDLE
    down, right = (best // shifts) % shifts + offset, best % shifts + offset
    half = START_SIDE / 2
    placements = np.stack([scale, right / half, scale, down / half], -1).astype(np.float32)
    return Start(likeness, placements)


class _Reading(NamedTuple):
    """How the second pictures are read: weights [m, side, side] and what lies inside them."""

    across: Array
    down: Array
    inside_across: NDArray[np.bool_]
    inside_down: NDArray[np.bool_]


def _points(side: int) -> Array:
    return ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)


def _reading(placements: Array, side: int) -> _Reading:
    points = _points(side)
    columns = _pixels(placements[:, 0:1] * points + placements[:, 1:2], side)
    rows = _pixels(placements[:, 2:3] * points + placements[:, 3:4], side)
    last = side - 1
    return _Reading(
        hats(columns, side),
        hats(rows, side),
        (columns >= 0) & (columns <= last),
        (rows >= 0) & (rows <= last),
    )


def _pixels(points: Array, side: int) -> Array:
    return np.asarray((points + 1) * np.float32(side / 2) - np.float32(0.5))


def _slopes(pictures: Array) -> tuple[Array, Array]:
    """Return the change a pixel to the right and a pixel down."""
    return np.gradient(pictures, axis=2), np.gradient(pictures, axis=1)


def refine(first: Array, second: Array, placements: Array, steps: int) -> Array:
    """Improve placements by Gauss-Newton steps that give outlying pixels little weight.

    first, second  [m, side, side], locally normalised, first already turned
    """
    side = first.shape[-1]
    points = _points(side)
    basis = np.stack([points, np.ones(side, np.float32)], 1)
    right, down = (slope * np.float32(side / 2) for slope in _slopes(second))
    placed = placements.copy()
    for _ in range(steps):
        way = _reading(placed, side)
        residual = first - _between(way.down, second, way.across)
        weight = _trust(residual, way)
        slope_x = _between(way.down, right, way.across)
        slope_y = _between(way.down, down, way.across)
        placed += _step(slope_x, slope_y, residual, weight, basis)
        np.clip(placed[:, ::2], *SCALE_RANGE, out=placed[:, ::2])
        np.clip(placed[:, 1::2], *SHIFT_RANGE, out=placed[:, 1::2])
    return placed


def _trust(residual: Array, way: _Reading) -> Array:
    """Return the weights [m, side, side] of the pixels; 0 outside the second pictures."""
    trust = 1 / (1 + (residual * np.float32(1 / OUTLIER)) ** 2)
    return np.asarray(trust * trust * _inside(way), dtype=np.float32)


def _inside(way: _Reading) -> NDArray[np.bool_]:
    return _both(way.inside_down, way.inside_across)


def _both(down: NDArray[np.bool_], across: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(down[:, :, None] & across[:, None, :])


def _step(slope_x: Array, slope_y: Array, residual: Array, weight: Array, basis: Array) -> Array:
    """Return the weighted least-squares change [m, 4]; a scale's column is its shift's times u."""
    weighted_x, weighted_y = slope_x * weight, slope_y * weight
    normal = np.empty((len(residual), 4, 4), np.float32)
    normal[:, :2, :2] = _moments((weighted_x * slope_x).sum(1), basis)
    normal[:, 2:, 2:] = _moments((weighted_y * slope_y).sum(2), basis)
    normal[:, 2:, :2] = basis.T @ (weighted_x * slope_y) @ basis
    normal[:, :2, 2:] = normal[:, 2:, :2].transpose(0, 2, 1)
    pull_x = (weighted_x * residual).sum(1) @ basis
    pull_y = (weighted_y * residual).sum(2) @ basis
    damping = np.trace(normal, axis1=1, axis2=2) * np.float32(0.01 / 4) + np.float32(1e-3)
    normal += damping[:, None, None] * np.eye(4, dtype=np.float32)
    change = np.linalg.solve(normal, np.concatenate([pull_x, pull_y], 1)[..., None])[..., 0]
    return np.asarray(np.clip(change, -LARGEST_STEP, LARGEST_STEP))


def _moments(weights: Array, basis: Array) -> Array:
    """Return the [m, 2, 2] sums of weights times each product of two basis columns."""
    products = basis[:, :, None] * basis[:, None, :]
    return np.asarray((weights @ products.reshape(len(basis), 4)).reshape(-1, 2, 2))


def correlation(first: Array, second: Array, placements: Array) -> Array:
    """Return the correlation [m] of the pictures where they overlap, -1..1."""
    way = _reading(placements, first.shape[-1])
    inside = _inside(way).astype(np.float32)
    read = _between(way.down, second, way.across)
    pixels = inside.sum((1, 2), keepdims=True) + np.float32(1e-3)
    one = (first - (first * inside).sum((1, 2), keepdims=True) / pixels) * inside
    other = (read - (read * inside).sum((1, 2), keepdims=True) / pixels) * inside
    energy = (one * one).sum((1, 2)) * (other * other).sum((1, 2))
    return np.asarray((one * other).sum((1, 2)) / np.sqrt(energy + np.float32(1e-3)))


class Agreement(NamedTuple):
    """How well blocks of m overlapping pairs agree.

    scores  [m] at most 1: the mean of the median of the blocks' correlations and of their mean
            weighted by energy; 0 where LEAST_OVERLAP or LEAST_BLOCKS is missed
    blocks  [m] how many of the 64 count: they lie wholly inside both and have texture in both
    """

    scores: Array
    blocks: NDArray[np.intp]


def agreement(first: Array, second: Array, placements: Array, noise: float) -> Agreement:
    """Compare the pictures block by block; texture is a variance above `noise`.

    first, second  [m, side, side], high-passed, first already turned
    """
    side = first.shape[-1]
    way = _reading(placements, side)
    one = _blocks(first)
    other = _blocks(_between(way.down, second, way.across))
    size = np.float32(one.shape[-1])
    one = one - one.mean(-1, keepdims=True)
    other = other - other.mean(-1, keepdims=True)
    energy_one, energy_other = (np.einsum("mbi,mbi->mb", v, v) / size for v in (one, other))
    counts = _whole_blocks(way) & (energy_one > noise) & (energy_other > noise)
    energy = np.sqrt(np.maximum(energy_one * energy_other, np.float32(1e-12)))
    likeness = np.einsum("mbi,mbi->mb", one, other) / size / energy
    blocks = counts.sum(1)
    enough = blocks >= LEAST_BLOCKS
    enough &= _overlap(way, placements) >= LEAST_OVERLAP
    score = np.zeros(len(first), np.float32)
    median = np.nanmedian(np.where(counts, likeness, np.nan)[enough], axis=1)
    weights = (energy * counts)[enough]
    score[enough] = (median + (likeness[enough] * weights).sum(1) / weights.sum(1)) / 2
    return Agreement(score, blocks)


def _blocks(pictures: Array) -> Array:
    """Return [m, BLOCKS**2, pixels of a block]."""
    size = pictures.shape[-1] // BLOCKS
    parts = pictures.reshape(-1, BLOCKS, size, BLOCKS, size).transpose(0, 1, 3, 2, 4)
    return parts.reshape(-1, BLOCKS**2, size**2)


def _whole_blocks(way: _Reading) -> NDArray[np.bool_]:
    across = np.asarray(way.inside_across.reshape(len(way.across), BLOCKS, -1).all(2))
    down = np.asarray(way.inside_down.reshape(len(way.down), BLOCKS, -1).all(2))
    return _both(down, across).reshape(-1, BLOCKS**2)


def _overlap(way: _Reading, placements: Array) -> Array:
    """Return the share of either picture that lies on the other, the smaller of the two."""
    of_first = way.inside_across.mean(1) * way.inside_down.mean(1)
    of_second = of_first * placements[:, 0] * placements[:, 2]
    return np.asarray(np.minimum(of_first, of_second), dtype=np.float32)
