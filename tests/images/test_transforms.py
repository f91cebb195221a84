"""Resize and crop: against timm's and torchvision's arithmetic."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tellapart.images.transforms import Transform, apply, scaled_size


def test_json_there_and_back(make):
    again = Transform.from_json(json.loads(json.dumps(make.lite0.to_json())))
    assert again == make.lite0
    assert hash(again) == hash(make.lite0)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("size", 0, "size is 0"),
        ("fit", "stretch", "'crop' or 'squash'"),
        ("crop_share", 1.5, "crop_share is 1.5"),
        ("crop_share", 1e-7, "crop_share is 1e-07: 0.1 to 1 are allowed"),
        ("size", 100_000, "size is 100000: 1 to 4,096 pixels are allowed"),
        ("interpolation", "cubic", "interpolation is 'cubic'"),
        ("mean", [1, 2], "mean and std need as many numbers"),
        ("std", [1, 0, 1], "numbers above 0"),
        ("mean", [1, float("nan"), 1], "finite"),
    ],
)
def test_wrong_fields_are_refused(make, field, value, words):
    with pytest.raises(ValueError, match=words):
        Transform.from_json({**make.lite0.to_json(), field: value})


def test_missing_field_is_named(make):
    value = make.lite0.to_json()
    del value["std"]
    with pytest.raises(ValueError, match="std"):
        Transform.from_json(value)


def test_short_side_is_timms(make):
    assert make.lite0.short_side == 256
    assert Transform(240, "crop", 0.875, "bicubic", (0, 0, 0), (1, 1, 1)).short_side == 274
    assert Transform(240, "squash", 0.875, "bicubic", (0, 0, 0), (1, 1, 1)).short_side == 240


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (224, 224), (90, 61), (257, 256), (1, 1)])
def test_crop_equals_resize_then_centre(make, size):
    image = make.photo(*size)
    width, height = scaled_size(size, 256)
    assert min(width, height) == 256
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - 224) / 2), round((height - 224) / 2)
    expected = np.asarray(resized)[top : top + 224, left : left + 224]
    pixels = apply(make.lite0, image)
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, expected)


def test_squash_takes_the_whole_picture(make):
    image = make.photo(90, 40)
    squash = Transform(32, "squash", 1.0, "bilinear", (0, 0, 0), (1, 1, 1))
    expected = np.asarray(image.resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(apply(squash, image), expected)


@pytest.mark.parametrize("size", [(9000, 30), (30, 9000), (6000, 1)])
def test_very_long_pictures_cost_no_more(make, size):
    """The ends that the crop drops anyway are cut before resizing; the centre stays the same."""
    image = make.photo(*size)
    pixels = apply(make.lite0, image)
    assert pixels.shape == (224, 224, 3)
    short, long = min(size), max(size)
    start = (long - 8 * short) // 2
    box = (start, 0, start + 8 * short, short)
    centre = image.crop(box if size[0] > size[1] else (box[1], box[0], box[3], box[2]))
    assert np.array_equal(pixels, apply(make.lite0, centre))
