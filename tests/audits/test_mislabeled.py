"""Wrong labels and classes that look alike."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.audits import mislabeled as checks
from tellapart.audits.ridge import coordinates

NAMES = ("ant", "bee", "cow")


def _clusters(per_class: int = 40, apart: float = 3.0, classes: int = 3):
    draw = np.random.default_rng(5)
    codes = np.repeat(np.arange(classes), per_class)
    features = draw.normal(size=(len(codes), 24)).astype(np.float32)
    features[np.arange(len(codes)), codes] += apart * 2
    return features, codes


def test_flipped_labels_are_named_with_the_right_class(make_input, kinds_of):
    features, codes = _clusters()
    given = codes.copy()
    for row in (3, 50, 100):
        given[row] = (given[row] + 1) % 3
    data = make_input([NAMES[one] for one in given], features=features)
    findings = checks.labels_against_features(data)
    assert set(kinds_of(findings)) == {"mislabeled"}
    by_path = {one.pictures[0].path: one for one in findings}
    assert set(by_path) == {data.pictures.paths[row] for row in (3, 50, 100)}
    assert by_path[data.pictures.paths[3]].labels == ("bee", "ant")
    assert "Labelled 'bee', but it looks like 'ant'" in by_path[data.pictures.paths[3]].message


def test_a_class_that_is_hard_to_learn_is_not_suspect_as_a_whole(monkeypatch):
    """A quarter of the distance between the classes' usual trust is taken away."""
    features, codes = _clusters()
    features[codes == 0, 0] -= 5  # a cloud without a direction of its own

    def distance() -> float:
        trust = checks.label_scores(coordinates(features), codes, 3).trust
        usual = [float(np.median(trust[codes == code])) for code in range(3)]
        return max(usual) - min(usual)

    kept = distance()
    monkeypatch.setattr(checks, "OF_CLASS", 0.0)
    assert distance() > 0.05
    assert kept == pytest.approx(0.75 * distance(), rel=1e-6)


def test_right_labels_are_left_alone(make_input):
    features, codes = _clusters()
    data = make_input([NAMES[one] for one in codes], features=features)
    assert checks.labels_against_features(data) == []


def test_one_class_cut_in_two_is_an_overlap(make_input):
    features, codes = _clusters()
    halves = np.where((codes == 2) & (np.arange(len(codes)) % 2 == 0), 3, codes)
    names = (*NAMES, "ox")
    data = make_input([names[one] for one in halves], features=features)
    (finding,) = [
        one for one in checks.labels_against_features(data) if one.kind == "class_overlap"
    ]
    assert finding.labels == ("cow", "ox")
    assert "guessing reaches 50" in finding.message


def test_without_features_or_with_one_class_there_is_nothing_to_say(make_input):
    features, _ = _clusters(classes=1)
    assert checks.labels_against_features(make_input(["ant"] * 40)) == []
    assert checks.labels_against_features(make_input(["ant"] * 40, features=features)) == []


def test_pairwise_accuracy_on_known_outputs():
    outputs = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    told = checks.pairwise_accuracy(outputs, np.array([0, 0, 1, 1]))
    assert told[0, 1] == told[1, 0] == pytest.approx(0.5)


def test_scores_rank_flips_better_than_self_confidence_of_a_logistic_regression():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import cross_val_predict

    features, codes = _clusters(per_class=60, apart=1.6)
    draw = np.random.default_rng(2)
    flipped = np.zeros(len(codes), dtype=bool)
    flipped[draw.choice(len(codes), 18, replace=False)] = True
    given = np.where(flipped, (codes + 1) % 3, codes)
    ours = checks.label_scores(coordinates(features), given, 3).trust
    chances = cross_val_predict(LogisticRegression(), features, given, cv=5, method="predict_proba")
    rival = chances[np.arange(len(given)), given]
    assert average_precision_score(flipped, -ours) >= average_precision_score(flipped, -rival)


def test_features_that_tell_nothing_give_one_pair_a_class_at_most(make_input):
    draw = np.random.default_rng(0)
    labels = [f"class {name}" for name in draw.choice(list("ABCDEFGH"), 240)]
    features = draw.normal(size=(240, 10)).astype(np.float32)
    findings = checks.labels_against_features(make_input(labels, features=features))
    pairs = [one.labels for one in findings if one.kind == "class_overlap"]
    assert 4 <= len(pairs) <= 8 and {name for pair in pairs for name in pair} == set(labels)
