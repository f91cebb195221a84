"""The learning rate range test: train with a rate that grows, and look where the loss falls.

Smith 2017 (arXiv:1506.01186). The weights are put back afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.finetuning.module import make_module
from tellapart.finetuning.training import (
    RANGE,
    Diverged,
    Training,
    load_state,
    make_trainer,
    quiet_lightning,
    within_memory,
)
from tellapart.optional import need_lightning
from tellapart.progress import Progress

STEPS = 100
SMOOTH = 0.9  # share of the running mean that each loss keeps, as in fastai
HOPELESS = 4.0  # a smoothed loss so many times the least one, and worse than guessing, is the end
LEAST_STEPS = 8  # fewer tell nothing
SKIPPED = 5  # steps at either end that no suggestion comes from, where there are enough
FIRST = 20  # steps at rates too low to change anything: how far batches differ by themselves


@dataclass(frozen=True)
class RateCurve:
    """What a range test found.

    rates, losses  of each step, the losses smoothed
    steepest       the rate at which the loss falls fastest
    tenth          a tenth of the rate at which it is least
    valley         two thirds down the longest fall: what `--lr auto` takes
    falls          whether the loss falls by more than the first batches differ among themselves; it
                   hardly can where a fitted head is right already, and suggestions are then noise
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    steepest: float
    tenth: float
    valley: float
    falls: bool


def find_rate(training: Training, progress: Progress) -> RateCurve | None:
    """Run the range test on a training's start, and put its weights back; None where the loss was
    no number before anything could be told. Raises OptionError as `within_memory` does.
    """
    return within_memory(training, lambda one, start: _find_rate(one, start, progress), progress)


def _find_rate(
    training: Training, start: Mapping[str, Any], progress: Progress
) -> RateCurve | None:
    recipe = replace(training.recipe, schedule=RANGE, rate=1.0, mixup=0.0, cutmix=0.0, ema=0.0)
    steps = max(1, math.ceil(STEPS * recipe.accumulate / recipe.batches(len(training.rows))))
    asked = replace(training, recipe=replace(recipe, epochs=steps), held=training.rows[:0])
    with progress.stage("find rate", STEPS, "steps") as stage, quiet_lightning():
        module = make_module(asked)
        watcher = _watcher(module, stage, math.log(max(2, training.head.out_features)))
        trainer = make_trainer(asked.recipe, [watcher], training.folder)
        try:
            trainer.fit(module)
        except Diverged:
            pass  # the end of the curve
        finally:
            load_state(training.halves, training.head, start)
    return suggested(watcher.rates, watcher.losses)


def _watcher(module: Any, stage: Any, guessing: float) -> Any:
    """Return what notes each step; `guessing`: the loss of equal odds, below which a head that was
    fitted beforehand goes up and down by many times its least loss without being lost.
    """
    lightning = need_lightning()
    Callback: Any = lightning.Callback

    class Watcher(Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rates: list[float] = []
            self.losses: list[float] = []

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == len(self.rates):
                return  # a part of a step that is added up
            stage.advance()
            self.rates.append(module.last_rate)
            self.losses.append(float(np.mean(module.losses)))
            module.losses.clear()
            smoothed = smooth(self.losses)
            if len(self.rates) >= STEPS or (
                len(smoothed) > LEAST_STEPS
                and smoothed[-1] > max(guessing, HOPELESS * smoothed.min())
            ):
                trainer.should_stop = True

    return Watcher()


def smooth(losses: Sequence[float]) -> NDArray[np.float64]:
    """Return the running mean of losses, without the bias of its start."""
    found, mean = [], 0.0
    for step, loss in enumerate(losses, start=1):
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        found.append(mean / (1 - SMOOTH**step))
    return np.array(found)


def suggested(rates: Sequence[float], losses: Sequence[float]) -> RateCurve | None:
    """Return the curve with its suggestions; None where there are too few steps."""
    if len(rates) < LEAST_STEPS:
        return None
    smoothed, logs = smooth(losses), np.log10(rates)
    skip = SKIPPED if len(rates) > 4 * SKIPPED else 0
    inner = slice(skip, len(rates) - skip)
    slopes = np.gradient(smoothed, logs)[inner]
    least = int(smoothed[inner].argmin()) + skip
    return RateCurve(
        rates=tuple(float(one) for one in rates),
        losses=tuple(float(one) for one in smoothed),
        steepest=float(np.asarray(rates)[inner][int(slopes.argmin())]),
        tenth=float(rates[least]) / 10,
        valley=float(rates[_valley(smoothed)]),
        falls=bool(np.mean(losses[:FIRST]) - smoothed[least] > np.std(losses[:FIRST])),
    )


def _valley(losses: NDArray[np.float64]) -> int:
    """Return the step two thirds along the longest falling run, as fastai's valley has it."""
    lengths = np.ones(len(losses), int)
    for at in range(1, len(losses)):
        for before in range(at):
            if losses[at] < losses[before]:
                lengths[at] = max(lengths[at], lengths[before] + 1)
    end = int(lengths.argmax())
    start = end - int(lengths[end]) + 1
    return start + (end - start) * 2 // 3
