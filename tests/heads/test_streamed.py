"""Mini-batches: the answers of scikit-learn's optimum, whatever the features' scale."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tellapart.heads import fitting
from tellapart.heads.fitting import fit_setting
from tellapart.heads.prepare import Table
from tellapart.heads.settings import Setting
from tellapart.heads.streamed import fit_streamed


def digits() -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    keep = data.target < 5
    features = data.data[keep] / 16
    noise = np.random.default_rng(0).normal(0, 0.3, features.shape)
    return (features + noise).astype(np.float16), data.target[keep]


@pytest.mark.parametrize(("balanced", "scale"), [(False, 1e-2), (True, 1.0), (False, 1e2)])
def test_batches_come_near_the_optimum(balanced: bool, scale: float) -> None:
    features, labels = digits()
    rows = np.concatenate([np.flatnonzero(labels > 0), np.flatnonzero(labels == 0)[:40]])
    wide, labels = features[rows].astype(np.float32) * scale, labels[rows]
    setting = Setting(0.1 / scale**2, balanced, False)
    ours = fit_streamed(Table(wide), labels, 5, [setting], 0)[0].probabilities(wide)
    theirs = LogisticRegression(  # the same problem in features of scale 1
        C=0.1, class_weight="balanced" if balanced else None, tol=1e-8, max_iter=9_000
    ).fit(wide.astype(float) / scale, labels)
    np.testing.assert_allclose(ours, theirs.predict_proba(wide.astype(float) / scale), atol=0.02)


def test_past_many_rows_the_logistic_head_is_fitted_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, labels = digits()
    setting = Setting(0.1, False, True, pca=20)
    whole = fit_setting(features, labels, 5, setting, 1.0, 0).probabilities(features)
    monkeypatch.setattr(fitting, "MANY_ROWS", 500)
    first = fit_setting(features, labels, 5, setting, 1.0, 0)
    again = fit_setting(features, labels, 5, setting, 1.0, 0)
    np.testing.assert_array_equal(first.arrays()["weights"], again.arrays()["weights"])
    found = first.probabilities(features)
    assert not np.array_equal(found, whole)
    assert np.abs(found - whole).mean() < 0.005
    assert (found.argmax(axis=1) == whole.argmax(axis=1)).mean() > 0.985
