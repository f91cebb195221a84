"""Pictures that the tests of this folder make, handed out by the fixture `make`."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.transforms import Transform


class Make:
    lite0 = Transform(224, "crop", 0.875, "bicubic", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))

    @staticmethod
    def photo(width: int = 90, height: int = 60, seed: int = 0) -> Image.Image:
        """A smooth colourful picture without any symmetry."""
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (5, 7, 3), np.uint8)
        return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)

    @staticmethod
    def ramp(height: int = 40, width: int = 50) -> NDArray[np.float64]:
        """Values from 0 to 1, rising row by row."""
        return np.linspace(0, 1, height * width).reshape(height, width)

    @staticmethod
    def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, file_format, **options)
        return buffer.getvalue()

    @staticmethod
    def tiff(values: NDArray[Any], **options: Any) -> bytes:
        buffer = io.BytesIO()
        settings: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "contig"}
        tifffile.imwrite(buffer, values, **{**settings, **options})
        return buffer.getvalue()

    @staticmethod
    def png_header(width: int, height: int) -> bytes:
        """A PNG that promises width x height pixels and holds a few zeros."""

        def chunk(kind: bytes, content: bytes) -> bytes:
            checksum = zlib.crc32(kind + content)
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(bytes(1000))
        body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + body

    @staticmethod
    def distance(first: Image.Image, second: Image.Image) -> float:
        """Mean absolute difference of two pictures of the same size, in levels of 0..255."""
        assert first.size == second.size
        one, other = np.asarray(first, np.int16), np.asarray(second, np.int16)
        return float(np.abs(one - other).mean())


@pytest.fixture
def make() -> type[Make]:
    return Make
