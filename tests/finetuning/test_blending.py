"""Mixing weights, and choosing how much."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tellapart.finetuning.blending import blended, choose_alpha, compare, gain
from tellapart.finetuning.records import Mix


def test_blended_lies_between_start_and_tuned():
    start = {"w": torch.zeros(3), "n": torch.tensor(1)}
    tuned = {"w": torch.ones(3), "n": torch.tensor(5)}
    for alpha in (0.0, 0.25, 1.0):
        found = blended(start, tuned, alpha)
        torch.testing.assert_close(found["w"], torch.full((3,), alpha))
        assert found["n"] == 5


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
    value, error = gain(scores, 1.0, labels, np.arange(6))
    assert value == pytest.approx(0.25)
    assert error == pytest.approx(np.sqrt(2) / 8)
    together, _ = gain(scores, 1.0, labels, np.array([0, 1, 2, 3, 4, 4]))
    assert together == pytest.approx(0.25)
    mixes = compare(scores, labels, np.arange(6))
    assert [one.alpha for one in mixes] == [0.0, 1.0]
    assert mixes[1].accuracy == 1.0
    assert mixes[1].loss < mixes[0].loss
