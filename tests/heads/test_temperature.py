"""The temperature: found again where it was planted, finite where everything is right."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.heads.temperature import UNSEEN, best_temperature, without_unseen


def planted(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose labels were drawn at a temperature."""
    random = np.random.default_rng(0)
    scores = random.normal(0, 3, (n, 4)).astype(np.float32)
    noise = random.gumbel(size=scores.shape)
    return scores, (scores / temperature + noise).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_a_planted_temperature_is_found(temperature: float) -> None:
    assert best_temperature(*planted(temperature)) == pytest.approx(temperature, rel=0.05)


def test_all_right_is_not_called_certain() -> None:
    labels = np.arange(40) % 2
    scores = np.where(np.eye(2)[labels] > 0, 1.0, -1.0).astype(np.float32)
    temperature = best_temperature(scores, labels)
    chance = 1 / (1 + np.exp(-2 / temperature))
    assert 0.9 < chance < 1 - 1 / 100  # (n + 1) / (n + 2) is 0.976


def test_pictures_of_a_class_that_was_never_seen_take_no_part() -> None:
    scores, labels = planted(2.0)
    alone = best_temperature(scores, labels)
    strange = scores[:500].copy()
    strange[:, 0] = UNSEEN
    both = best_temperature(np.vstack([scores, strange]), np.append(labels, np.zeros(500, int)))
    assert both == pytest.approx(alone, rel=1e-2)


def test_classes_that_were_not_learned_have_no_score() -> None:
    scores = np.log(np.full((2, 3), 1 / 3, np.float32))
    found = without_unseen(scores, np.array([2, 0, 2]))
    assert (found[:, 1] == UNSEEN).all()
    np.testing.assert_array_equal(found[:, [0, 2]], scores[:, [0, 2]])
    assert np.isfinite(scores).all()  # what was given stays
