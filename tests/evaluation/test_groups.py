import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.evaluation.groups import correlation, counts_table, effective_pictures, spread
from tellapart.evaluation.intervals import mean_interval


def interval(hits, strata, components):
    recalls = np.bincount(strata, hits) / np.bincount(strata)
    alike = correlation(hits, strata, components)
    return mean_interval(recalls, spread(counts_table(strata, components), alike))


def test_spread_is_the_formula():
    strata, components = np.array([0, 0, 1, 1, 1]), np.array([0, 0, 0, 1, 2])
    found = spread(counts_table(strata, components), np.array(0.5))
    assert found == pytest.approx(
        np.array(
            [
                [0.5 / 2 + 0.5 * 4 / 4, 0.5 * 2 * 1 / (2 * 3)],
                [0.5 * 2 * 1 / (2 * 3), 0.5 / 3 + 0.5 * 3 / 9],
            ]
        )
    )


def test_independent_pictures_are_worth_themselves():
    strata = np.array([0, 0, 1, 1, 1])
    table = counts_table(strata, np.arange(5))
    assert effective_pictures(table, 0.7) == pytest.approx([2, 3])
    assert spread(table, np.array(0.7)) == pytest.approx(np.diag([1 / 2, 1 / 3]))


def test_a_group_of_like_answers_is_worth_one_picture():
    strata, components = np.zeros(12, int), np.repeat(np.arange(3), 4)
    assert effective_pictures(counts_table(strata, components), 1.0) == pytest.approx([3])


def test_correlation_is_found_again():
    rng = np.random.default_rng(0)
    strata, components = np.repeat([0, 1], 600), np.repeat(np.arange(240), 5)
    for truth in (0.02, 0.3, 0.8):
        tight = (1 - truth) / truth
        chance = rng.beta(0.8 * tight, 0.2 * tight, (300, 240))[:, components]
        hits = rng.random((300, 1200)) < chance
        assert correlation(hits, strata, components).mean() == pytest.approx(truth, abs=0.04)


def test_correlation_is_found_in_classes_of_two_or_three_groups():
    rng = np.random.default_rng(0)
    strata = np.repeat(np.arange(20), 10)
    components = np.repeat(np.arange(60), np.tile([5, 3, 2], 20))
    chance = rng.beta(0.8, 0.2, (400, 60))[:, components]  # correlation 0.5
    found = correlation(rng.random((400, 200)) < chance, strata, components).mean()
    assert 0.5 < found < 0.75  # never below: residuals are measured from a mean they take part in


def test_without_an_error_a_group_is_one_answer():
    strata, components = np.zeros(30, int), np.repeat(np.arange(10), 3)
    assert correlation(np.ones(30, bool), strata, components) == 1


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_doubling_every_picture_narrows_nothing(seed):
    rng = np.random.default_rng(seed)
    strata = rng.permutation(np.arange(60) % 3)
    hits = rng.random(60) < rng.uniform(0.3, 1.0)
    recalls = np.bincount(strata, hits) / np.bincount(strata)
    low, high = mean_interval(recalls, np.diag(1 / np.bincount(strata)))
    twice = np.tile(np.arange(60), 2)
    low_twice, high_twice = interval(hits[twice], strata[twice], twice)
    assert low_twice <= low + 1e-9
    assert high_twice >= high - 1e-9


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000))
def test_a_copy_of_a_right_answer_narrows_nothing_on_a_perfect_score(seed):
    rng = np.random.default_rng(seed)
    strata = rng.permutation(np.arange(50) % 3)
    low, _ = interval(np.ones(50, bool), strata, np.arange(50))
    copied = np.append(np.arange(50), rng.integers(50))
    low_with_copy, _ = interval(np.ones(51, bool), strata[copied], copied)
    assert low_with_copy <= low + 1e-9


def test_covers_the_truth_where_independence_does_not():
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1], [100, 30])
    components = np.repeat(np.arange(26), 5)
    truth, alike = np.array([0.95, 0.85]), 0.5
    mean_of_group = truth[(np.arange(26) >= 20).astype(int)]
    chance = rng.beta(mean_of_group, 1 - mean_of_group, (2000, 26))[:, components]
    hits = rng.random((2000, 130)) < chance
    recalls = np.stack([hits[:, strata == k].mean(axis=1) for k in (0, 1)], axis=1)
    between = spread(counts_table(strata, components), correlation(hits, strata, components))
    assert alike == 1 / (1 + 1)  # of a beta distribution whose parameters add up to 1

    def coverage(low, high):
        return ((low <= truth.mean()) & (truth.mean() <= high)).mean()

    assert coverage(*mean_interval(recalls, between)) >= 0.94
    assert coverage(*mean_interval(recalls, np.diag([1 / 100, 1 / 30]))) < 0.90
