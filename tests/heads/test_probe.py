"""The probe: settings chosen on training pictures alone, whatever their order, and kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tellapart.errors import BackboneError
from tellapart.heads import Probe, fit_probe, refit
from tellapart.heads import search as searching
from tellapart.heads.kinds import usual_setting
from tellapart.heads.logistic import Setting
from tellapart.heads.search import C_PATH, TEMPERATURES, Tried, choose, subsample
from tellapart.progress import Progress
from tellapart.splits import components


class Kept:
    """Fits in memory, their meta data through JSON as the cache does it."""

    def __init__(self) -> None:
        self.fits: dict[str, tuple[dict[str, Any], str]] = {}

    def load_arrays(self, key: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        found = self.fits.get(key)
        return (found[0], json.loads(found[1])) if found else None

    def save_arrays(self, key: str, arrays: dict[str, Any], meta: Mapping[str, Any]) -> None:
        self.fits[key] = (arrays, json.dumps(meta))


def digits(n: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray, list[str]]:
    data = load_digits()
    keep = np.flatnonzero(data.target < classes)[:n]
    features = (data.data[keep] / 16).astype(np.float16)
    return features, data.target[keep], [f"{row:04d}" for row in range(len(keep))]


def fit(
    features: np.ndarray,
    labels: np.ndarray,
    ids: list[str],
    *,
    groups: list[str | None] | None = None,
    seed: int = 0,
    cache: Kept | None = None,
    head: str | None = None,
) -> tuple[Probe, int]:
    return fit_probe(
        features,
        labels,
        int(labels.max()) + 1,
        components(len(ids), ids, groups or [None] * len(ids)),
        ids,
        seed=seed,
        cache=cache or Kept(),
        progress=Progress(),
        head=head,
    )


def test_real_digits_are_learned() -> None:
    features, labels, ids = digits(900)
    probe, made = fit(features[:600], labels[:600], ids[:600])
    assert made == 1
    right = probe.head.probabilities(features[600:]).argmax(axis=1) == labels[600:]
    assert right.mean() > 0.9
    assert probe.search.rows == 600
    assert probe.search.folds == 5
    whats = [one["what"] for one in probe.choices]
    assert whats == ["head", "C", "class weights", "standardising", "temperature"]
    assert "5-fold cross-validation on 600 training pictures" in probe.choices[1]["why"]


def test_the_order_of_rows_changes_nothing() -> None:
    features, labels, ids = digits(200, 4)
    order = np.random.default_rng(0).permutation(len(ids))
    cache = Kept()
    plain, _ = fit(features, labels, ids, cache=cache)
    shuffled, made = fit(features[order], labels[order], [ids[row] for row in order], cache=cache)
    assert made == 0
    fresh, _ = fit(features[order], labels[order], [ids[row] for row in order])
    for one in (shuffled, fresh):
        np.testing.assert_array_equal(one.head.weights, plain.head.weights)
        assert one.choices == plain.choices


def test_a_fit_is_kept_by_all_that_it_depends_on() -> None:
    features, labels, ids = digits(120, 3)
    cache = Kept()
    first, _ = fit(features, labels, ids, cache=cache)
    again, made = fit(features, labels, ids, cache=cache)
    assert made == 0
    assert again.search == first.search
    assert again.choices == first.choices
    np.testing.assert_array_equal(again.head.bias, first.head.bias)

    other = features.copy()
    other[5, 5] += 0.5
    relabelled = labels.copy()
    relabelled[0] = (labels[0] + 1) % 3
    groups: list[str | None] = ["g", "g", *[None] * (len(ids) - 2)]
    assert fit(other, labels, ids, cache=cache)[1] == 1
    assert fit(features, relabelled, ids, cache=cache)[1] == 1
    assert fit(features, labels, ids, groups=groups, cache=cache)[1] == 1
    assert fit(features, labels, ids, seed=1, cache=cache)[1] == 1


def test_groups_stay_in_one_fold() -> None:
    """Every picture stands five times, with noise: only folds by group see how little is known."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(60) % 2, 5)
    features = np.repeat(random.normal(0, 1, (60, 200)), 5, axis=0)
    features = (features + random.normal(0, 0.05, features.shape)).astype(np.float16)
    ids = [f"{row:04d}" for row in range(300)]
    groups: list[str | None] = [f"g{row // 5}" for row in range(300)]
    honest = max(one.score for one in fit(features, labels, ids, groups=groups)[0].search.tried)
    leaking = max(one.score for one in fit(features, labels, ids)[0].search.tried)
    assert leaking > 0.95
    assert honest < 0.75  # the labels are noise


def test_a_rare_class_gets_weights_where_they_help() -> None:
    random = np.random.default_rng(3)
    labels = np.array([0] * 400 + [1] * 20)
    features = random.normal(0, 1, (420, 20)).astype(np.float32)
    features[labels == 1, :3] += 1.3
    probe, _ = fit(features, labels, [f"{row:04d}" for row in range(420)])
    by_setting = {one.setting: one.score for one in probe.search.tried}
    assert probe.search.chosen.balanced
    assert by_setting[probe.search.chosen] > 0.75


def test_of_ties_the_least_loss_is_taken_then_the_simplest() -> None:
    weak, middle, strong = (Setting(c, balanced=False, standardised=False) for c in (0.1, 1, 10))
    best = Tried(strong, 0.90, 0.02, 0.5)
    far = Tried(weak, 0.87, 0.02, 0.1)  # beyond one standard error, however small its loss
    assert choose((far, Tried(middle, 0.89, 0.02, 0.4), best)) == middle
    assert choose((far, Tried(middle, 0.89, 0.02, 0.6), best)) == strong
    assert choose((far, Tried(middle, 0.89, 0.02, 0.5), best)) == middle


def test_the_path_goes_from_small_to_large() -> None:
    assert C_PATH[0] <= 1e-5
    assert C_PATH[-1] >= 1e3


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_features_of_any_scale_are_learned(scale: float) -> None:
    features, labels, ids = digits(300, 3)
    probe, _ = fit((features.astype(np.float32) * scale), labels, ids)
    assert max(one.score for one in probe.search.tried) > 0.95
    assert np.isfinite(probe.head.weights).all()


def test_two_pictures_a_class() -> None:
    features, labels, ids = digits(1_797)
    rows = np.concatenate([np.flatnonzero(labels == code)[:2] for code in range(10)])
    probe, _ = fit(features[rows], labels[rows], [ids[row] for row in rows])
    assert probe.search.folds == 2
    assert probe.head.bias.shape == (10,)


def test_nothing_to_validate_takes_the_stated_default() -> None:
    features, labels, ids = digits(1_797, 2)
    rows = [int(np.flatnonzero(labels == code)[0]) for code in range(2)]
    probe, _ = fit(features[rows], labels[rows], [ids[row] for row in rows])
    assert probe.search.chosen == usual_setting("mean")
    assert (probe.search.rows, probe.search.temperature) == (0, TEMPERATURES["mean"])
    why = {one["what"]: one["why"] for one in probe.choices}
    assert why["standardising"].startswith("no class but one has two independent pictures")
    named, _ = fit(features[rows], labels[rows], [ids[row] for row in rows], head="logistic")
    assert named.search.chosen == Setting(1.0, balanced=False, standardised=False)


@pytest.mark.parametrize(("each", "kinds"), [(2, ["mean"]), (6, ["logistic", "mean", "ridge"])])
def test_few_pictures_a_class_get_the_heads_for_few_pictures(each: int, kinds: list[str]) -> None:
    features, labels, ids = digits(1_797)
    rows = np.concatenate([np.flatnonzero(labels == code)[:each] for code in range(10)])
    probe, _ = fit(features[rows], labels[rows], [ids[row] for row in rows])
    assert sorted({one.setting.kind for one in probe.search.tried}) == kinds
    assert len(probe.search.trials) == (3 if each > 2 else 0)
    assert probe.search.folds == min(5, each)
    if each == 2:
        said = "the typical class has 2 independent training pictures: the nearest mean is taken"
        assert probe.choices[0] == {"what": "head", "chosen": "mean", "why": said}


def test_one_class_of_one_picture_among_larger_ones_is_validated() -> None:
    features, labels, ids = digits(400, 4)
    rows = np.concatenate([np.flatnonzero(labels < 3), np.flatnonzero(labels == 3)[:1]])
    probe, _ = fit(features[rows], labels[rows], [ids[row] for row in rows])
    assert probe.search.chosen.kind == "logistic"
    assert probe.search.folds == 5


def test_a_hundred_classes() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(0, 1, (100, 32))
    labels = np.arange(400) % 100
    features = (centres[labels] + random.normal(0, 0.3, (400, 32))).astype(np.float16)
    probe, _ = fit(features, labels, [f"{row:04d}" for row in range(400)])
    assert (probe.head.probabilities(features).argmax(axis=1) == labels).mean() > 0.95


def test_features_that_are_not_finite_are_refused_in_one_line() -> None:
    features, labels, ids = digits(60, 2)
    features[3, 3] = np.nan
    features[4, 3] = np.inf
    line = "numbers that are not finite for 2 of 60 pictures.*try another --engine or --backbone"
    with pytest.raises(BackboneError, match=line):
        fit(features, labels, ids)


def test_many_pictures_are_chosen_on_a_stated_subsample_and_c_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "MOST_ROWS", 300)
    features, labels, ids = digits(900, 5)
    probe, _ = fit(features, labels, ids)
    assert 300 <= probe.search.rows <= 310
    why = {one["what"]: one["why"] for one in probe.choices}
    assert f"a stratified subsample of {probe.search.rows:,} of" in why["C"]
    assert why["temperature"].startswith("least log loss on a fifth of the training pictures")
    assert probe.choices[1]["chosen"] == f"{probe.search.chosen.strength:g}"
    scaled = refit(probe, features, labels, ids)  # the same rows, the same settings
    np.testing.assert_array_equal(scaled.weights, probe.head.weights)


def test_the_subsample_keeps_rare_classes_and_whole_components(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "MOST_ROWS", 200)
    labels = np.array([0] * 3_000 + [1] * 1_000 + [2] * 7 + [3] * 2)
    ids = [f"{row:04d}" for row in range(len(labels))]
    found = components(len(ids), ids, [f"g{row // 2}" for row in range(len(ids))])
    rows = subsample(labels, found, ids, 0)
    counts = np.bincount(labels[rows])
    assert abs(counts[0] - 150) <= 3
    assert abs(counts[1] - 50) <= 3
    assert counts[2] >= 5
    assert counts[3] == 2
    assert not np.isin(found[rows], np.delete(found, rows)).any()


def test_refit_takes_the_settings_to_other_pictures() -> None:
    features, labels, ids = digits(400, 4)
    probe, _ = fit(features[:200], labels[:200], ids[:200])
    order = np.random.default_rng(0).permutation(len(ids))
    whole = refit(probe, features, labels, ids)
    shuffled = refit(probe, features[order], labels[order], [ids[row] for row in order])
    np.testing.assert_array_equal(whole.weights, shuffled.weights)
    assert (whole.weights != probe.head.weights).any()


def test_components_are_learned_within_the_folds() -> None:
    """With as many axes as pictures, PCA of all pictures would hand the held-out ones away."""
    features, labels, ids = digits(240, 3)
    probe, made = fit_probe(
        features, labels, 3, components(len(ids), ids, [None] * len(ids)), ids,
        seed=0, cache=Kept(), progress=Progress(), pca=5,
    )  # fmt: skip
    assert made == 1
    assert probe.head.weights.shape == (64, 3)
    assert probe.search.chosen.pca == 5
    assert np.linalg.matrix_rank(probe.head.weights.astype(np.float64)) <= 5
    assert max(one.score for one in probe.search.tried) > 0.95
