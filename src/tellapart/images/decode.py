"""From a file's bytes to an upright RGB picture: the only decoding code.

Every call stands alone: nothing global is set or changed, so threads may decode side by side.
Pillow's classes for the formats are called directly, never `Image.open`: that function guesses
among formats that run other programs, and checks a global pixel limit by a warning.
"""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from tellapart.errors import MissingExtra
from tellapart.images import tiff
from tellapart.images.bands import band_indices, parse_bands
from tellapart.images.budget import Budget
from tellapart.images.problems import KINDS, ImageProblem
from tellapart.images.scaling import to_uint8
from tellapart.images.signatures import looks_cut, recognise
from tellapart.optional import need
from tellapart.settings import Decoding

DECODE_VERSION = 1  # raise it whenever the same bytes become other pixels: stored features go stale

# format -> module and class that read it
READERS: dict[str, tuple[str, str]] = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "ICO": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}

# EXIF orientation -> what turns the stored picture upright (EXIF 2.32, tag 274)
TURNS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# formats whose decoders fill the missing end of a file with what they like
UNSAFE_WHEN_CUT = ("WEBP", "AVIF", "HEIF", "JPEG2000")

BYTES_PER_PIXEL = 8  # while it decodes: as stored, and as RGB, at 4 bytes each in Pillow

_ORIENTATION, _EXIF_FOLDER, _CHANGED, _TAKEN = 0x0112, 0x8769, 0x0132, 0x9003


@dataclass(frozen=True)
class Decoded:
    """An upright picture and what the file's header says.

    image          mode RGB, turned upright, reduced as far as the asked short side allows: the
                   first three of the bands asked for (of fewer, the last one again)
    extra          the other bands asked for, each of mode L, as large as `image`
    width, height  pixels of the whole picture, after turning
    file_format    a key of READERS
    mode           Pillow's mode as stored; "5 x uint16" and the like for what Pillow has no mode
    bands          bands in the file, counting those that were dropped
    frames         number of frames or pages; the picture is the first
    exif_turn      orientation 1..8 that was applied
    quantisation   sum of the JPEG quantisation tables, 0 for other formats
    taken          EXIF capture time, "" where there is none
    note           what decoding did that one may not expect; ""
    """

    image: Image.Image
    width: int
    height: int
    file_format: str
    mode: str
    bands: int
    frames: int = 1
    exif_turn: int = 1
    quantisation: int = 0
    taken: str = ""
    note: str = ""
    extra: tuple[Image.Image, ...] = ()

    @property
    def is_reduced(self) -> bool:
        """Whether a larger short side could have given a larger picture."""
        return self.image.size != (self.width, self.height)


def decode(
    data: bytes, *, short_side: int, decoding: Decoding, budget: Budget | None = None
) -> Decoded:
    """Decode a file's bytes into an upright RGB picture.

    The picture comes reduced by a whole factor where its short side stays at or above
    `short_side`; it is never enlarged. Of an animation the first frame is read, and must be whole.
    `budget` bounds the memory of threads that decode at the same time. Raises ImageProblem, whose
    `kind` is a key of KINDS.
    """
    budget = budget or Budget()
    if not data:
        raise ImageProblem("empty_file", "the file is empty (0 bytes)")
    if len(data) > decoding.max_file_bytes:
        raise ImageProblem(
            "too_large",
            f"{len(data):,} bytes are more than the limit of {decoding.max_file_bytes:,}",
        )
    file_format = recognise(data)
    try:
        if file_format == "TIFF":
            return _decode_tiff(data, short_side, decoding, budget)
        return _decode_plain(data, file_format, short_side, decoding, budget)
    except ImageProblem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageProblem("too_large", f"too large to decode: {error}") from error
    except Exception as error:  # decoders raise nearly any type on damaged bytes
        raise _damaged(error, data, file_format) from error


def _decode_plain(
    data: bytes, file_format: str, short_side: int, decoding: Decoding, budget: Budget
) -> Decoded:
    with _open(data, file_format) as image:
        width, height = image.size
        _check_pixels(width, height, decoding)
        mode, bands, frames = image.mode, len(image.getbands()), _count_frames(image)
        quantisation = 0
        if file_format == "JPEG":
            _check_jpeg_end(data, image)
            quantisation = sum(sum(table) for table in image.quantization.values())
            image.draft(None, (short_side, short_side))
        elif file_format == "PNG":
            _check_png_sums(data)
        elif file_format in UNSAFE_WHEN_CUT and looks_cut(data, file_format):
            raise ImageProblem(
                "truncated", f"the {file_format} file is cut off: its end is missing"
            )
        with budget.hold(image.width * image.height * BYTES_PER_PIXEL):
            image.load()
            turn, taken = _from_exif(image, file_format)
            rgb, extra, note = _to_rgb(image, decoding.bands)
            upright, *others = [_turned(_reduced(one, short_side), turn) for one in (rgb, *extra)]
    width, height = _upright_size(width, height, turn)
    return Decoded(
        image=upright,
        extra=tuple(others),
        width=width,
        height=height,
        file_format=file_format,
        mode=mode,
        bands=bands,
        frames=frames,
        exif_turn=turn,
        quantisation=quantisation,
        taken=taken,
        note=_joined(note, _about_frames(frames)),
    )


def _decode_tiff(data: bytes, short_side: int, decoding: Decoding, budget: Budget) -> Decoded:
    try:
        image = _open(data, "TIFF")
    except (SyntaxError, KeyError):  # no mode of Pillow fits: two bands, five bands, 64 bits ...
        return _decode_tiff_bands(data, short_side, decoding, budget)
    with image:
        tags = tiff.tags_from_pillow(image)
        _check_pixels(tags.width, tags.height, decoding)
        tiff.check_end(tags, data)
        if tiff.needs_tifffile(tags) or (decoding.bands is not None and tags.bands > 1):
            try:
                return _decode_tiff_bands(data, short_side, decoding, budget, image)
            except ImageProblem as problem:
                # what tifffile cannot unpack, Pillow may, if it keeps the bands that are needed
                if problem.kind != "missing_library" or not _keeps(image, tags, decoding):
                    raise
        with budget.hold(tags.width * tags.height * BYTES_PER_PIXEL):
            return _decode_tiff_plain(image, tags, short_side, decoding)


def _decode_tiff_plain(
    image: Any, tags: tiff.TiffTags, short_side: int, decoding: Decoding
) -> Decoded:
    mode, frames = image.mode, _count_frames(image)
    image.load()  # turns the picture upright
    bands, left_out = decoding.bands, ""
    if bands is None and tags.bands > 3 and tiff.needs_tifffile(tags):
        bands = ("1", "2", "3")
    if decoding.bands is None and tags.bands > 3 and (bands or image.mode == "RGB"):
        left_out = _about_bands(tags.bands)
    rgb, extra, note = _to_rgb(image, bands)
    width, height = _upright_size(tags.width, tags.height, tags.orientation)
    return Decoded(
        image=_reduced(rgb, short_side),
        extra=tuple(_reduced(one, short_side) for one in extra),
        width=width,
        height=height,
        file_format="TIFF",
        mode=mode,
        bands=tags.bands,
        frames=frames,
        exif_turn=tags.orientation,
        taken=_capture_time(image.getexif()),
        note=_joined(note, left_out, _about_frames(frames)),
    )


def _decode_tiff_bands(
    data: bytes, short_side: int, decoding: Decoding, budget: Budget, opened: Any = None
) -> Decoded:
    tags = tiff.tags_from_tifffile(data)
    tiff.check_end(tags, data)
    _check_pixels(tags.width, tags.height, decoding)
    tiff.check_values(tags, decoding.max_pixels)
    if decoding.bands is not None:
        indices = band_indices(decoding.bands, tags.bands)
    else:
        indices = (0, 1, 2) if tags.bands > 2 else (0, 0, 0)
    with budget.hold(tags.width * tags.height * (tags.bands * tags.bits // 8 + BYTES_PER_PIXEL)):
        values = tiff.read_bands(data)
        pixels, note = to_uint8(values[:, :, list(indices)])
        rgb, extra = _as_images([Image.fromarray(band) for band in np.moveaxis(pixels, 2, 0)])
        upright, *others = [
            _turned(_reduced(one, short_side), tags.orientation) for one in (rgb, *extra)
        ]
    width, height = _upright_size(tags.width, tags.height, tags.orientation)
    frames = _count_frames(opened) if opened is not None else 1
    left_out = _about_bands(tags.bands) if decoding.bands is None else ""
    return Decoded(
        image=upright,
        extra=tuple(others),
        width=width,
        height=height,
        file_format="TIFF",
        mode=opened.mode if opened is not None else f"{tags.bands} x {values.dtype}",
        bands=tags.bands,
        frames=frames,
        exif_turn=tags.orientation,
        taken=_capture_time(opened.getexif()) if opened is not None else "",
        note=_joined(note, left_out, _about_frames(frames)),
    )


def _open(data: bytes, file_format: str) -> Any:
    """Open with Pillow's class for the format: the header is read, no pixels."""
    module, name = READERS[file_format]
    if file_format == "HEIF":
        try:
            plugin = need(module, "heic")
        except MissingExtra as error:
            raise ImageProblem(
                "missing_library",
                'HEIC pictures need one more library: pip install "tellapart[heic]"',
            ) from error
    else:
        plugin = importlib.import_module(module)
    return getattr(plugin, name)(io.BytesIO(data))


def _check_pixels(width: int, height: int, decoding: Decoding) -> None:
    if width * height > decoding.max_pixels:
        raise ImageProblem(
            "too_large",
            f"{width:,} x {height:,} pixels are more than the limit of {decoding.max_pixels:,};"
            " --max-pixels raises it",
        )


def _check_jpeg_end(data: bytes, opened: Any) -> None:
    """Refuse a JPEG without an end mark after its header.

    Pillow notices data that stops; it does not notice an interrupted download whose missing rest
    was filled with zeros, and would give its lower part gray.
    """
    if data.rfind(b"\xff\xd9", opened.fp.tell()) < 0:
        raise ImageProblem("truncated", "the JPEG file is cut off: its end mark is missing")


def _check_png_sums(data: bytes) -> None:
    """Check the sums of all chunks: Pillow's decoder leaves out those of the pixels."""
    with _open(data, "PNG") as probe:
        probe.verify()


def _count_frames(image: Any) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # later frames are damaged; only the first is used
        return 1


def _from_exif(image: Any, file_format: str) -> tuple[int, str]:
    """Return the turn still to be made and the capture time; a damaged EXIF part says nothing."""
    if not any(key in image.info for key in ("exif", "Raw profile type exif")):
        return 1, ""
    try:
        exif = image.getexif()
        turn = exif.get(_ORIENTATION, 1)
    except Exception:  # any: EXIF of cameras is damaged in every way
        return 1, ""
    turned_by_reader = file_format == "HEIF"
    return (turn if turn in TURNS and not turned_by_reader else 1), _capture_time(exif)


def _capture_time(exif: Image.Exif) -> str:
    try:
        taken = exif.get_ifd(_EXIF_FOLDER).get(_TAKEN) or exif.get(_CHANGED) or ""
        return str(taken).strip("\x00 ")[:19]
    except Exception:  # as above
        return ""


Bands = list[Image.Image]  # each of mode L


def _to_rgb(image: Any, bands: tuple[str, ...] | None) -> tuple[Image.Image, Bands, str]:
    """Return an 8-bit RGB picture of the same size, the bands after the third that were asked for,
    and a note on how it was scaled.
    """
    note = ""
    if image.mode.startswith("I") or image.mode == "F":
        pixels, note = to_uint8(np.asarray(image))
        image = Image.fromarray(pixels)
    if bands:
        return *_picked(image, bands), note
    if image.mode == "RGB" and "transparency" not in image.info:
        return image, [], note
    if image.has_transparency_data:
        return _over_white(image.convert("RGBA")), [], note
    return image.convert("RGB"), [], note


def _over_white(rgba: Image.Image) -> Image.Image:
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _picked(image: Image.Image, bands: tuple[str, ...]) -> tuple[Image.Image, Bands]:
    """Return the bands as they are, nothing composited; gray is red, green and blue by name."""
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "L", "LA") and not any(band.isdigit() for band in bands):
        image = image.convert("RGBA" if image.mode == "LA" else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    channels = image.split()
    return _as_images([channels[index] for index in band_indices(bands, len(channels))])


def _as_images(bands: Bands) -> tuple[Image.Image, Bands]:
    """Return the first three bands as RGB (of fewer, the last one again), and the others."""
    three = [*bands[:3], *[bands[-1]] * (3 - len(bands))]
    return Image.merge("RGB", three), bands[3:]


def _reduced(image: Image.Image, short_side: int) -> Image.Image:
    factor = min(image.size) // short_side
    return image.reduce(factor) if factor >= 2 else image


def _turned(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(TURNS[turn]) if turn in TURNS else image


def _upright_size(width: int, height: int, turn: int) -> tuple[int, int]:
    return (height, width) if turn >= 5 else (width, height)


def _keeps(image: Image.Image, tags: tiff.TiffTags, decoding: Decoding) -> bool:
    """Whether Pillow's picture holds, unchanged, the bands that are needed."""
    kept = len(image.getbands())
    return kept >= 3 if decoding.bands is None else kept == tags.bands


def _about_frames(frames: int) -> str:
    return f"the first of {frames:,} frames" if frames > 1 else ""


def _about_bands(bands: int) -> str:
    return f"the first three of {bands} bands" if bands > 3 else ""


def _joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _damaged(error: Exception, data: bytes, file_format: str) -> ImageProblem:
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncated" in text.lower() or looks_cut(data, file_format):
        return ImageProblem("truncated", f"the {file_format} file is cut off ({text})")
    return ImageProblem("unreadable", f"the {file_format} file cannot be decoded ({text})")


__all__ = [
    "DECODE_VERSION",
    "KINDS",
    "READERS",
    "TURNS",
    "Decoded",
    "ImageProblem",
    "decode",
    "parse_bands",
]
