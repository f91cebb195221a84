"""TIFF files that Pillow does not read whole: more than three bands, or several of over 8 bits."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.problems import ImageProblem

WIDTH, HEIGHT, BITS, ORIENTATION, BANDS, EXTRA, GEO_KEYS = 256, 257, 258, 274, 277, 338, 34735


@dataclass(frozen=True)
class TiffTags:
    """The tags of a TIFF's first page that decide how it is read; sizes as stored, in pixels."""

    width: int
    height: int
    bands: int
    bits: int
    orientation: int
    has_alpha: bool
    is_georeferenced: bool


def tags_from_pillow(image: Image.Image) -> TiffTags:
    """Return the tags of a TIFF that Pillow has opened."""
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    return TiffTags(
        width=int(tags[WIDTH]),
        height=int(tags[HEIGHT]),
        bands=int(tags.get(BANDS, 1)),
        bits=max(tags.get(BITS, (1,))),
        orientation=_turn(tags.get(ORIENTATION, 1)),
        has_alpha=any(extra in (1, 2) for extra in tags.get(EXTRA, ())),
        is_georeferenced=GEO_KEYS in tags,
    )


def needs_all_bands(tags: TiffTags) -> bool:
    """Whether Pillow would drop bits or bands, or take a band for alpha that hardly is one.

    Aerial and satellite pictures carry their place on earth; writers often mark their fourth band,
    near infrared, as alpha. Composited it would wash the picture out.
    """
    if tags.bands > 4 or (tags.bands > 1 and tags.bits > 8):
        return True
    return tags.bands == 4 and tags.has_alpha and tags.is_georeferenced


def read_bands(data: bytes, max_pixels: int) -> tuple[NDArray[Any], TiffTags]:
    """Return the first page as [height, width, bands] in its own type, and its tags.

    Raises ImageProblem: too_large, missing_library (a compression that needs imagecodecs),
    unreadable (no such page shape).
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        tags = _tags_from_page(page)
        if tags.width * tags.height > max_pixels:
            raise too_many_pixels(tags.width, tags.height, max_pixels)
        try:
            values = np.asarray(page.asarray(maxworkers=1))
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise ImageProblem(
                "missing_library",
                f"this TIFF is compressed with {page.compression.name}, and its {tags.bands} bands"
                " need one more library: pip install imagecodecs",
            ) from error
    return _bands_last(values, page.axes), tags


def too_many_pixels(width: int, height: int, max_pixels: int) -> ImageProblem:
    """Return the problem of a picture above the limit."""
    return ImageProblem(
        "too_large",
        f"{width:,} x {height:,} pixels are more than the limit of {max_pixels:,};"
        " --max-pixels raises it",
    )


def _tags_from_page(page: Any) -> TiffTags:
    return TiffTags(
        width=int(page.imagewidth),
        height=int(page.imagelength),
        bands=int(page.samplesperpixel),
        bits=int(page.bitspersample),
        orientation=_turn(page.tags.valueof(ORIENTATION, 1)),
        has_alpha=any(int(extra) in (1, 2) for extra in page.extrasamples),
        is_georeferenced=GEO_KEYS in page.tags,
    )


def _turn(value: Any) -> int:
    return int(value) if value in range(1, 9) else 1


def _bands_last(values: NDArray[Any], axes: str) -> NDArray[Any]:
    if axes == "YX":
        return values[:, :, None]
    if axes == "YXS":
        return values
    if axes == "SYX":
        return np.moveaxis(values, 0, 2)
    raise ImageProblem("unreadable", f"a TIFF page with the axes {axes} is no flat picture")
