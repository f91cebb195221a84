"""What one decode tells of a picture without a network."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.decode import Decoded

FACTS_VERSION = 2  # raise it whenever a fact changes its meaning: stored facts are then remade

REFERENCE_SIDE = 256  # short side of the image that facts are measured on, px; never enlarged
MASTER_SIDE = 128
THUMBNAIL_SIDE = 96
BORDER_SHARE = 0.04  # of the short side, on each of the four sides
_LEVELS = np.arange(256, dtype=np.float64)
_SQUARES = np.square(_LEVELS)


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of one picture; where `problem` is set only id and file_bytes need mean anything.

    id            BLAKE2b-128 of the file's bytes, hex; "" where no bytes could be read
    file_bytes    size of the file in bytes
    width, height pixels, after EXIF turning
    file_format   Pillow's name of the format ("JPEG", "PNG", ...)
    mode          Pillow's mode as stored ("RGB", "L", "RGBA", "P", "CMYK", "I;16", ...)
    bands         number of bands in the file, counting those a reader would drop
    frames        number of frames (1 unless animated or multi-page)
    exif_turn     EXIF orientation 1..8; 1 where there is none
    quantisation  sum of the JPEG quantisation tables; 0 for other formats
    taken         EXIF capture time as "YYYY:MM:DD HH:MM:SS", "" where there is none
    brightness    mean luma 0..255 of the reference image (short side 256 px)
    contrast      standard deviation of luma, 0..255
    sharpness     variance of the 3x3 Laplacian of luma of the reference image
    saturation    mean of max-min over RGB, 0..255
    entropy       of the luma histogram, bits 0..8
    border        mean luma of the outer ring (4 % of the short side), 0..255
    border_spread standard deviation of luma in the outer ring, 0..255
    master        128 x 128 gray uint8 (16,384 bytes), stretched, area filter; b"" when loaded
                  without it
    thumbnail     JPEG bytes, long side about 96 px (at most 120), or b"" when loaded without it
    note          what decoding did that one may not expect, in words; "" for most pictures
    problem       why the picture cannot be used, in words; None where it can
    problem_kind  a key of images.decode.KINDS ("truncated", ...); "" where there is no problem
    """

    id: str
    file_bytes: int = 0
    width: int = 0
    height: int = 0
    file_format: str = ""
    mode: str = ""
    bands: int = 0
    frames: int = 1
    exif_turn: int = 1
    quantisation: int = 0
    taken: str = ""
    brightness: float = 0.0
    contrast: float = 0.0
    sharpness: float = 0.0
    saturation: float = 0.0
    entropy: float = 0.0
    border: float = 0.0
    border_spread: float = 0.0
    master: bytes = b""
    thumbnail: bytes = b""
    note: str = ""
    problem: str | None = None
    problem_kind: str = ""


def measure(decoded: Decoded, reference: Image.Image, *, identity: str, file_bytes: int) -> Facts:
    """Measure the facts on the reference image (mode RGB, short side at most 256 px).

    Luma is Pillow's "L" (ITU-R 601-2). Saturation is measured on the thumbnail's pixels, before
    JPEG: colour noise between neighbours is no saturation.
    """
    gray = reference.convert("L")
    luma = np.asarray(gray)
    histogram = np.asarray(gray.histogram(), np.float64)
    brightness, contrast = _mean_and_spread(histogram)
    border, border_spread = _mean_and_spread(_border_histogram(luma))
    master = _master(gray)
    small = _small(reference)
    return Facts(
        id=identity,
        file_bytes=file_bytes,
        width=decoded.width,
        height=decoded.height,
        file_format=decoded.file_format,
        mode=decoded.mode,
        bands=decoded.bands,
        frames=decoded.frames,
        exif_turn=decoded.exif_turn,
        quantisation=decoded.quantisation,
        taken=decoded.taken,
        brightness=brightness,
        contrast=contrast,
        sharpness=_sharpness(luma),
        saturation=_saturation(small),
        entropy=_entropy(histogram),
        border=border,
        border_spread=border_spread,
        master=master.tobytes(),
        thumbnail=_jpeg(small),
        note=decoded.note,
    )


def _mean_and_spread(histogram: NDArray[np.float64]) -> tuple[float, float]:
    count = histogram.sum()
    mean = float(histogram @ _LEVELS / count)
    return mean, max(0.0, float(histogram @ _SQUARES / count) - mean * mean) ** 0.5


def _entropy(histogram: NDArray[np.float64]) -> float:
    shares = histogram[histogram > 0] / histogram.sum()
    return max(0.0, float(-(shares @ np.log2(shares))))


def _border_histogram(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    depth = max(1, round(BORDER_SHARE * min(luma.shape)))
    inner = luma[depth:-depth]
    parts = (luma[:depth], luma[-depth:], inner[:, :depth], inner[:, -depth:])
    ring = np.concatenate([part.ravel() for part in parts])
    return np.bincount(ring, minlength=256).astype(np.float64)


def _sharpness(luma: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian 0 1 0 / 1 -4 1 / 0 1 0 over every second inner row; 0 below 3 px.

    Half of the rows are as good an estimate, at half of the time.
    """
    if min(luma.shape) < 3:
        return 0.0
    rows = luma[1:-1:2].astype(np.int16)
    edges = np.add(luma[:-2:2, 1:-1], luma[2::2, 1:-1], dtype=np.int16)
    edges += rows[:, :-2]
    edges += rows[:, 2:]
    edges -= rows[:, 1:-1] << 2
    flat = edges.ravel().astype(np.float32)
    mean = float(flat.mean())
    return max(0.0, float(flat @ flat) / flat.size - mean * mean)


def _saturation(small: Image.Image) -> float:
    pixels = np.asarray(small)
    red, green, blue = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    largest = np.maximum(np.maximum(red, green), blue)  # three times as fast as max(axis=2)
    smallest = np.minimum(np.minimum(red, green), blue)
    return float((largest - smallest).mean())


def _master(gray: Image.Image) -> Image.Image:
    """Return 128 x 128 gray pixels, each the mean of its area."""
    if min(gray.size) >= 2 * MASTER_SIDE:
        gray = gray.reduce(2)  # a mean of means, in half of the time
    return gray.resize((MASTER_SIDE, MASTER_SIDE), Image.Resampling.BOX)


def _small(reference: Image.Image) -> Image.Image:
    """Return the picture at the thumbnail's size: long side 80 to 120 px, not enlarged."""
    long = max(reference.size)
    if long <= THUMBNAIL_SIDE:
        return reference
    if long >= 2 * THUMBNAIL_SIDE:  # a whole factor: three times as fast as any other
        return reference.reduce(round(long / THUMBNAIL_SIDE))
    scale = THUMBNAIL_SIDE / long
    size = (max(1, round(reference.width * scale)), max(1, round(reference.height * scale)))
    return reference.resize(size, Image.Resampling.HAMMING)


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80, comment=b"")  # else the file's own comment goes along
    return buffer.getvalue()
