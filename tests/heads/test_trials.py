"""Trials: the plain logistic path among them, the same every time, ended where nothing can win."""

from __future__ import annotations

import builtins
import json
from typing import Any

import numpy as np
import optuna
import pytest
from sklearn.datasets import load_digits

from tellapart.errors import MissingExtra, OptionError
from tellapart.heads import Probe, check_asked, fit_probe, trials
from tellapart.heads.bench import Bench
from tellapart.heads.compare import Compared
from tellapart.heads.kinds import HEADS, families
from tellapart.heads.search import choose
from tellapart.heads.settings import Setting
from tellapart.heads.trials import Study, Trial, made_by, optuna_search, to_json
from tellapart.progress import Progress
from tellapart.splits import components, stratified_group_folds


class Kept:
    """Fits in memory, their meta data through JSON as the cache does it."""

    def __init__(self) -> None:
        self.fits: dict[str, tuple[Any, str]] = {}

    def load_arrays(self, key: str) -> Any:
        found = self.fits.get(key)
        return (found[0], json.loads(found[1])) if found else None

    def save_arrays(self, key: str, arrays: Any, meta: Any) -> None:
        self.fits[key] = (arrays, json.dumps(meta))


def digits(n: int = 160, k: int = 4, noise: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    rows = np.flatnonzero(data.target < k)[:n]
    blur = np.random.default_rng(0).normal(0, noise, (len(rows), 64))
    return (data.data[rows] / 16 + blur).astype(np.float16), data.target[rows]


def fit(features: Any, labels: Any, cache: Kept | None = None, **asked: Any) -> tuple[Probe, int]:
    ids = [f"{row:04d}" for row in range(len(labels))]
    return fit_probe(
        features, labels, int(labels.max()) + 1, components(len(ids), ids, [None] * len(ids)), ids,
        seed=0, cache=cache or Kept(), progress=Progress(), **asked,
    )  # fmt: skip


def test_the_plain_path_is_among_the_trials_and_never_beats_the_choice() -> None:
    features, labels = digits()
    plain, _ = fit(features, labels)
    found, _ = fit(features, labels, trials=4)
    search = found.search
    assert [one.number for one in search.trials] == [0, 1, 2, 3, 4]
    assert search.trials[0].setting == plain.search.chosen
    assert set(plain.search.tried) <= set(search.tried)
    assert search.ended == "all 4 trials were made"
    chosen = next(one for one in search.tried if one.setting == search.chosen)
    best_plain = next(one for one in plain.search.tried if one.setting == plain.search.chosen)
    assert chosen.loss <= best_plain.loss or chosen.score > best_plain.score
    assert search.chosen == choose(search.tried)
    assert found.choices[0]["chosen"] == search.chosen.kind
    assert found.choices[0]["why"] == "the choice of 5 trials; all 4 trials were made"


def test_a_search_is_the_same_again_and_kept() -> None:
    features, labels = digits()
    cache = Kept()
    first, made = fit(features, labels, cache, trials=3)
    again, again_made = fit(features, labels, cache, trials=3)
    assert (made, again_made) == (1, 0)
    order = np.random.default_rng(1).permutation(len(labels))
    ids = np.array([f"{row:04d}" for row in range(len(labels))])[order].tolist()
    shuffled, _ = fit_probe(
        features[order], labels[order], 4, components(len(ids), ids, [None] * len(ids)), ids,
        seed=0, cache=Kept(), progress=Progress(), trials=3,
    )  # fmt: skip
    for one in (again, shuffled):
        assert one.search == first.search
        assert one.choices == first.choices
        for name, array in one.head.arrays().items():
            np.testing.assert_array_equal(array, first.head.arrays()[name])
    assert fit(features, labels, cache, trials=4)[1] == 1
    assert fit(features, labels, cache)[1] == 1
    assert fit(features, labels, cache, head="ridge")[1] == 1


@pytest.mark.parametrize("head", ["ridge", "lda", "knn", "mean"])
def test_a_head_that_is_named_is_the_one_that_is_fitted(head: str) -> None:
    features, labels = digits()
    probe, _ = fit(features, labels, head=head)
    assert probe.head.kind == head
    assert {one.setting.kind for one in probe.search.tried} == {head}
    assert len(probe.search.tried) >= len(HEADS[head].strengths)
    assert probe.choices[0] == {"what": "head", "chosen": head, "why": "as asked"}
    assert (probe.head.probabilities(features).argmax(axis=1) == labels).mean() > 0.8


def test_a_search_within_one_head() -> None:
    features, labels = digits()
    probe, _ = fit(features, labels, head="lda", trials=3)
    assert {one.setting.kind for one in probe.search.trials} == {"lda"}
    assert len(probe.search.trials) == 3


def test_logistic_by_name_is_the_plain_path() -> None:
    features, labels = digits()
    named, plain = fit(features, labels, head="logistic")[0], fit(features, labels)[0]
    assert named.search == plain.search
    np.testing.assert_array_equal(named.head.arrays()["weights"], plain.head.arrays()["weights"])


def test_where_every_picture_is_right_nothing_is_tried() -> None:
    features, labels = digits(noise=0.0, k=2)
    probe, _ = fit(features, labels, trials=5)
    assert len(probe.search.trials) == 1
    assert probe.search.ended == "every picture is right out of fold: no trial can do better"


def bench(n: int = 160, noise: float = 0.25) -> tuple[Bench, np.ndarray]:
    features, labels = digits(n, noise=noise)
    own = np.arange(n)
    folds = stratified_group_folds(labels, own, [f"{row:04d}" for row in own], 5, 0)
    return Bench(features.astype(np.float32), labels, 4, folds, 0), own


def test_a_trial_that_cannot_win_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made, own = bench(noise=1.5)
    good = {Setting(1.0, False, False): np.eye(4, dtype=np.float32)[made.labels]}
    fooled = made.labels.copy()
    fooled[0] = (fooled[0] + 1) % 4  # not quite perfect, or nothing would be tried
    good = {one: np.eye(4, dtype=np.float32)[fooled] for one in good}
    compared = Compared.of(good, made.labels, own)
    study = trials.first_study(compared, made.count)
    found = optuna_search(study, compared.hits, made, own, ["mean", "knn"], 0, 4, Progress())
    assert [one.folds for one in found.trials] == [5, 2, 2, 2, 2]
    assert found.tried == study.tried  # what was given up cannot be chosen
    monkeypatch.setattr(trials, "SURE", 1e9)
    whole = optuna_search(study, compared.hits, made, own, ["mean", "knn"], 0, 4, Progress())
    assert [one.folds for one in whole.trials] == [5] * 5


def test_a_study_ends_where_nothing_gets_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PATIENCE", 2)
    made, own = bench()
    scores = np.eye(4, dtype=np.float32)[np.where(np.arange(160) == 3, 0, made.labels)]
    compared = Compared.of({Setting(1.0, False, False): scores}, made.labels, own)
    study = trials.first_study(compared, made.count)
    found = optuna_search(study, compared.hits, made, own, ["mean", "knn"], 0, 9, Progress())
    assert len(found.trials) == 3
    assert found.ended == "2 trials in a row brought no better choice"


def test_every_combination_is_tried_once_at_most() -> None:
    made, own = bench(80)
    found = optuna_search(Study((), (), ""), {}, made, own, ["mean"], 0, 50, Progress())
    assert len(found.trials) == len({one.setting for one in found.trials}) <= 8
    assert found.ended in (
        "all 8 combinations were tried", "the search came back to combinations that it had tried"
    )  # fmt: skip


def test_class_weights_are_tried_where_classes_are_uneven() -> None:
    features, labels = digits(160, 2)
    few = np.concatenate([np.flatnonzero(labels == 0)[:60], np.flatnonzero(labels == 1)[:20]])
    even = np.concatenate([np.flatnonzero(labels == 0)[:40], np.flatnonzero(labels == 1)[:40]])
    for rows, expected in ((few, {False, True}), (even, {False})):
        probe, _ = fit(features[rows], labels[rows], head="ridge")
        assert {one.setting.balanced for one in probe.search.tried} == expected


def test_optunas_level_of_logging_is_put_back() -> None:
    before = optuna.logging.get_verbosity()
    with trials._quiet_optuna():
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
    assert optuna.logging.get_verbosity() == before


def test_starts_are_combinations_that_exist() -> None:
    from dataclasses import replace

    for start in trials.STARTS:
        known = [replace(one, strength=0.0) for one in families(start.kind)]
        assert start in known


def test_what_stands_in_run_json() -> None:
    trial = Trial(3, Setting(0.5, True, False, "lda", 64), 8, 0.9, 0.01, 0.3, 2)
    assert to_json(trial)["strength"] == {"name": "shrinkage", "value": 0.5}
    assert (to_json(trial)["components"], to_json(trial)["class_weights"]) == (64, "balanced")
    assert made_by((trial,), Setting(0.9, True, False, "lda", 64)) == 3


def test_a_search_without_optuna_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "optuna":
            raise ImportError("No module named 'optuna'")
        return real(name, *rest, **more)

    import importlib

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r'optuna.*pip install "tellapart\[search\]"'):
        check_asked(None, 5)


def test_a_search_in_a_head_without_parameters_is_refused() -> None:
    with pytest.raises(OptionError, match="--search has little to search in --head mean"):
        check_asked("mean", 5)
