from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from tellapart.reports.landscape import TILE, tile_sheet, two_components


@pytest.mark.parametrize("shape", [(40, 8), (12, 300)])
def test_components_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    features = np.random.default_rng(0).normal(size=shape) * np.linspace(1, 4, shape[1])
    places, share = two_components(features.astype(np.float32))
    reference = PCA(2, svd_solver="full").fit(features.astype(np.float32))
    expected = reference.transform(features.astype(np.float32))
    for axis in range(2):
        assert abs(np.corrcoef(places[:, axis], expected[:, axis])[0, 1]) > 0.99999
    assert share == pytest.approx(reference.explained_variance_ratio_.sum(), rel=1e-4)
    assert places.min(axis=0) == pytest.approx(0)
    assert places.max(axis=0) == pytest.approx(1)


@pytest.mark.parametrize("features", [np.ones((5, 4)), np.zeros((3, 1)), np.zeros((1, 9))])
def test_pictures_without_difference_lie_in_the_middle(features: np.ndarray) -> None:
    places, share = two_components(features)
    assert share == 0
    assert (places == 0.5).all()


def test_features_of_one_column_still_make_a_map() -> None:
    places, share = two_components(np.arange(6.0)[:, None])
    assert places.shape == (6, 2)
    assert share == pytest.approx(1)


def _jpeg(size: tuple[int, int], colour: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG")
    return written.getvalue()


def test_tiles_hold_their_pictures_in_shape() -> None:
    thumbnails = {"r": _jpeg((96, 48), "red"), "b": _jpeg((30, 96), "blue")}
    sheet, places = tile_sheet(["r", "none", "b", "r"], thumbnails)
    assert places[1] is None
    assert places[0] == places[3] == (0, 0, TILE, TILE // 2)
    assert places[2] == (TILE, 0, 15, TILE)
    picture = Image.open(io.BytesIO(sheet)).convert("RGB")
    assert picture.getpixel((20, 10))[0] > 200  # type: ignore[index]
    assert picture.getpixel((TILE + 7, 20))[2] > 200  # type: ignore[index]


def test_no_thumbnails_make_no_sheet() -> None:
    assert tile_sheet(["a"], {}) == (b"", [None])
