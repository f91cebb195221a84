import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tellapart.evaluation import areas


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_weighted_areas_are_scikit_learns_ties_included(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 8, 40) / 8
    own = rng.random(40) < 0.4
    own[:2] = [True, False]
    weights = rng.integers(0, 4, (40, 3)).astype(np.float32)
    weights[:2] = 1
    roc, average = areas.weighted_areas(areas.rank(scores, own), weights)
    for i in range(3):
        sample = weights[:, i]
        assert roc[i] == pytest.approx(sk.roc_auc_score(own, scores, sample_weight=sample))
        assert average[i] == pytest.approx(
            sk.average_precision_score(own, scores, sample_weight=sample)
        )


def test_curves_are_scikit_learns():
    rng = np.random.default_rng(0)
    scores, own = rng.integers(0, 30, 200) / 30, rng.random(200) < 0.3
    ranking = areas.rank(scores, own)
    wrong, right, _ = sk.roc_curve(own, scores, drop_intermediate=False)
    x, y = areas.roc_points(ranking)
    assert np.isin(np.round(x + 10 * y, 9), np.round(wrong + 10 * right, 9)).all()
    assert sk.auc(x, y) == pytest.approx(sk.auc(wrong, right))
    precision, recall, _ = sk.precision_recall_curve(own, scores)
    x, y = areas.precision_recall_points(ranking)
    expected = {(round(a, 9), round(b, 9)) for a, b in zip(recall, precision, strict=True)}
    assert {(round(a, 9), round(b, 9)) for a, b in zip(x[1:], y[1:], strict=True)} <= expected
    assert x[-1] == 1


def test_curves_are_thinned_with_both_ends():
    line = np.linspace(0, 1, 5001)
    curve = areas.thinned("roc", "a", line, line)
    assert len(curve.x) == areas.MOST_POINTS
    assert (curve.x[0], curve.x[-1]) == (0, 1)


def replicates(components, truth, losses):
    ranking = [areas.rank(losses, truth == one) for one in np.unique(truth)]
    return areas.bootstrap(losses, ranking, truth, components, seed=0)


def test_bootstrap_has_the_deviation_of_a_stratified_mean():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], [300, 100])
    losses = rng.exponential(1 + 2.0 * truth)
    deviation = replicates(np.arange(400), truth, losses).log_loss.std()
    parts = [losses[truth == one] for one in (0, 1)]
    expected = np.sqrt(sum(len(part) * part.var() for part in parts)) / 400
    assert deviation == pytest.approx(expected, rel=0.15)


def test_bootstrap_draws_whole_components():
    rng = np.random.default_rng(0)
    truth, losses = np.repeat([0, 1], 200), np.repeat(rng.exponential(size=50), 8)
    alone = replicates(np.arange(400), truth, losses).log_loss.std()
    together = replicates(np.arange(400) // 8, truth, losses).log_loss.std()
    assert together > 2 * alone


def test_classes_of_one_component_are_drawn_with_each_other():
    truth, losses = np.arange(6), np.arange(6.0)
    assert replicates(np.arange(6), truth, losses).log_loss.std() > 0.3


def test_perfect_area_is_as_sure_as_its_smaller_side():
    found = areas.area_estimate(1.0, np.ones(400), 7.0, 67, reliable=True)
    assert found.high == 1
    assert found.low == pytest.approx(7 / (7 + 1.96**2), abs=1e-3)  # Wilson: 7 of 7


def test_smaller_side():
    truth = np.repeat([0, 1], [60, 7])
    assert areas.smaller_side(truth, np.arange(67), 0.0) == pytest.approx([7, 7])


def test_replicates_that_do_not_differ_are_no_certainty() -> None:
    loss = areas.loss_estimate(0.7, np.full(50, 0.7), 1, reliable=True)
    assert (loss.value, loss.low, loss.high) == (0.7, None, None)
    area = areas.area_estimate(0.75, np.full(50, 0.75), 2.0, 4, reliable=True)
    assert area.low is not None and area.high is not None and area.high - area.low > 0.5
