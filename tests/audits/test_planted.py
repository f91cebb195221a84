"""Known faults planted in real pictures and found again through the real decoder."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tellapart.audits import run_audit
from tellapart.images.facts import Facts
from tellapart.images.look import look_at
from tellapart.images.transforms import Transform
from tellapart.images.views import Shown
from tellapart.settings import Decoding

TRANSFORM = Transform(224, "crop", 0.875, "bicubic", (127.5,) * 3, (127.5,) * 3)
EACH = 6


def _jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, **options)
    return buffer.getvalue()


def _turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return _jpeg(image, exif=exif)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _blurred(image: Image.Image) -> bytes:
    return _jpeg(image.filter(ImageFilter.GaussianBlur(0.02 * min(image.size))))


FAULTS: dict[str, Callable[[Image.Image], bytes]] = {
    "dark": lambda image: _jpeg(image.point(lambda level: level * 0.15)),
    "light": lambda image: _jpeg(Image.blend(image, Image.new("RGB", image.size, "white"), 0.75)),
    "blurry": _blurred,
    "tiny": lambda image: _jpeg(image.resize((40, 30))),
    "exif_rotated": _turned,
    "truncated": lambda image: _jpeg(image)[: len(_jpeg(image)) // 2],
    "wrong_extension": _png,
    "not_an_image": lambda image: b"<!DOCTYPE html><title>404</title>" + b" " * 5000,
    "low_information": lambda image: _jpeg(Image.new("RGB", image.size, (90, 90, 90))),
}


def _facts(content: bytes) -> Facts:
    return look_at(content, [Shown(TRANSFORM)], decoding=Decoding()).facts


@pytest.mark.parametrize(
    ("folder", "pattern"), [("ants_bees/train", "*/*.jpg"), ("land_cover", "*/*.jpg")]
)
def test_planted_faults_are_found_and_hardly_anything_else(
    make_input, paths_of, test_data: Path, folder, pattern
):
    draw = np.random.default_rng(4)
    files = sorted((test_data / folder).glob(pattern))
    files = [files[one] for one in sorted(draw.choice(len(files), 200, replace=False))]
    facts = [_facts(one.read_bytes()) for one in files]
    planted: dict[str, set[int]] = {}
    free = iter(draw.permutation(len(files)))
    for kind, fault in FAULTS.items():
        planted[kind] = {int(next(free)) for _ in range(EACH)}
        for row in planted[kind]:
            with Image.open(files[row]) as image:
                facts[row] = _facts(fault(image.convert("RGB")))
    paths = [f"{one.parent.name}/{one.name}" for one in files]
    data = make_input([one.parent.name for one in files], facts=facts, paths=paths)
    audit = run_audit(data, only=tuple(FAULTS))
    for kind, rows in planted.items():
        named = paths_of(audit.findings, kind)
        right = {paths[row] for row in rows}
        assert right <= named, kind
        others = {path for other in planted.values() for path in (paths[row] for row in other)}
        assert len(named - others) <= 2, kind


def test_the_not_found_gif_among_the_ants_is_a_placeholder(make_input, paths_of, test_data: Path):
    files = sorted((test_data / "ants_bees" / "train").glob("*/*"))[:180]
    facts = [_facts(one.read_bytes()) for one in files]
    paths = [f"{one.parent.name}/{one.name}" for one in files]
    data = make_input([one.parent.name for one in files], facts=facts, paths=paths)
    audit = run_audit(data, only=("placeholder",))
    assert paths_of(audit.findings, "placeholder") == {"ants/imageNotFound.gif"}
