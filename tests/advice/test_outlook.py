"""The outlook of a probe: its score out of fold and what twice the pictures would bring."""

from __future__ import annotations

import numpy as np

from tellapart.advice.measure import Sample
from tellapart.advice.options import doubling, measured, more_pictures
from tellapart.advice.outlook import outlook
from tellapart.heads.settings import Setting

SETTING = Setting(0.1, balanced=True, standardised=False)


def drawn(pictures: int, apart: float):
    """Return features, labels and ids of three classes in 40 noisy dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(pictures) % 3
    middles = rng.normal(size=(3, 40)) * apart
    features = (middles[labels] + rng.normal(size=(pictures, 40))).astype(np.float32)
    return features, labels, [f"{number:032x}" for number in range(pictures)]


def test_a_steep_curve_is_told_from_a_flat_one():
    steep, flat = (
        outlook(features, labels, np.arange(len(labels)), ids, setting=SETTING, seed=0)
        for features, labels, ids in (drawn(90, 0.25), drawn(90, 1.5))
    )
    assert steep.doubling.value > 0.02 > flat.doubling.value
    assert steep.score.low < steep.score.value < steep.score.high < 0.9
    assert flat.score.value > 0.97


def test_doubling_is_that_of_the_advice():
    features, labels, ids = drawn(60, 0.4)
    sample = Sample(features, labels, np.arange(60), ids, 3)
    found = measured(sample, ["a", "b", "c"], SETTING, np.bincount(labels), 0)
    assert doubling(found, 0) == more_pictures(found, 0).doubling
    assert outlook(features, labels, np.arange(60), ids, setting=SETTING, seed=0).doubling == (
        doubling(found, 0)
    )


def test_nothing_where_nothing_can_be_held_out():
    features, labels, ids = drawn(3, 1.0)
    assert outlook(features, labels, np.arange(3), ids, setting=SETTING, seed=0) is None
