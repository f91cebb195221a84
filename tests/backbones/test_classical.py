"""Classical features against what other code computes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tellapart.backbones import get_backbone
from tellapart.backbones.classical import LEVELS, colours, get_classical, values
from tellapart.engines.classical import ClassicalEngine
from tellapart.errors import BackboneError


@pytest.fixture
def pixels() -> np.ndarray:
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (3, 8, 8, 4), np.uint8).repeat(16, axis=1).repeat(16, axis=2)
    return np.clip(smooth.astype(int) + rng.integers(-20, 20, smooth.shape), 0, 255).astype("u1")


def test_colours(pixels: np.ndarray) -> None:
    found = colours(pixels)
    assert found.shape == (3, 4 * (LEVELS + 3) + 6)
    for row, picture in zip(found, pixels.reshape(3, -1, 4).astype(float), strict=True):
        for band in range(4):
            counts, _ = np.histogram(picture[:, band], bins=LEVELS, range=(0, 256))
            shares = row[band * LEVELS : (band + 1) * LEVELS]
            np.testing.assert_allclose(shares, counts / len(picture), atol=1e-6)
        mean, spread, skew = row[4 * LEVELS : 4 * (LEVELS + 3)].reshape(3, 4)
        np.testing.assert_allclose(mean, picture.mean(axis=0) / 255, atol=1e-6)
        np.testing.assert_allclose(spread, picture.std(axis=0) / 255, atol=1e-6)
        third = stats.moment(picture / 255, 3)
        np.testing.assert_allclose(skew, np.cbrt(third), atol=1e-6)
        expected = np.corrcoef(picture.T)[np.triu_indices(4, 1)]
        np.testing.assert_allclose(row[4 * (LEVELS + 3) :], expected, atol=1e-5)


def test_a_flat_picture_has_finite_colours() -> None:
    assert np.isfinite(colours(np.full((1, 64, 64, 3), 200, np.uint8))).all()


def test_gradients_see_edges_whatever_their_colour() -> None:
    pytest.importorskip("skimage")
    hog = get_backbone("hog")
    assert hog.compute is not None
    picture = np.zeros((2, 128, 128, 3), np.uint8)
    picture[0, :, ::16] = 255  # upright lines in white, and in red alone
    picture[1, :, ::16, 0] = 255
    white, red = hog.compute(picture)
    assert len(white) == hog.features
    np.testing.assert_allclose(white, red, atol=1e-6)
    turned = hog.compute(picture.swapaxes(1, 2))[0]
    assert white @ turned < 0.1 * (white @ white)


def test_pixel_values_are_exact_in_float16(pixels: np.ndarray) -> None:
    found = values(pixels)
    assert np.array_equal(found.astype(np.float16).astype(np.float32), found)
    assert (found.min() >= -1, found.max() <= 1) == (True, True)


@pytest.mark.parametrize(
    ("name", "size", "features"), [("pca:100", 32, 3_072), ("pca:3000", 32, 3_072),
                                   ("pca:3073", 64, 12_288)]
)  # fmt: skip
def test_the_size_of_pixels_follows_the_components(name: str, size: int, features: int) -> None:
    backbone = get_backbone(name)
    assert (backbone.transform.size, backbone.features) == (size, features)
    assert backbone.components == int(name[4:])


def test_features_of_a_picture_do_not_depend_on_its_company(pixels: np.ndarray) -> None:
    engine = ClassicalEngine(get_classical("color", 128, 4))
    together = engine.embed(pixels)
    assert np.array_equal(together[1:2], engine.embed(pixels[1:2]))
    assert engine.embed(pixels[:0]).shape == (0, engine.features)


def test_other_sizes_and_bands_are_other_features() -> None:
    digests = {
        get_classical("color", size, bands).weights_digest
        for size in (32, 64) for bands in (3, 4)
    }  # fmt: skip
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("pca:x", None, "needs a number of components: write pca:100"),
        ("pca:0", None, "needs a number of components"),
        ("pca:400", 8, "more components than pictures of 8 x 8 pixels have values: take pca:192"),
        ("hog:2", None, "hog takes no number"),
        ("hog", 16, "hog needs 32 pixels a side or more, not 16"),
        ("color", 5_000, "color takes 1 to 4,096 pixels a side, not 5000"),
    ],
)
def test_what_cannot_be(name: str, size: int | None, words: str) -> None:
    with pytest.raises(BackboneError, match=words):
        get_classical(name, size)


def test_they_are_no_networks() -> None:
    color = get_backbone("color")
    assert not color.is_network
    for make in (color.build, color.torch_module):
        with pytest.raises(BackboneError, match="color is no network: it cannot be converted"):
            make()
