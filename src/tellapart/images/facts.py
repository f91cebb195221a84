"""What one decode tells of a picture without a network."""

from __future__ import annotations

from dataclasses import dataclass

FACTS_VERSION = 1  # raise it whenever a fact changes its meaning: stored facts are then remade


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
    dhash         64-bit difference hash of the reference image
    master        128 x 128 gray uint8 (16,384 bytes), stretched, area filter; b"" when loaded
                  without it
    thumbnail     96 px (long side) JPEG bytes, or b"" when loaded without it
    problem       why the picture cannot be used, in words; None where it can
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
    dhash: int = 0
    master: bytes = b""
    thumbnail: bytes = b""
    problem: str | None = None
