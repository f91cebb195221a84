"""What classical features keep of a picture, against scikit-learn and against what is plain."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from tellapart.backbones.classical import drawn_gradients, pixels_of, values
from tellapart.heads.prepare import preparation
from tellapart.reports.choose import first_rows
from tellapart.reports.drawings import hog_drawings, pca_drawings, variance_kept


def _opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)), float)


def test_hog_draws_lines_along_the_edges() -> None:
    pytest.importorskip("skimage")
    upright = np.zeros((128, 128, 3), np.uint8)
    upright[:, ::16] = 255
    drawn = drawn_gradients(upright)
    assert drawn.shape == (128, 128)
    assert drawn.max() == 255
    along, across = (np.abs(np.diff(drawn.astype(float), axis=axis)).sum() for axis in (0, 1))
    assert along < 0.5 * across  # along an upright line little changes
    assert not drawn_gradients(np.full((128, 128, 3), 90, np.uint8)).any()


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_hog_takes_as_many_bands_as_there_are(bands: int) -> None:
    pytest.importorskip("skimage")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, bands), np.uint8)
    (one,) = hog_drawings([("a/1.png", "a", pixels)]).pictures
    assert (one.path, one.label) == ("a/1.png", "a")
    assert Image.open(io.BytesIO(one.picture)).size == (128, 128)


def test_values_are_the_pixels_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    assert np.array_equal(pixels_of(values(pixels)[1].astype(np.float16), 8), pixels[1])


@pytest.mark.parametrize("standardised", [False, True])
def test_the_share_of_variance_is_that_of_scikit_learn(standardised: bool) -> None:
    rng = np.random.default_rng(1)
    rows = (rng.normal(size=(60, 12)) * np.linspace(1, 4, 12) + 3).astype(np.float32)
    prepare = preparation(rows, standardised=standardised, pca=4)
    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0) if standardised else rows
    share = PCA(4, svd_solver="full").fit(expected).explained_variance_ratio_.sum()
    assert variance_kept(prepare, rows) == pytest.approx(share, rel=1e-4)
    assert variance_kept(prepare, rng.normal(size=(40, 12))) < share


def test_components_rebuild_what_they_were_fitted_on_and_say_what_they_keep() -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (9, 4, 4, 3), np.uint8)
    rows = values(pixels)
    everything = preparation(rows, standardised=True, pca=40)
    found = pca_drawings([("a.png", "a", rows[0])], 4, everything, rows, rows[:0])
    one = found.pictures[0]
    assert np.abs(_opened(one.picture) - _opened(one.kept)).mean() < 2
    assert "8 numbers of each picture (so few pictures have no more) in place of" in found.words
    assert "the 48 pixel values of 4 × 4" in found.words
    assert "100.0 % of the training pictures. On" in found.words
    two = pca_drawings([("a.png", "a", rows[0])], 4, preparation(rows, standardised=False, pca=2),
                       rows, values(rng.integers(0, 256, (5, 4, 4, 3), np.uint8)))  # fmt: skip
    assert "of the pictures that judge, which had no part in choosing them" in two.words
    assert np.abs(_opened(one.picture) - _opened(two.pictures[0].kept)).mean() > 10


def test_the_first_of_every_class_stand_first() -> None:
    ids, labels = list("cbaedf"), ["x", "x", "x", "y", "y", "z"]
    assert first_rows(ids, labels, 4) == [2, 4, 5, 1]  # a of x, d of y, f of z, then b of x
