"""Mixing weights, and choosing how much."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tellapart.finetuning.blending import LOWEST, blended, choose_alpha, compare, gain, mean_of
from tellapart.finetuning.records import Mix


def test_blended_lies_between_start_and_tuned():
    start = {"w": torch.zeros(3), "n": torch.tensor(1)}
    tuned = {"w": torch.ones(3), "n": torch.tensor(5)}
    for alpha in (0.0, 0.25, 1.0):
        found = blended(start, tuned, alpha)
        torch.testing.assert_close(found["w"], torch.full((3,), alpha))
        assert found["n"] == 5


def test_the_mean_of_trainings_leaves_out_who_has_not_seen_a_class():
    weight, bias = torch.tensor([[1.0], [3.0], [0.0]]), torch.tensor([1.0, 3.0, LOWEST])
    first = {"network.w": torch.zeros(2), "n": torch.tensor(3), "head.weight": weight,
             "head.bias": bias}  # fmt: skip
    second = {"network.w": torch.ones(2), "n": torch.tensor(4), "head.weight": weight + 2,
              "head.bias": torch.tensor([3.0, LOWEST, LOWEST])}  # fmt: skip
    found = mean_of([first, second])
    torch.testing.assert_close(found["network.w"], torch.full((2,), 0.5))
    assert found["n"] == 3
    torch.testing.assert_close(found["head.bias"], torch.tensor([2.0, 3.0, LOWEST]))
    torch.testing.assert_close(found["head.weight"], torch.tensor([[2.0], [3.0], [1.0]]))


def test_the_least_loss_is_chosen_and_of_equals_the_smallest_alpha():
    mixes = [Mix(0.0, 0.5, 0, 0), Mix(0.5, 0.4, 0, 0), Mix(1.0, 0.4, 0, 0)]
    assert choose_alpha(mixes) == 0.5
    assert choose_alpha([Mix(0.0, 0.4, 0, 0), Mix(1.0, 0.4, 0, 0)]) == 0.0


def test_gain_is_paired_and_balanced():
    labels = np.array([0, 0, 0, 0, 1, 1])
    right = np.full((6, 2), -3.0, np.float32)
    right[np.arange(6), labels] = -0.05
    wrong = right.copy()
    wrong[4] = wrong[4, ::-1]  # one of the two rare ones
    scores = {0.0: wrong, 1.0: right}
    one_fold = np.zeros(6, int)
    found = gain(scores, 1.0, labels, np.arange(6), one_fold)
    assert found.value == pytest.approx(0.25)
    # a made-up picture a class on which both disagree: (n_apart + 1) / (n + 1) - difference^2
    per_class = [(1 / 5) / 5, (2 / 3 - (1 / 3) ** 2) / 3]
    assert found.error == pytest.approx(np.sqrt(sum(per_class)) / 2)
    assert (found.pictures, found.fair) == (6, False)
    together = gain(scores, 1.0, labels, np.array([0, 1, 2, 3, 4, 4]), one_fold)
    assert together.value == pytest.approx(0.25)
    mixes = compare(scores, labels, np.arange(6))
    assert [one.alpha for one in mixes] == [0.0, 1.0]
    assert mixes[1].accuracy == 1.0
    assert mixes[1].loss < mixes[0].loss


def answers(labels: np.ndarray, right: np.ndarray, sure: float) -> np.ndarray:
    """Log probabilities of two classes: as sure as `sure` of the label, or of the other one."""
    said = np.where(right, labels, 1 - labels)
    return np.log(np.where(np.eye(2)[said] == 1, sure, 1 - sure)).astype(np.float32)


def test_the_pictures_that_measure_have_not_chosen_the_share():
    labels, folds = np.tile([0, 1], 60), np.repeat([0, 1, 2], 40)
    first, rest = folds == 0, folds > 0
    wrong = np.arange(120) % 4 < 2  # half of each class in each fold
    scores = {
        0.0: answers(labels, ~(wrong & (np.arange(120) % 8 < 4)), 0.9),
        0.25: answers(labels, ~(wrong & rest), 0.9),  # right in the first fold alone
        0.5: answers(labels, ~(wrong & first), 0.9),  # wrong in the first fold alone
    }
    alone = np.arange(120)
    assert choose_alpha(compare(scores, labels, alone)) == 0.5
    at_one_share = np.mean(scores[0.5].argmax(axis=1) == labels) - np.mean(
        scores[0.0].argmax(axis=1) == labels
    )
    found = gain(scores, 0.5, labels, alone, folds)
    assert (found.pictures, found.fair) == (120, True)
    assert found.value <= at_one_share
    without = gain(scores, 0.5, labels, alone, folds, chosen_on=0)
    assert without.pictures == 80
    assert without.value > found.value  # the first fold, where 0.5 is wrong, does not measure
