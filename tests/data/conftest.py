"""Small real pictures, and folders and tables of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image


def jpeg(shade: int = 0) -> bytes:
    """A real JPEG of 8 x 8 pixels."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, 80, 160)).save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def make_pictures(tmp_path: Path) -> Callable[..., Path]:
    """Write a real JPEG at each of some paths below a folder; return the folder."""

    def make(*keys: str, root: str = "photos") -> Path:
        folder = tmp_path / root
        folder.mkdir(exist_ok=True)
        for shade, key in enumerate(keys):
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(jpeg(shade))
        return folder

    return make
