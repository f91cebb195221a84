"""What classical features keep of a picture: oriented gradients drawn, pixels put together again
from their principal components.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.backbones.classical import BLOCK, CELL, DIRECTIONS, drawn_gradients, pixels_of
from tellapart.errors import counted
from tellapart.evaluation.words import percent
from tellapart.heads.logistic import one_thread_quietly
from tellapart.heads.prepare import Preparation, Table
from tellapart.images.bands import composites
from tellapart.reports.records import Drawings, Drawn

SIDE, QUALITY = 128, 88  # pixels of a picture on the page; of its JPEG
Pixels = NDArray[np.uint8]


def hog_drawings(pictures: Sequence[tuple[str, str, Pixels]]) -> Drawings:
    """Return (path, label, pixels [h, w, bands] as the features took them) beside their HOG."""
    drawn = tuple(
        Drawn(path, label, _jpeg(pixels), _jpeg(drawn_gradients(pixels)[:, :, None]))
        for path, label, pixels in pictures
    )
    words = (
        f"Oriented gradients say how strong the edges of {DIRECTIONS} directions are in each cell"
        f" of {CELL} × {CELL} pixels, drawn here as lines along the edges. Colour, and whatever is"
        f" finer than a cell, is gone. The features then bring every {BLOCK} × {BLOCK} cells to one"
        " scale, so that light and contrast do not count."
    )
    return Drawings("What is left of a picture: edges", "its oriented gradients", words, drawn)


def pca_drawings(
    pictures: Sequence[tuple[str, str, NDArray[np.floating[Any]]]],
    side: int,
    prepare: Preparation,
    learned: NDArray[np.floating[Any]],
    unseen: NDArray[np.floating[Any]],
    views: int = 1,
) -> Drawings:
    """Return (path, label, pixel values [d]) beside what the components of `prepare` keep of them.

    side     of the small pictures, in pixels
    learned  [n, d] what the components were fitted on
    unseen   [m, d] what judges, where m may be 0
    views    of each picture, whose mean the values are
    """
    drawn = tuple(
        Drawn(path, label, _jpeg(pixels_of(values, side)), _jpeg(_rebuilt(values, prepare, side)))
        for path, label, values in pictures
    )
    count = Table(learned, prepare).width
    kept = [f"{percent(variance_kept(prepare, learned), 1)} of the training pictures"]
    if len(unseen):
        share = percent(variance_kept(prepare, unseen), 1)
        kept.append(f"{share} of the pictures that judge, which had no part in choosing them")
    most = " (so few pictures have no more)" if count == len(learned) - 1 else ""
    small = f"the mean of its {views} views" if views > 1 else "the small picture"
    words = (
        f"The classifier sees {counted(count, 'number')} of each picture{most} in place of the"
        f" {learned.shape[1]:,} pixel values of {side} × {side}: principal components, which hold"
        f" of the variance {' and '.join(kept)}. On the left {small}, on the right what can be"
        " told of it from these numbers."
    )
    title = "What is left of a picture: principal components"
    return Drawings(title, f"from {count:,} components", words, drawn)


def variance_kept(prepare: Preparation, features: NDArray[np.floating[Any]]) -> float:
    """Return the share, 0..1, of the variance of features [n, d] that the components hold.

    Variance about the mean, and in the scale, of what they were fitted on; 1 where there is none.
    """
    with one_thread_quietly():
        held = _squares(Table(features, prepare))
        total = _squares(Table(features, Preparation(prepare.mean, prepare.scale)))
    return min(1.0, held / total) if total else 1.0


def _squares(table: Table) -> float:
    return sum(float(np.square(table.rows(one), dtype=np.float64).sum()) for one in table.chunks())


def _rebuilt(values: NDArray[np.floating[Any]], prepare: Preparation, side: int) -> Pixels:
    assert prepare.turn is not None  # there are components
    kept = prepare(np.asarray(values)[None])[0]
    return pixels_of(prepare.turn @ kept * prepare.scale + prepare.mean, side)


def _jpeg(pixels: Pixels) -> bytes:
    """Return pixels [h, w, bands] as a JPEG, a small picture enlarged without smoothing."""
    shown = pixels[:, :, list(composites(pixels.shape[2])[0])]
    picture = Image.fromarray(np.ascontiguousarray(shown))
    if picture.width < SIDE:
        times = -(-SIDE // picture.width)
        picture = picture.resize((picture.width * times,) * 2, Image.Resampling.NEAREST)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
