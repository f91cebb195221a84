import numpy as np
import pytest

from tellapart.evaluation.calibration import calibration


def test_error_is_that_of_equal_bins_by_hand():
    rng = np.random.default_rng(0)
    sure = np.sort(rng.random(300))
    hits = rng.random(300) < sure**2
    error, curve = calibration(sure, hits)
    bins = list(zip(sure.reshape(15, 20), hits.reshape(15, 20), strict=True))
    assert error == pytest.approx(np.mean([abs(a.mean() - b.mean()) for a, b in bins]))
    assert curve.weight == (20,) * 15
    assert curve.x == pytest.approx([a.mean() for a, _ in bins])
    assert curve.y == pytest.approx([b.mean() for _, b in bins])


def test_few_pictures_have_few_bins():
    assert calibration(np.linspace(0.5, 1, 35), np.ones(35, bool))[1].weight == (12, 12, 11)
    assert calibration(np.array([0.7]), np.array([False]))[0] == pytest.approx(0.7)


def test_equal_confidences_share_a_bin_whatever_their_order():
    sure = np.full(100, 0.9)
    hits = np.arange(100) < 90
    for order in (np.arange(100), np.random.default_rng(0).permutation(100)):
        error, curve = calibration(sure, hits[order])
        assert error == pytest.approx(0)
        assert curve.weight == (100,)
