import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from tellapart.evaluation.intervals import Z, effective_pictures, mean_interval, share_interval

counts = st.lists(
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=12,
)


def recalls_and_spread(pairs):
    hits, pictures = np.array(pairs, float).T
    return hits / pictures, np.diag(1 / pictures)


def wilson(hits, pictures):
    found = binomtest(hits, pictures).proportion_ci(0.95, method="wilson")
    return found.low, found.high


@pytest.mark.parametrize(
    ("hits", "pictures"), [(24, 24), (0, 24), (60, 60), (0, 7), (50, 100), (80, 100)]
)
def test_is_wilsons_where_nothing_is_skewed_against_it(hits, pictures):
    low, high = share_interval(np.array([hits / pictures]), np.array([pictures]))
    expected = wilson(hits, pictures)
    slack = 1e-7 if hits in (0, pictures) else 0.006  # elsewhere skewness widens it a little
    assert expected[0] - slack <= low[0] <= expected[0] + 1e-7
    assert expected[1] - 1e-7 <= high[0] <= expected[1] + slack


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_never_narrower_than_wilson(pair):
    hits, pictures = pair
    low, high = share_interval(np.array([hits / pictures]), np.array([pictures]))
    expected = wilson(hits, pictures)
    assert low[0] <= expected[0] + 1e-7
    assert high[0] >= expected[1] - 1e-7


def test_one_error_in_many_does_not_shut_out_a_better_truth():
    # with 59 of 60 Wilson ends at 0.9971, so a truth of 0.998 is missed in 11 % of all draws
    assert wilson(59, 60)[1] < 0.998
    assert share_interval(np.array([59 / 60]), np.array([60.0]))[1][0] > 0.998


@settings(deadline=None, max_examples=50)
@given(counts)
def test_holds_the_estimate_and_stays_in_bounds(pairs):
    recalls, spread = recalls_and_spread(pairs)
    low, high = mean_interval(recalls, spread)
    assert 0 <= low <= recalls.mean() <= high <= 1
    assert high > low


@settings(deadline=None, max_examples=50)
@given(counts, st.randoms())
def test_order_of_classes_does_not_matter(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one = mean_interval(*recalls_and_spread(pairs))
    other = mean_interval(*recalls_and_spread(shuffled))
    assert np.allclose(one, other, atol=1e-8)


@settings(deadline=None, max_examples=50)
@given(counts)
def test_right_and_wrong_are_mirror_images(pairs):
    recalls, spread = recalls_and_spread(pairs)
    low, high = mean_interval(recalls, spread)
    low_of_wrong, high_of_wrong = mean_interval(1 - recalls, spread)
    assert np.allclose([low, high], [1 - high_of_wrong, 1 - low_of_wrong], atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(counts)
def test_more_pictures_at_the_same_recalls_are_surer(pairs):
    recalls, spread = recalls_and_spread(pairs)
    low, high = mean_interval(recalls, spread)
    surer_low, surer_high = mean_interval(recalls, spread / 4)
    assert surer_high - surer_low < high - low + 1e-9


def test_a_perfect_score_is_not_certain():
    low, high = mean_interval(np.array([1.0, 1.0]), np.diag([1 / 60, 1 / 7]))
    assert high == 1
    assert 0.7 < low < 0.9


def test_batches_give_what_single_calls_give():
    rng = np.random.default_rng(0)
    recalls = rng.random((6, 3))
    spread = np.diag([1 / 9, 1 / 20, 1 / 40])
    together = np.array(mean_interval(recalls, spread)).T
    alone = [np.array(mean_interval(one, spread)) for one in recalls]
    assert np.allclose(together, alone)


def test_effective_pictures_of_one_class_are_its_pictures():
    assert effective_pictures(np.array([0.9]), np.array([[1 / 50]])) == pytest.approx(50)


def wald(recalls, pictures):
    deviation = np.sqrt((recalls * (1 - recalls) / pictures).sum(axis=1)) / len(pictures)
    return recalls.mean(axis=1) - Z * deviation, recalls.mean(axis=1) + Z * deviation


CELLS = [
    ((60, 7), (0.99, 0.85)),
    ((80, 10), (0.999, 0.95)),
    ((50,) * 10 + (5,), (0.97,) * 10 + (0.7,)),
    ((2,) * 30, (0.8,) * 30),
]


@pytest.mark.parametrize(("pictures", "truth"), CELLS)
def test_covers_the_truth(pictures, truth):
    rng = np.random.default_rng(1)
    sizes = np.array(pictures, float)
    recalls = rng.binomial(pictures, truth, (3000, len(pictures))) / sizes
    low, high = mean_interval(recalls, np.diag(1 / sizes))
    mean = np.mean(truth)
    assert ((low <= mean) & (mean <= high)).mean() >= 0.935  # 0.93 plus what 3,000 draws can miss
    plain_low, plain_high = wald(recalls, sizes)
    assert ((plain_low <= mean) & (mean <= plain_high)).mean() < 0.90  # the test has teeth


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 200), st.integers(2, 100_000))
def test_covers_exactly_one_share(errors_in_ten_thousand, pictures):
    truth = 1 - errors_in_ten_thousand / 10_000
    pictures = min(pictures, 2000)
    hits = np.arange(pictures + 1)
    low, high = share_interval(hits / pictures, np.full(len(hits), float(pictures)))
    from scipy.stats import binom

    inside = (low <= truth + 1e-9) & (truth <= high + 1e-9)
    assert binom.pmf(hits, pictures, truth)[inside].sum() >= 0.93
