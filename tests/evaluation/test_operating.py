"""Thresholds for a precision or a recall, and what they give on other pictures."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.errors import DataError
from tellapart.evaluation.intervals import share_interval
from tellapart.evaluation.operating import choose_threshold, operating_point

CHANCES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
TRUTH = np.array([1, 1, 0, 1, 1, 0, 0, 1], bool)


@pytest.mark.parametrize(
    ("measure", "target", "threshold"),
    [
        ("precision", 1.0, 0.75),  # 2 of 2; the next one is wrong
        ("precision", 0.8, 0.45),  # 4 of 5
        ("precision", 0.6, 0.2),  # 5 of 8, all of them
        ("recall", 0.8, 0.45),  # 4 of 5 found
        ("recall", 0.4, 0.75),
        ("recall", 1.0, 0.2),
    ],
)
def test_the_threshold_that_reaches_the_target_with_most_of_the_other(measure, target, threshold):
    assert choose_threshold(CHANCES, TRUTH, measure, target, "a") == pytest.approx(threshold)


def test_what_nothing_reaches_names_the_best():
    truth = np.array([0, 1, 0, 1, 0, 0, 0, 0], bool)
    with pytest.raises(DataError) as caught:
        choose_threshold(CHANCES, truth, "precision", 0.95, "logo")
    assert "no threshold reaches a precision of 0.95 for 'logo'" in str(caught.value)
    assert "the best, 0.6, has a precision of 0.500 (2 of 4) on 8 pictures" in str(caught.value)


def test_measured_on_the_pictures_that_did_not_choose():
    chances, truth = np.tile(CHANCES, 2), np.tile(TRUTH, 2)
    truth[8:] = ~truth[8:]  # the other half says the opposite
    choosing = np.arange(16) < 8
    point = operating_point(
        chances, truth, choosing, np.arange(16), name="a", measure="precision", target=0.8
    )
    assert point.threshold == pytest.approx(0.45)
    assert (point.precision.value, point.precision.pictures) == (0.2, 5)
    assert (point.recall.value, point.recall.pictures) == (pytest.approx(1 / 3), 3)
    assert point.precision.low < 0.2 < point.precision.high
    assert (point.chosen_on, point.measured_on) == (8, 8)


def test_copies_make_an_interval_no_narrower():
    """Four copies of every picture: as sure as a quarter of the pictures, not as all of them."""
    asked = {"name": "a", "measure": "precision", "target": 0.8}
    chances, truth = np.tile(CHANCES, 2), np.tile(TRUTH, 2)
    choosing, once = np.arange(16) < 8, np.arange(16)
    point = operating_point(chances, truth, choosing, once, **asked)
    low, high = share_interval(np.array([0.8]), np.array([5.0]))
    assert (point.precision.low, point.precision.high) == (pytest.approx(low), pytest.approx(high))
    four = [np.repeat(one, 4) for one in (chances, truth, choosing, once)]
    copied = operating_point(*four, **asked)
    assert (copied.precision.value, copied.precision.pictures) == (0.8, 20)
    assert copied.precision.low == pytest.approx(point.precision.low)
    assert operating_point(*four[:3], np.arange(64), **asked).precision.low > copied.precision.low


def test_a_class_without_pictures_is_said():
    with pytest.raises(DataError, match="no picture of 'a' is there"):
        choose_threshold(CHANCES, np.zeros(8, bool), "recall", 0.5, "a")
