"""What test-time views bring and cost, in numbers and words."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from tellapart.evaluation.compare import paired_difference
from tellapart.evaluation.views import views_effect, views_words


def chances(answers):
    return np.eye(3, dtype=np.float32)[answers]


def test_gain_and_cost_are_those_of_the_answers():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(3), (50, 20, 10))
    whole = np.where(rng.random(80) < 0.7, truth, (truth + 1) % 3)
    better = np.where(rng.random(80) < 0.6, truth, whole)
    found = views_effect(
        chances(whole), chances(better), truth, np.arange(80),
        views=("whole", "whole, mirrored"), seconds=(0.002, 0.005),
    )  # fmt: skip
    assert found.whole == pytest.approx(balanced_accuracy_score(truth, whole))
    assert found.averaged == pytest.approx(balanced_accuracy_score(truth, better))
    hits = paired_difference(better == truth, whole == truth, truth, np.arange(80))
    assert found.difference == hits
    assert found.difference.value == pytest.approx(found.averaged - found.whole)
    words = views_words(found)
    assert words.startswith("2 views of each picture, probabilities averaged (--tta): balanced")
    assert "5.0 ms a picture instead of 2.0 ms, 2.5 times as long." in words
    assert "cannot be told" not in words


def test_no_gain_is_called_so():
    truth = np.repeat(np.arange(3), 5)
    found = views_effect(
        chances(truth), chances(truth), truth, np.arange(15), views=("whole", "middle"),
        seconds=(0.001, 0.002),
    )  # fmt: skip
    assert "+0.0 points (95 % interval -" in views_words(found)
    assert "which cannot be told from none" in views_words(found)
