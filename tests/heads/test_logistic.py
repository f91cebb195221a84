"""The fit: what scikit-learn gives at the same settings, in one matrix and one vector."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tellapart.heads.fitting import fit_setting
from tellapart.heads.kinds import usual_setting
from tellapart.heads.logistic import Setting, fit_head


def digits(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Real pictures of digits, fewer of the higher ones, so that class weights matter."""
    data = load_digits()
    rank = np.array([(data.target[:row] == one).sum() for row, one in enumerate(data.target)])
    keep = (data.target < classes) & (rank < 120 - 10 * data.target)
    return data.data[keep].astype(np.float32) / 16, data.target[keep]


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("c", [0.01, 1.0])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("standardised", [False, True])
def test_probabilities_are_those_of_scikit_learn(
    classes: int, c: float, balanced: bool, standardised: bool
) -> None:
    features, labels = digits(classes)
    head = fit_head(features, labels, classes, Setting(c, balanced, standardised), 1.0)
    theirs = LogisticRegression(
        C=c, class_weight="balanced" if balanced else None, max_iter=5_000, tol=1e-8
    )
    if standardised:
        theirs = make_pipeline(StandardScaler(), theirs)
    expected = theirs.fit(features.astype(np.float64), labels).predict_proba(features)
    # float32 against float64
    np.testing.assert_allclose(head.probabilities(features), expected, atol=2e-3)


def test_the_temperature_divides_the_scores() -> None:
    features, labels = digits(3)
    plain = fit_head(features, labels, 3, Setting(1.0, False, True), 1.0)
    warm = fit_head(features, labels, 3, Setting(1.0, False, True), 2.0)
    np.testing.assert_allclose(
        np.log(warm.probabilities(features[:9])[:, 0] / warm.probabilities(features[:9])[:, 1]) * 2,
        np.log(plain.probabilities(features[:9])[:, 0] / plain.probabilities(features[:9])[:, 1]),
        rtol=1e-3,
        atol=1e-4,
    )


def test_constant_features_are_harmless() -> None:
    features, labels = digits(3)
    constant = np.full((len(features), 2), [0.0, 1e4], np.float32)
    for standardised in (False, True):
        setting = Setting(1.0, False, standardised)
        head = fit_head(np.hstack([features, constant]), labels, 3, setting, 1.0)
        assert np.isfinite(head.weights).all()
        if standardised:
            alone = fit_head(features, labels, 3, setting, 1.0)
            np.testing.assert_allclose(head.weights[:-2], alone.weights, atol=1e-3)


def test_the_features_are_not_changed() -> None:
    features, labels = digits(3)
    before = features.copy()
    fit_head(features, labels, 3, Setting(1.0, False, True), 1.0)
    np.testing.assert_array_equal(features, before)


@pytest.mark.parametrize("kind", ["logistic", "svm", "mlp"])
def test_many_classes_of_one_picture_are_no_warning(kind: str) -> None:
    """scikit-learn takes so many labels for numbers to fit; pytest makes an error of a warning."""
    features = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    head = fit_setting(features, np.arange(30), 30, usual_setting(kind), 1.0, 0)
    assert head.scores(features).shape == (30, 30)
