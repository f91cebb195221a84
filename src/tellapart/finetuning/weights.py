"""The weights that a fine-tuning ends with: the mean of its trainings, or those of a last one."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tellapart.finetuning.bench import Bench
from tellapart.finetuning.blending import blended, mean_of
from tellapart.finetuning.folds import Trials, train_part
from tellapart.finetuning.records import History, Rows
from tellapart.finetuning.training import load_state
from tellapart.heads.temperature import calibrated_loss, without_unseen
from tellapart.progress import Progress

if TYPE_CHECKING:
    from tellapart.finetuning.finetune import Question

APART = 1.05  # times the log loss of one: a mean that loses more is of networks far apart
MOST_COMPARED = 1_000  # pictures


def final_weights(
    bench: Bench,
    question: Question,
    folds: Rows,
    trials: Trials,
    alpha: float,
    suffix: str,
    progress: Progress,
) -> tuple[dict[str, Any], tuple[History, ...]]:
    """Return the weights to keep, and how the trainings went that made them.

    That is the mean of the trainings that were judged on what they held out. One more learns from
    all pictures where a fifth was held out and nothing was chosen by it, and where the mean is no
    model: heads or networks began at random, or drifted apart.
    """
    number = len(trials.trainings)
    if len(bench.recipe.alphas) > 1 and (number == 1 or averages(bench)):
        starts = [bench.start(question, folds != fold) for fold in range(number)]
        tuned = [one.state for one in trials.trainings]
        first = blended(starts[0], tuned[0], alpha)
        if number == 1:
            return first, trials.histories
        mean = blended(mean_of(starts), mean_of(tuned), alpha)
        if _is_one_model(bench, question, folds, first, mean):
            return mean, trials.histories
        if is_past(bench, trials.trainings[0].seconds):
            return first, trials.histories[:1]
        progress.say(
            "the trainings lie too far apart for the mean of their weights to be a model: a last"
            " one learns from all pictures"
        )
    start = bench.start(question, None)
    done = train_part(bench, question, f"all{suffix}", None, progress)
    return blended(start, done.state, alpha), (done.history,)


def averages(bench: Bench) -> bool:
    """Whether the mean of several trainings may be a model: they began with the same weights."""
    return bench.recipe.head == "probe"


def is_past(bench: Bench, seconds: float) -> bool:
    """Whether so many more would go past the time budget."""
    return bench.deadline is not None and time.monotonic() + seconds > bench.deadline


def _is_one_model(
    bench: Bench,
    question: Question,
    folds: Rows,
    first: Mapping[str, Any],
    mean: Mapping[str, Any],
) -> bool:
    """Whether mean weights do as well as the first of the trainings they are of, on pictures that
    either mostly learned from. Classes that the first has not seen take no part.
    """
    labels = question.examples.labels
    rows = np.arange(0, len(labels), math.ceil(len(labels) / MOST_COMPARED))
    losses = []
    for state in (first, mean):
        load_state(bench.halves, bench.head, state)
        scores = without_unseen(bench.scores(rows), labels[folds != 0])
        losses.append(calibrated_loss(scores, labels[rows]))
    return losses[1] <= APART * losses[0]
