"""The range test: suggestions on a curve that is known, weights put back, `--lr auto`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tellapart.finetuning.finetune import finetune
from tellapart.finetuning.lr_find import smooth, suggested
from tellapart.finetuning.training import state_of
from tellapart.progress import Progress


def test_suggestions_on_a_curve_with_one_fall_and_one_rise():
    logs = np.linspace(-6, 0, 100)
    losses = 1 - 0.8 / (1 + np.exp(-6 * (logs + 3))) + np.where(logs > -1.5, (logs + 1.5) * 4, 0)
    found = suggested((10**logs).tolist(), losses.tolist())
    assert 10**-3.5 < found.steepest < 10**-2  # smoothing lags behind the fall at 1e-3
    assert 10**-2.7 < found.tenth < 10**-1.8
    assert 1e-6 < found.valley < 10**-1.3
    assert len(found.losses) == 100
    assert found.falls


def test_a_loss_that_goes_up_and_down_near_nothing_suggests_nothing():
    logs = np.linspace(-6, 0, 100)
    losses = 0.02 + 0.01 * np.sin(np.arange(100)) + np.where(logs > -1.5, (logs + 1.5) * 4, 0)
    assert not suggested((10**logs).tolist(), losses.tolist()).falls


def test_a_fitted_head_is_not_lost_at_a_few_times_its_least_loss(question, monkeypatch):
    """The test goes on until the loss is worse than that of guessing."""
    from tellapart.finetuning.finetune import look_for_rate

    curve, _ = look_for_rate(question(alphas=(1.0,)), Progress())
    assert curve.losses[-1] > np.log(2) or len(curve.losses) == 100


def test_too_few_steps_suggest_nothing():
    assert suggested([1e-3] * 5, [1.0] * 5) is None


def test_smoothing_keeps_a_constant():
    np.testing.assert_allclose(smooth([0.7] * 9), 0.7)


def test_lr_auto_says_what_it_took_and_begins_with_the_weights_as_they_were(question, monkeypatch):
    import importlib

    module = importlib.import_module("tellapart.finetuning.finetune")
    from tellapart.finetuning import lr_find

    find, states = lr_find.find_rate, []

    def watched(training, progress):
        states.append(state_of(training.halves, training.head))
        found = find(training, progress)
        states.append(state_of(training.halves, training.head))
        return replace(found, falls=True)

    monkeypatch.setattr(module, "find_rate", watched)
    progress = Progress()
    found = module.finetune(question(rate="auto", alphas=(1.0,), epochs=1), progress)
    assert all(np.array_equal(one, states[1][name]) for name, one in states[0].items())
    (line,) = (one for one in progress.lines if one.startswith("find rate: valley"))
    rate = line.split()[3]
    assert f"learning rate {float(rate):.2g}"[:18] in found.choices[1]["why"]
    assert finetune is module.finetune


def test_lr_auto_keeps_the_usual_rate_where_the_loss_falls_nowhere(question, monkeypatch):
    import importlib

    module = importlib.import_module("tellapart.finetuning.finetune")
    curve = suggested(np.geomspace(1e-6, 1, 100).tolist(), [0.01, 0.03] * 50)
    monkeypatch.setattr(module, "find_rate", lambda training, progress: curve)
    progress = Progress()
    found = module.finetune(question(rate="auto", alphas=(1.0,), epochs=1), progress)
    assert "find rate: the loss hardly falls at any rate; 0.0003 is taken" in progress.lines
    assert "learning rate 0.0003" in found.choices[1]["why"]


@pytest.mark.parametrize("rate", [1e-4])
def test_a_given_rate_is_taken(question, rate):
    found = finetune(question(rate=rate, alphas=(1.0,), epochs=1), Progress())
    assert "learning rate 0.0001" in found.choices[1]["why"]
