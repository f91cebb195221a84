from typing import Any

import numpy as np
import pytest

from tellapart.heads.crossed import answers_out_of_fold
from tellapart.heads.fitting import fit_setting
from tellapart.heads.settings import Setting
from tellapart.splits import stratified_group_folds

SETTING = Setting(1.0, balanced=False, standardised=True)


class Kept:
    """A cache in memory that counts."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}
        self.saved = 0

    def load_arrays(self, key: str) -> Any:
        return self.held.get(key)

    def save_arrays(self, key: str, arrays: Any, meta: Any) -> None:
        self.held[key] = arrays, meta
        self.saved += 1


def made_up(n=60, k=3):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % k
    features = rng.normal(size=(n, 8)).astype(np.float16)
    features[np.arange(n), labels] += 2
    ids = [f"{rng.integers(2**60):032x}" for _ in range(n)]
    return features, labels, np.arange(n) // 2, ids


def answered(features, labels, components, ids, cache=None):
    return answers_out_of_fold(
        features, labels, 3, components, ids, SETTING, 1.5, seed=0, cache=cache or Kept()
    )


def test_each_answer_is_that_of_a_head_made_without_its_fold():
    features, labels, components, ids = made_up()
    order = np.argsort(ids)
    features, labels, components = features[order], labels[order], components[order]
    ids = [ids[row] for row in order]
    found = answered(features, labels, components, ids)
    folds = stratified_group_folds(labels, components, ids, 5, 0)
    for fold in range(5):
        held = folds == fold
        head = fit_setting(features[~held], labels[~held], 3, SETTING, 1.5, 0)
        assert np.allclose(found[held], head.probabilities(features[held]), atol=1e-6)


def test_order_does_not_matter_and_what_is_kept_is_not_fitted_again():
    features, labels, components, ids = made_up()
    cache = Kept()
    first = answered(features, labels, components, ids, cache)
    order = np.random.default_rng(1).permutation(len(ids))
    again = answered(
        features[order], labels[order], components[order], [ids[row] for row in order], cache
    )
    assert np.array_equal(again, first[order])
    assert cache.saved == 1


def test_a_class_that_the_other_folds_lack_gets_nothing():
    features, labels, _, ids = made_up()
    together = np.where(labels == 2, 0, np.arange(len(labels)) + 1)  # one component
    found = answered(features, labels, together, ids)
    assert (found[labels == 2][:, 2] == 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(len(labels)), abs=1e-5)


def test_where_one_class_is_left_it_is_the_answer():
    features, labels, _, ids = made_up(12, 2)
    found = answered(features, labels, labels, ids)  # a component a class
    assert (found.argmax(axis=1) == 1 - labels).all()
