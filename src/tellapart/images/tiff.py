"""TIFF files that Pillow does not read whole: more than three bands, or several of over 8 bits."""

from __future__ import annotations

import io
import lzma
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.problems import ImageProblem

# numbers of the tags in TIFF 6.0, and GeoKeyDirectoryTag of GeoTIFF
WIDTH, HEIGHT, BITS, ORIENTATION, BANDS = 256, 257, 258, 274, 277
EXTRA, SAMPLE_FORMAT, GEO_KEYS = 338, 339, 34735
STRIPS, STRIP_BYTES, TILES, TILE_BYTES = 273, 279, 324, 325
UNSIGNED = 1  # a SAMPLE_FORMAT
ALPHAS = (1, 2)  # of EXTRA: premultiplied or not
# Compressions that tifffile inflates however much comes out: deflate (three numbers) and LZMA.
INFLATERS: dict[int, Callable[[], Any]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    50013: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}


@dataclass(frozen=True)
class TiffTags:
    """The tags of a TIFF's first page that decide how it is read; sizes as stored, in pixels."""

    width: int
    height: int
    bands: int
    bits: int
    is_unsigned: bool
    orientation: int
    has_alpha: bool
    is_georeferenced: bool
    end: int  # where the last byte of its pixels stands in the file


def tags_from_pillow(image: Image.Image) -> TiffTags:
    """Return the tags of a TIFF that Pillow has opened."""
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    return TiffTags(
        width=int(tags[WIDTH]),
        height=int(tags[HEIGHT]),
        bands=int(tags.get(BANDS, 1)),
        bits=max(tags.get(BITS, (1,))),
        is_unsigned=UNSIGNED in tags.get(SAMPLE_FORMAT, (UNSIGNED,)),
        orientation=_turn(tags.get(ORIENTATION, 1)),
        has_alpha=any(extra in ALPHAS for extra in tags.get(EXTRA, ())),
        is_georeferenced=GEO_KEYS in tags,
        end=_end(*(tags.get(tag, ()) for tag in (STRIPS, STRIP_BYTES, TILES, TILE_BYTES))),
    )


def needs_tifffile(tags: TiffTags) -> bool:
    """Whether Pillow would drop bits or bands, or take a band for alpha that hardly is one.

    Aerial and satellite pictures carry their place on earth; writers often mark their fourth band,
    near infrared, as alpha. Composited it would wash the picture out.
    """
    drops_bits = (tags.bands > 1 and tags.bits > 8) or (tags.bits > 16 and tags.is_unsigned)
    no_alpha = tags.bands == 4 and tags.has_alpha and tags.is_georeferenced
    return drops_bits or tags.bands > 4 or no_alpha


def check_end(tags: TiffTags, data: bytes) -> None:
    """Refuse a file that ends before its pixels do."""
    if tags.end > len(data):
        raise ImageProblem(
            "truncated",
            f"the TIFF file is cut off: {len(data):,} bytes of {tags.end:,} are there",
        )


def check_values(tags: TiffTags, max_pixels: int) -> None:
    """Refuse many bands that together need the memory of a far too large picture."""
    if tags.width * tags.height * tags.bands > 4 * max_pixels:
        raise ImageProblem(
            "too_large",
            f"{tags.width:,} x {tags.height:,} pixels in {tags.bands:,} bands are more values than"
            f" the limit of {max_pixels:,} pixels in 4 bands; --max-pixels raises it",
        )


def tags_from_tifffile(data: bytes) -> TiffTags:
    """Return the tags of the first page of any TIFF."""
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return _tags_from_page(file.pages.first)


def read_bands(data: bytes) -> NDArray[Any]:
    """Return the first page as [height, width, bands] in its own type.

    Raises ImageProblem: missing_library (a compression that needs imagecodecs), too_large (more
    comes out of a strip or tile than its pixels take) or unreadable (a page that is no flat
    picture).
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        _check_inflated(page, data)
        try:
            values = np.asarray(page.asarray(maxworkers=1))
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise ImageProblem(
                "missing_library",
                f"its bands are compressed with {page.compression.name}, which needs one more"
                " library: pip install imagecodecs",
            ) from error
        return _bands_last(values, page.axes)


def _check_inflated(page: Any, data: bytes) -> None:
    """Refuse a strip or tile that inflates to more than twice its pixels (some writers pad)."""
    inflater = INFLATERS.get(int(page.compression))
    if inflater is None:
        return
    most = 2 * math.prod(page.chunks) * page.dtype.itemsize
    for start, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        if len(inflater().decompress(data[start : start + size], most + 1)) > most:
            raise ImageProblem(
                "too_large",
                f"too large to decode: more comes out of it than {page.imagewidth:,} x"
                f" {page.imagelength:,} pixels",
            )


def _tags_from_page(page: Any) -> TiffTags:
    return TiffTags(
        width=int(page.imagewidth),
        height=int(page.imagelength),
        bands=int(page.samplesperpixel),
        bits=int(page.bitspersample),
        is_unsigned=int(page.sampleformat) == UNSIGNED,
        orientation=_turn(page.tags.valueof(ORIENTATION, 1)),
        has_alpha=any(int(extra) in ALPHAS for extra in page.extrasamples),
        is_georeferenced=GEO_KEYS in page.tags,
        end=_end(page.dataoffsets, page.databytecounts, (), ()),
    )


def _end(strips: Any, strip_bytes: Any, tiles: Any, tile_bytes: Any) -> int:
    starts, sizes = (*strips, *tiles), (*strip_bytes, *tile_bytes)
    return max((start + size for start, size in zip(starts, sizes, strict=False)), default=0)


def _turn(value: Any) -> int:
    return int(value) if value in range(1, 9) else 1


def _bands_last(values: NDArray[Any], axes: str) -> NDArray[Any]:
    if axes == "YX":
        return values[:, :, None]
    if axes == "YXS":
        return values
    if axes == "SYX":
        return np.moveaxis(values, 0, 2)
    raise ImageProblem(
        "unreadable", f"the first page of this TIFF is no flat picture (axes '{axes}')"
    )
