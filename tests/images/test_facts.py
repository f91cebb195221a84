"""Facts against what they mean, computed in another way."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tellapart.images.decode import decode
from tellapart.images.facts import Facts, measure
from tellapart.images.look import reference_image
from tellapart.settings import Decoding


def facts_of(make, image: Image.Image) -> Facts:
    decoded = decode(make.encoded(image, "PNG"), short_side=256, decoding=Decoding())
    reference = reference_image(decoded.image)
    return measure(decoded, reference, identity="x", file_bytes=1)


@pytest.fixture(scope="module")
def noise() -> Image.Image:
    levels = np.random.default_rng(0).normal(120, 30, (250, 180, 3)).clip(0, 255)
    return Image.fromarray(levels.astype(np.uint8))


def test_luma_statistics(make, noise):
    facts = facts_of(make, noise)
    luma = np.asarray(noise.convert("L"), np.float64)
    shares = np.bincount(luma.astype(int).ravel(), minlength=256) / luma.size
    shares = shares[shares > 0]
    assert facts.brightness == pytest.approx(luma.mean())
    assert facts.contrast == pytest.approx(luma.std())
    assert facts.entropy == pytest.approx(-(shares * np.log2(shares)).sum())


def test_border(make, noise):
    framed = noise.copy()
    inner = noise.crop((7, 7, 173, 243))  # 4 % of 180 px is 7
    framed.paste((200, 200, 200), (0, 0, 180, 250))
    framed.paste(inner, (7, 7))
    facts = facts_of(make, framed)
    assert facts.border == pytest.approx(200)
    assert facts.border_spread == 0
    luma = np.asarray(noise.convert("L"), np.float64)
    ring = np.ones(luma.shape, bool)
    ring[7:-7, 7:-7] = False
    assert facts_of(make, noise).border == pytest.approx(luma[ring].mean())
    assert facts_of(make, noise).border_spread == pytest.approx(luma[ring].std())


def test_sharpness_is_the_variance_of_the_laplacian(make, noise):
    luma = np.asarray(noise.convert("L"), np.float64)
    edges = (
        luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    )
    assert facts_of(make, noise).sharpness == pytest.approx(edges[::2].var(), rel=1e-4)
    assert facts_of(make, noise).sharpness == pytest.approx(edges.var(), rel=0.03)
    smooth = noise.resize((18, 25)).resize(noise.size, Image.Resampling.BICUBIC)
    assert facts_of(make, smooth).sharpness < 0.02 * facts_of(make, noise).sharpness


def test_saturation(make):
    assert facts_of(make, Image.new("RGB", (300, 200), (10, 60, 210))).saturation == 200
    assert facts_of(make, Image.new("L", (300, 200), 77)).saturation == 0


def test_flat_pictures(make):
    facts = facts_of(make, Image.new("RGB", (400, 300), (50, 50, 50)))
    assert (facts.brightness, facts.contrast, facts.entropy, facts.sharpness) == (50, 0, 0, 0)
    assert (facts.border, facts.border_spread) == (50, 0)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 2), (1, 500), (3000, 2), (9, 9)])
def test_tiny_pictures(make, size):
    facts = facts_of(make, Image.new("RGB", size, (50, 60, 70)))
    assert (facts.width, facts.height) == size
    assert facts.brightness == pytest.approx(58, abs=1)
    assert facts.sharpness == 0
    assert len(facts.master) == 128 * 128
    Image.open(io.BytesIO(facts.thumbnail)).load()


def test_master_is_the_mean_of_areas(make):
    photo = make.photo(512, 384)
    facts = facts_of(make, photo)
    master = np.frombuffer(facts.master, np.uint8).reshape(128, 128)
    exact = photo.convert("L").resize((128, 128), Image.Resampling.BOX)
    assert np.abs(master.astype(int) - np.asarray(exact)).mean() < 1


@pytest.mark.parametrize(
    ("size", "long"),
    [((60, 40), 60), ((96, 96), 96), ((100, 80), 96), ((341, 256), 86), ((1024, 256), 94)],
)
def test_thumbnail(make, size, long):
    photo = make.photo(*size)
    thumbnail = Image.open(io.BytesIO(facts_of(make, photo).thumbnail))
    assert thumbnail.format == "JPEG"
    assert max(thumbnail.size) == long
    assert make.distance(thumbnail.convert("RGB"), photo.resize(thumbnail.size)) < 9


def test_thumbnails_carry_no_words_of_the_file(make):
    data = make.encoded(make.photo(), "JPEG", comment=b"taken by X", exif=b"Exif\x00\x00owner X")
    decoded = decode(data, short_side=256, decoding=Decoding())
    facts = measure(decoded, decoded.image, identity="x", file_bytes=1)
    assert b"taken by X" in data
    assert b"owner X" in data
    assert b"taken by" not in facts.thumbnail
    assert b"owner" not in facts.thumbnail


def test_the_master_outlives_compression(make, test_data):
    """What duplicates are found by hardly moves when a picture is saved again or made smaller."""
    image = Image.open(test_data / "cats_dogs" / "cat" / "cat.1009.jpg").convert("RGB")
    again = decode(
        make.encoded(image.resize((264, 300)), "JPEG", quality=60),
        short_side=256,
        decoding=Decoding(),
    )
    first = facts_of(make, image)
    second = measure(again, reference_image(again.image), identity="y", file_bytes=1)
    masters = [np.frombuffer(facts.master, np.uint8).astype(float) for facts in (first, second)]
    assert np.corrcoef(*masters)[0, 1] > 0.99
