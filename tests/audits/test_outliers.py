"""Pictures that are far from every class."""

from __future__ import annotations

import numpy as np

from tellapart.audits import outliers as checks


def _features(count: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    features = draw.gamma(2.0, size=(count, 32)).astype(np.float32)
    features[:, :16] += 3
    return features


def test_a_stranger_is_named(make_input, paths_of):
    features = _features(120)
    features[[5, 80]] = 0.1
    features[[5, 80], 20:24] = 9
    findings = checks.far_from_all(make_input(["cat"] * 60 + ["dog"] * 60, features=features))
    assert paths_of(findings, "outlier") == {"cat/0005.jpg", "dog/0080.jpg"}
    assert "times as far away" in findings[0].message


def test_a_plain_set_has_hardly_any(make_input):
    data = make_input(["cat"] * 120, features=_features(120))
    assert len(checks.far_from_all(data)) <= 1


def test_small_sets_and_sets_without_features_have_none(make_input):
    assert checks.far_from_all(make_input(["cat"] * 120)) == []
    assert checks.far_from_all(make_input(["cat"] * 20, features=_features(20))) == []


def test_a_sample_stands_for_a_large_set(monkeypatch):
    features = _features(400)
    features[7] = 0.1
    features[7, 20:24] = 9
    order = np.arange(400)
    exact = checks.neighbour_distance(features, order)
    monkeypatch.setattr(checks, "MOST_COMPARED", 100)
    monkeypatch.setattr(checks, "SAMPLE", 200)
    monkeypatch.setattr(checks, "CHUNK", 64)
    sampled = checks.neighbour_distance(features, order)
    assert sampled.argmax() == exact.argmax() == 7
    assert np.corrcoef(sampled, exact)[0, 1] > 0.9


def test_distances_are_those_of_brute_force():
    features = _features(60)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    expected = 1 - np.sort(likeness, axis=1)[:, -20:].mean(axis=1)
    np.testing.assert_allclose(
        checks.neighbour_distance(features, np.arange(60)), expected, atol=1e-5
    )
