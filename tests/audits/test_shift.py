"""Sides that differ."""

from __future__ import annotations

import numpy as np

from tellapart.audits import shift as checks

LABELS = ["cat"] * 100 + ["dog"] * 100
SIDES = (["train"] * 70 + ["test"] * 30) * 2


def _features() -> np.ndarray:
    features = np.random.default_rng(3).normal(size=(200, 20)).astype(np.float32)
    features[:100, 0] += 4
    return features


def test_a_side_that_looks_different_is_named(make_input, make_facts):
    features = _features()
    tested = np.array([side == "test" for side in SIDES])
    features[tested, 5] += 2.5
    facts = [
        make_facts(row, brightness=60.0 if dim else 120.0 + row % 20)
        for row, dim in enumerate(tested)
    ]
    data = make_input(LABELS, sides=SIDES, features=features, facts=facts)
    (finding,) = checks.split_shifts(data)
    assert finding.kind == "split_shift"
    assert "train and test look different" in finding.message
    assert "brightness differs" in finding.message


def test_a_random_split_is_no_shift(make_input):
    assert checks.split_shifts(make_input(LABELS, sides=SIDES, features=_features())) == []


def test_other_class_shares_are_named(make_input):
    sides = ["train"] * 80 + ["test"] * 20 + ["train"] * 20 + ["test"] * 80
    (finding,) = checks.split_shifts(make_input(LABELS, sides=sides, features=_features()))
    assert "'cat' 80 % in train, 20 % in test" in finding.message


def test_without_a_given_split_there_is_no_shift(make_input):
    assert checks.split_shifts(make_input(LABELS, features=_features())) == []


def test_told_apart_is_an_area_under_the_curve():
    from sklearn.metrics import roc_auc_score

    from tellapart.audits.ridge import coordinates, leave_one_out

    draw = np.random.default_rng(0)
    features = draw.normal(size=(80, 6))
    judged = features[:, 0] + draw.normal(size=80) > 0
    area = checks.told_apart(features, np.zeros(80, dtype=int), judged)
    within = features.astype(np.float32) - features.astype(np.float32).mean(axis=0)
    outputs, _ = leave_one_out(coordinates(within), judged[:, None].astype(float))
    assert abs(area - roc_auc_score(judged, outputs[:, 0])) < 1e-9
