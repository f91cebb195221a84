"""Standardising and PCA: as scikit-learn does them, learned from training rows alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from tellapart.heads.logistic import fit_head
from tellapart.heads.prepare import Table, gram, preparation
from tellapart.heads.settings import Setting


def table(n: int, d: int) -> np.ndarray:
    random = np.random.default_rng(n * d)
    spread = np.linspace(3, 0.5, d)
    return (random.normal(2, 1, (n, d)) * spread).astype(np.float16)


@pytest.mark.parametrize(("n", "d"), [(300, 40), (30, 200)])
@pytest.mark.parametrize("standardised", [False, True])
def test_components_are_those_of_scikit_learn(n: int, d: int, standardised: bool) -> None:
    features = table(n, d).astype(np.float32)
    wide = StandardScaler().fit_transform(features) if standardised else features
    theirs = PCA(8, svd_solver="full").fit_transform(wide)
    ours = preparation(features, standardised=standardised, pca=8)(features)
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs * signs, atol=2e-3)


def test_no_more_components_than_there_are() -> None:
    few, narrow = table(5, 40), table(60, 7)
    assert preparation(few, standardised=False, pca=100)(few).shape == (5, 4)
    assert preparation(narrow, standardised=False, pca=100)(narrow).shape == (60, 7)
    same = np.ones((9, 6), np.float32)
    assert np.isfinite(preparation(same, standardised=True, pca=3)(same)).all()


def test_half_floats_in_chunks_are_as_good_as_all_at_once() -> None:
    features = table(9_000, 12)
    wide = features.astype(np.float32)
    prepare = preparation(features, standardised=True)
    np.testing.assert_allclose(prepare.mean, wide.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(prepare.scale, wide.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(gram(Table(features)), wide.T @ wide, rtol=1e-4)
    found = Table(features, preparation(features, standardised=True, pca=5))
    assert found.width == 5
    np.testing.assert_array_equal(found.rows(slice(0, 4)), found.all()[:4])


@pytest.mark.parametrize("standardised", [False, True])
def test_a_head_takes_its_preparation_in(standardised: bool) -> None:
    features = table(200, 30).astype(np.float32)
    labels = (features[:, 0] + features[:, 3] > np.median(features[:, 0] + features[:, 3])) * 1
    head = fit_head(features, labels, 2, Setting(1.0, False, standardised, pca=6), 1.0)
    prepare = preparation(features, standardised=standardised, pca=6)
    from sklearn.linear_model import LogisticRegression

    theirs = LogisticRegression(tol=1e-8, max_iter=5_000).fit(prepare(features), labels)
    assert head.weights.shape == (30, 2)
    np.testing.assert_allclose(
        head.probabilities(features), theirs.predict_proba(prepare(features)), atol=2e-3
    )
