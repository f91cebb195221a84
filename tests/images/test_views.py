"""What networks are shown: bands, corners, mirror images; nothing depends on what else is shown."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.errors import OptionError
from tellapart.images.look import decode_side, look_at
from tellapart.images.transforms import Transform, apply
from tellapart.images.views import VIEWS, Shown, first_views, show
from tellapart.settings import Decoding

SMALL = Transform(32, "squash", 1.0, "bicubic", (0.0,) * 3, (255.0,) * 3)
LARGE = Transform(300, "crop", 0.875, "bicubic", (127.5,) * 3, (127.5,) * 3)


def test_the_first_views_alternate_with_their_mirror_images():
    assert first_views(1, mirror=True) == ("whole",)
    assert first_views(3, mirror=True) == ("whole", "whole, mirrored", "middle")
    assert first_views(3, mirror=False) == ("whole", "middle", "top left")
    assert len(first_views(12, mirror=True)) == len(VIEWS)
    for count, mirror in ((0, True), (13, True), (7, False)):
        with pytest.raises(OptionError, match=f"--views {count}: 1 to "):
            first_views(count, mirror=mirror)


def test_a_view_is_that_part_of_the_picture(make):
    image = make.photo(200, 120)
    wanted = [Shown(SMALL, view=name) for name in VIEWS]
    shown = dict(zip(VIEWS, show(wanted, image), strict=True))
    assert np.array_equal(shown["whole"], apply(SMALL, image))
    assert np.array_equal(shown["whole, mirrored"], apply(SMALL, image)[:, ::-1])
    assert np.array_equal(shown["middle"], apply(SMALL, image.crop((12, 7, 188, 112))))
    assert np.array_equal(shown["top left"], apply(SMALL, image.crop((0, 0, 150, 90))))
    corner = apply(SMALL, image.crop((50, 30, 200, 120)))
    assert np.array_equal(shown["bottom right, mirrored"], corner[:, ::-1])
    assert len({one.tobytes() for one in shown.values()}) == len(VIEWS)


@pytest.mark.parametrize("size", [(3, 2), (1, 1), (4000, 3)])
def test_tiny_pictures_have_every_view(make, size):
    wanted = [Shown(SMALL, view=name) for name in VIEWS]
    assert {one.shape for one in show(wanted, make.photo(*size))} == {(32, 32, 3)}


def test_bands_are_picked_and_ordered(make):
    image = make.photo(80, 60)
    extra = make.photo(80, 60, seed=1).getchannel("G")
    every, false_colours = show(
        [Shown(SMALL, (0, 1, 2, 3)), Shown(SMALL, (3, 0, 1))], image, [extra]
    )
    assert np.array_equal(every[:, :, :3], apply(SMALL, image))
    assert np.array_equal(every[:, :, 3], apply(SMALL, extra))
    assert np.array_equal(false_colours, every[:, :, [3, 0, 1]])


@pytest.mark.parametrize("size", [(1500, 1100), (700, 500), (90, 60)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_an_input_does_not_depend_on_what_else_is_wanted(make, size, file_format):
    """Else predict, which wants less than a run that chooses among sizes, would see otherwise."""
    data = make.encoded(make.photo(*size), file_format)
    wanted = [
        Shown(make.lite0), Shown(LARGE), Shown(SMALL), Shown(make.lite0, view="top left"),
    ]  # fmt: skip
    together = look_at(data, wanted, decoding=Decoding())
    for one, pixels in zip(wanted, together.pixels, strict=True):
        alone = look_at(data, [one], decoding=Decoding(), facts=False)
        assert np.array_equal(alone.pixels[0], pixels)
    assert together.facts == look_at(data, [Shown(SMALL)], decoding=Decoding()).facts


def test_the_side_that_is_decoded(make):
    assert decode_side(Shown(make.lite0)) == decode_side(Shown(SMALL)) == 256
    assert decode_side(Shown(LARGE)) == 512
    assert decode_side(Shown(make.lite0, view="top left")) == 512
