import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.evaluation.compare import is_tie, paired_difference


def answers(seed=0, pictures=300, classes=3, first=0.9, second=0.8):
    rng = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), rng.integers(classes, size=pictures - classes))
    hits = [rng.random(pictures) < share for share in (first, second)]
    return (*hits, truth, np.arange(pictures))


def test_the_difference_is_that_of_the_balanced_accuracies():
    first, second, truth, alone = answers()
    expected = np.mean(
        [first[truth == one].mean() - second[truth == one].mean() for one in range(3)]
    )
    found = paired_difference(first, second, truth, alone)
    assert found.value == pytest.approx(expected)
    assert found.pictures == 300
    assert not is_tie(found)


@given(st.integers(0, 200))
def test_the_other_way_round_it_is_mirrored(seed):
    first, second, truth, alone = answers(seed, 60)
    one = paired_difference(first, second, truth, alone)
    other = paired_difference(second, first, truth, alone)
    assert other.value == pytest.approx(-one.value)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))


def test_equal_answers_are_a_tie_that_is_not_certain():
    first, _, truth, alone = answers()
    found = paired_difference(first, first, truth, alone)
    assert found.value == 0
    assert found.low < 0 < found.high
    assert is_tie(found)


def test_the_interval_holds_the_true_difference():
    held = 0
    for seed in range(400):
        found = paired_difference(*answers(seed, 150))
        held += found.low <= 0.1 <= found.high
    assert 0.92 <= held / 400 <= 0.985


def test_groups_that_err_together_widen_it():
    first, second, truth, alone = answers(3, 300, classes=2)
    groups = alone // 10
    truth = groups % 2
    second = np.where(groups % 5 == 0, ~first, first)  # whole groups differ
    one = paired_difference(first, second, truth, alone)
    other = paired_difference(first, second, truth, groups)
    assert other.value == one.value
    assert other.high - other.low > 1.5 * (one.high - one.low)
    assert paired_difference(first, second, truth, alone // 60).reliable is False


def test_widening_multiplies_the_reach():
    first, second, truth, alone = answers(5)
    one = paired_difference(first, second, truth, alone)
    other = paired_difference(first, second, truth, alone, widening=1.25)
    assert other.high - other.value == pytest.approx(1.25 * (one.high - one.value))
