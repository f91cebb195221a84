"""Decoding any number of bands, from the formats that hold them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from tellapart.images.decode import decode, parse_bands
from tellapart.images.problems import ImageProblem
from tellapart.settings import Decoding


def decoded(data: bytes, bands: str):
    return decode(data, short_side=256, decoding=Decoding(bands=parse_bands(bands)))


def stack(found) -> np.ndarray:
    return np.dstack([np.asarray(found.image), *(np.asarray(one) for one in found.extra)])


def test_four_bands_of_a_png(make):
    rgba = Image.merge("RGBA", [*make.photo().split(), make.photo(seed=1).getchannel("R")])
    found = decoded(make.encoded(rgba, "PNG"), "R,G,B,N")
    assert np.array_equal(stack(found), np.asarray(rgba))
    again = decoded(make.encoded(rgba, "PNG"), "4,2,1,3,3")
    assert np.array_equal(stack(again), np.asarray(rgba)[:, :, [3, 1, 0, 2, 2]])


def test_one_band_is_gray_and_two_repeat_the_second(make):
    data = make.encoded(make.photo(), "PNG")
    pixels = np.asarray(make.photo())
    one, two = decoded(data, "B"), decoded(data, "B,R")
    assert (one.extra, two.extra) == ((), ())
    assert np.array_equal(stack(one), pixels[:, :, [2, 2, 2]])
    assert np.array_equal(stack(two), pixels[:, :, [2, 0, 0]])


@pytest.mark.parametrize("orientation", [1, 6])
def test_seven_bands_of_16_bits_are_scaled_together_and_turned_alike(make, orientation):
    values = (np.dstack([make.ramp() * (one + 1) / 7 for one in range(7)]) * 65_535).astype("<u2")
    data = make.tiff(values, extratags=[(274, "H", 1, orientation, True)])
    found = decoded(data, "1,2,3,7,5")
    expected = np.round(values[:, :, [0, 1, 2, 6, 4]] / 257).astype(np.uint8)
    if orientation == 6:
        expected = np.rot90(expected, -1)
    assert np.abs(stack(found).astype(int) - expected).max() <= 1
    assert found.bands == 7


def test_large_pictures_shrink_in_every_band(make):
    rgba = make.photo(1200, 1000).convert("RGBA")
    found = decoded(make.encoded(rgba, "PNG"), "R,G,B,A")
    assert found.image.size == found.extra[0].size == (400, 334)
    assert found.is_reduced


def test_the_fourth_band_of_aerial_tiff_files(test_data):
    """Of three of these six Pillow drops near infrared without a word."""
    files = sorted((test_data / "naip_tif").glob("*.tif"))
    assert len(files) == 6
    kept = 0
    for file in files:
        with Image.open(file) as opened:
            kept += len(opened.getbands()) == 4
        found = decoded(file.read_bytes(), "R,G,B,N")
        assert np.array_equal(stack(found), tifffile.imread(file))
    assert kept == 3


def test_a_band_that_is_not_there(make):
    with pytest.raises(ImageProblem, match="band N was asked for, but the file has 3 bands"):
        decoded(make.encoded(make.photo(), "JPEG"), "R,G,B,N")
