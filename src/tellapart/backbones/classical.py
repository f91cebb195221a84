"""Classical features, for comparison with networks: colours, oriented gradients, pixels.

They have no weights; what they compute stands here, and their digest is the digest of a description
of it. They take as many bands as a picture has.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone, BackboneInfo
from tellapart.errors import BackboneError
from tellapart.images.transforms import MOST_SIDE, Transform
from tellapart.optional import need

CLASSICAL_VERSION = 1  # raise it whenever the same pixels become other features

COLOUR_SIZE, LEVELS = 64, 16  # pixels a side that are counted; steps of each band's histogram
HOG_SIZE, CELL, BLOCK, DIRECTIONS = 128, 16, 2, 9
PIXEL_SIZES = (32, 64)  # of pca:N, the smallest one that has N pixel values
MIDDLE, SCALE = 127.5, 128.0  # pixels to -1..1, exact in float16
HOG: dict[str, Any] = {
    "orientations": DIRECTIONS,
    "pixels_per_cell": (CELL, CELL),
    "cells_per_block": (BLOCK, BLOCK),
    "block_norm": "L2-Hys",
    "channel_axis": -1,
}

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Made:
    """One classical backbone at one size, for pictures of `bands` bands."""

    name: str
    size: int
    bands: int
    features: int
    compute: Callable[[Pixels], Floats]
    library: str
    components: int | None = None


def is_classical(name: str) -> bool:
    """Whether a name is that of classical features ("color", "hog", "pca:100")."""
    return name.split(":")[0] in ABOUT


def get_classical(name: str, size: int | None = None, bands: int = 3) -> Backbone:
    """Return classical features by name, for pictures squashed to `size` pixels a side.

    Raises BackboneError where the name or the size asks for what there is not, MissingExtra where
    scikit-image is needed and not installed.
    """
    if size is not None and not 1 <= size <= MOST_SIDE:
        raise BackboneError(f"{name} takes 1 to {MOST_SIDE:,} pixels a side, not {size}")
    kind, _, number = name.partition(":")
    if number and kind != "pca":
        raise BackboneError(f"{kind} takes no number: write {kind}")
    made = MAKERS[kind](size, bands, number)
    description = f"{made.name} {made.size} {made.bands} {CLASSICAL_VERSION}"
    return Backbone(
        name=made.name,
        features=made.features,
        transform=Transform(
            size=made.size,
            fit="squash",
            crop_share=1.0,
            interpolation="box" if kind == "pca" else "bicubic",
            mean=(0.0,) * bands,
            std=(255.0,) * bands,
        ),
        weights_digest=hashlib.sha256(description.encode()).hexdigest(),
        licence="none needed: no weights",
        parameters=0,
        source=f"computed by {made.library}",
        build=partial(_no_network, name),
        torch_module=partial(_no_network, name),
        resize=lambda asked: get_classical(name, asked, bands),
        compute=made.compute,
        library=made.library,
        components=made.components,
    )


def list_classical() -> Iterator[BackboneInfo]:
    """Yield one line for each kind of classical features."""
    for name, about in ABOUT.items():
        made = get_listed(name)
        yield BackboneInfo(
            name="pca:N" if name == "pca" else name,
            input_size=made[0],
            features=made[1],
            parameters=0,
            licence="none needed",
            about=about,
            installed=name != "hog" or _has_skimage(),
            install='pip install "tellapart[classical]"' if name == "hog" else "",
        )


def get_listed(name: str) -> tuple[int, int]:
    """Return the usual size and number of features of a kind, for RGB."""
    usual = {
        "color": (COLOUR_SIZE, _colour_features(3)),
        "hog": (HOG_SIZE, _hog_features(HOG_SIZE)),
        "pca": (PIXEL_SIZES[0], 3 * PIXEL_SIZES[0] ** 2),
    }
    return usual[name]


# -- colour


def _color(size: int | None, bands: int, number: str) -> Made:
    return Made("color", size or COLOUR_SIZE, bands, _colour_features(bands), colours, "numpy")


def _colour_features(bands: int) -> int:
    return bands * (LEVELS + 3) + math.comb(bands, 2)


def colours(pixels: Pixels) -> Floats:
    """Return float32 [n, bands * (LEVELS + 3) + pairs] of pictures uint8 [n, h, w, bands].

    Of each band the shares of LEVELS steps, then mean, deviation and cube root of the third moment
    (Stricker and Orengo 1995), in 0..1; then the correlation of every two bands.
    """
    n, bands = len(pixels), pixels.shape[-1]
    flat = pixels.reshape(n, -1, bands)
    steps = (flat // (256 // LEVELS)).astype(np.intp)
    place = np.arange(n)[:, None, None] * bands + np.arange(bands)
    counts = np.bincount((place * LEVELS + steps).ravel(), minlength=n * bands * LEVELS)
    shares = counts.reshape(n, bands * LEVELS) / flat.shape[1]
    values = flat.astype(np.float64) / 255
    mean = values.mean(axis=1)
    centred = values - mean[:, None]
    spread = np.sqrt((centred**2).mean(axis=1))
    skew = np.cbrt((centred**3).mean(axis=1))
    first, second = np.triu_indices(bands, 1)
    together = (centred[:, :, first] * centred[:, :, second]).mean(axis=1)
    correlation = together / np.maximum(spread[:, first] * spread[:, second], 1e-6)
    parts = (shares, mean, spread, skew, correlation)
    return np.concatenate(parts, axis=1).astype(np.float32)


# -- histograms of oriented gradients


def _hog(size: int | None, bands: int, number: str) -> Made:
    side = size or HOG_SIZE
    if side < BLOCK * CELL:
        raise BackboneError(f"hog needs {BLOCK * CELL} pixels a side or more, not {side}")
    need("skimage", "classical")
    return Made("hog", side, bands, _hog_features(side), gradients, "scikit-image")


def _hog_features(size: int) -> int:
    cells = size // CELL
    return (cells - BLOCK + 1) ** 2 * BLOCK**2 * DIRECTIONS


def gradients(pixels: Pixels) -> Floats:
    """Return histograms of oriented gradients (Dalal and Triggs 2005) of uint8 [n, h, w, bands].

    Cells of CELL pixels in blocks of BLOCK x BLOCK, DIRECTIONS, L2-Hys; each pixel takes the
    gradient of the band where it is largest.
    """
    from skimage.feature import hog

    return np.asarray([hog(picture, **HOG) for picture in pixels], np.float32)


def drawn_gradients(pixels: Pixels) -> Pixels:
    """Return a drawing of the cells of one picture uint8 [h, w, bands], uint8 [h, w].

    Each cell is a star of lines along its edges, the brighter the stronger (as the square root, for
    few are strong): the counts from which `gradients` makes features, before blocks of cells are
    brought to one scale.
    """
    from skimage.feature import hog

    lines: NDArray[np.float64] = hog(pixels, visualize=True, **HOG)[1]
    strength = np.sqrt(lines / max(float(lines.max()), 1e-12))
    return np.asarray(np.rint(255 * strength), np.uint8)


# -- pixels, to principal components


def _pca(size: int | None, bands: int, number: str) -> Made:
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 100_000:
        raise BackboneError(f"pca:{number} needs a number of components: write pca:100")
    count = int(number)
    sides = (size,) if size else PIXEL_SIZES
    fitting = [side for side in sides if side**2 * bands >= count]
    if not fitting:
        most = max(sides) ** 2 * bands
        raise BackboneError(
            f"pca:{count} asks for more components than pictures of {max(sides)} x {max(sides)}"
            f" pixels have values: take pca:{most} or less, or a larger --image-size"
        )
    side = fitting[0]
    return Made(f"pca:{count}", side, bands, side**2 * bands, values, "numpy", count)


def values(pixels: Pixels) -> Floats:
    """Return the pixel values, about -1 to 1, float32 [n, h * w * bands]."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    return (flat - np.float32(MIDDLE)) / np.float32(SCALE)


def pixels_of(vector: NDArray[np.floating[Any]], side: int) -> Pixels:
    """Return the picture uint8 [side, side, bands] whose `values` are nearest to a vector [d]."""
    pixels = np.asarray(vector, np.float32) * np.float32(SCALE) + np.float32(MIDDLE)
    whole = np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)
    return whole.reshape(side, side, -1)


MAKERS: dict[str, Callable[[int | None, int, str], Made]] = {
    "color": _color,
    "hog": _hog,
    "pca": _pca,
}
ABOUT = {
    "color": "histograms and moments of the bands",
    "hog": "histograms of oriented gradients; needs scikit-image",
    "pca": "N principal components of the pixels of the small picture",
}


def _has_skimage() -> bool:
    import importlib.util

    return importlib.util.find_spec("skimage") is not None


def _no_network(name: str) -> Any:
    raise BackboneError(f"{name} is no network: it cannot be converted")
