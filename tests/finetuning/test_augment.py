"""Augmented views: the same whenever drawn, of the right size, mirrored only where allowed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tellapart.finetuning.augment import (
    AREA,
    OPERATIONS,
    POLICIES,
    crop_box,
    rng_for,
    training_view,
)


def picture() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (60, 90, 3), dtype=np.uint8))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_view_hangs_on_seed_picture_and_number_alone(policy):
    first, again, other = (
        training_view(picture(), 32, policy, mirror=True, rng=rng_for(0, "a", view))
        for view in (0, 0, 1)
    )
    assert first.shape == (32, 32, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("view", range(4))
def test_the_same_draws_change_further_bands(policy, view):
    """A fourth band that is equal to a gray picture's others stays equal to them."""
    gray = picture().convert("L")
    seen = training_view(
        gray.convert("RGB"), 32, policy, mirror=True, rng=rng_for(0, "a", view), extra=[gray] * 2
    )
    assert seen.shape == (32, 32, 5)
    assert np.array_equal(seen, np.repeat(seen[:, :, :1], 5, axis=2))


def test_without_mirror_left_stays_left():
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 8, 64))
    image.paste((90, 90, 90), (56, 0, 64, 64))
    sides = {True: set(), False: set()}
    for mirror, found in sides.items():
        for view in range(40):
            seen = training_view(image, 32, "none", mirror=mirror, rng=rng_for(0, "a", view))
            found.add(bool(seen[:, :16].mean() < seen[:, 16:].mean()))
    assert sides[True] == {True, False}
    assert len([view for view in sides[False] if view]) <= 1


def test_crops_lie_inside_and_keep_enough():
    rng = np.random.default_rng(0)
    for _ in range(200):
        left, top, right, bottom = crop_box((90, 60), rng)
        assert 0 <= left < right <= 90
        assert 0 <= top < bottom <= 60
        assert AREA[0] - 1e-9 <= (right - left) * (bottom - top) / 5400 <= AREA[1] + 1e-9


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
@pytest.mark.parametrize("strength", [-1.0, 0.3, 1.0])
def test_every_operation_gives_a_picture_of_the_same_size(number, strength):
    found = OPERATIONS[number](picture(), strength)
    assert (found.size, found.mode) == ((90, 60), "RGB")
