"""The trainings that hold pictures out: each scores, at every share of its weights, what it has not
seen, and together they say how much of the tuned weights to keep.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.finetuning import kept
from tellapart.finetuning.bench import Bench
from tellapart.finetuning.blending import blended, compare
from tellapart.finetuning.kept import Done as Fold
from tellapart.finetuning.losses import make_loss
from tellapart.finetuning.recipes import check_batch
from tellapart.finetuning.records import Examples, History, Mix, Rows
from tellapart.finetuning.training import Trained, Training, load_state, train
from tellapart.heads.temperature import without_unseen
from tellapart.progress import Progress
from tellapart.settings import FinetuneSettings
from tellapart.splits import stratified_group_folds

if TYPE_CHECKING:
    from tellapart.finetuning.finetune import Question

TUNE_FOLDS = 5  # a fifth is held out where one training must do

Scores = dict[float, NDArray[np.float32]]


@dataclass(frozen=True)
class Trials:
    """What the trainings with held-out pictures found.

    rows       [m] rows that were held out of one of them, folds [m] of which
    scores     alpha -> [m, k] log probabilities
    epochs     the same of the trained weights, by epoch: of those that every training kept
    trainings  fold 0's, fold 1's ...
    """

    rows: Rows
    folds: Rows
    scores: Scores
    epochs: dict[int, NDArray[np.float32]]
    trainings: tuple[Fold, ...]
    mixes: tuple[Mix, ...]

    @property
    def histories(self) -> tuple[History, ...]:
        """How each training went."""
        return tuple(one.history for one in self.trainings)


def deal_folds(
    bench: Bench, examples: Examples, settings: FinetuneSettings, seed: int
) -> Rows | None:
    """Return the fold of each example, None where a fold would learn from one class alone."""
    one_training = len(examples.labels) > settings.tune_above or len(bench.recipe.alphas) == 1
    number = TUNE_FOLDS if one_training else settings.folds
    folds = stratified_group_folds(
        examples.labels, examples.components, list(examples.ids), number, seed
    )
    for fold in range(1 if one_training else int(folds.max()) + 1):
        if len(np.unique(examples.labels[folds != fold])) < 2 or not (folds == fold).any():
            return None
    return np.where(folds == 0, 0, -1) if one_training else folds


def train_fold(
    bench: Bench, question: Question, folds: Rows, fold: int, name: str, progress: Progress
) -> Fold:
    """Train without one fold, and score what was held out at every alpha."""
    place = bench.folder / place_of(name)
    found = kept.load(place) if bench.resume else None
    if found is None:
        began = time.monotonic()
        start = bench.start(question, folds != fold)
        done = train_part(bench, question, name, folds != fold, progress)
        learned = question.examples.labels[folds != fold]
        scores = {
            alpha: without_unseen(one, learned)
            for alpha, one in _scored(bench, start, done.state, folds == fold).items()
        }
        found = Fold(scores, done.held, done.history, done.state, time.monotonic() - began)
        kept.save(place, found)
    return found


def train_others(
    bench: Bench, question: Question, folds: Rows, first: Fold, suffix: str, progress: Progress
) -> Trials:
    """Train without each of the other folds too; `suffix` ends the names of these trainings."""
    done = [first]
    for fold in range(1, int(folds.max()) + 1):
        done.append(train_fold(bench, question, folds, fold, f"fold {fold + 1}{suffix}", progress))
    return trials_of(question, folds, done)


def trials_of(question: Question, folds: Rows, done: Sequence[Fold]) -> Trials:
    """Return what the trainings without the first folds say together."""
    examples = question.examples
    rows = np.flatnonzero((folds >= 0) & (folds < len(done)))

    def joined(of: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        whole = np.full((len(folds), len(examples.classes)), np.nan, np.float32)
        for fold, one in enumerate(of):
            whole[folds == fold] = one
        return whole[rows]

    scores = {alpha: joined([one.scores[alpha] for one in done]) for alpha in done[0].scores}
    epochs = {
        number: joined([one.epochs[number] for one in done])
        for number in done[0].epochs
        if all(number in one.epochs for one in done)
    }
    mixes = compare(scores, examples.labels[rows], examples.components[rows])
    return Trials(rows, folds[rows], scores, epochs, tuple(done), mixes)


def train_part(
    bench: Bench, question: Question, name: str, part: NDArray[np.bool_] | None, progress: Progress
) -> Trained:
    """Train on the rows where `part` is true (None: on all), the others held out."""
    return train(training_of(bench, question, name, part), progress, resume=bench.resume)


def place_of(name: str) -> str:
    """Return the folder of a training, by its name."""
    return name.replace(" ", "-")


def training_of(
    bench: Bench, question: Question, name: str, part: NDArray[np.bool_] | None
) -> Training:
    """Return a training, its start loaded."""
    labels = question.examples.labels
    part = np.ones(len(labels), bool) if part is None else part
    rows = np.flatnonzero(part)
    check_batch(bench.recipe, len(rows))
    load_state(bench.halves, bench.head, bench.start(question, part))
    counts = np.bincount(labels[rows], minlength=len(question.examples.classes))
    return Training(
        name=name,
        halves=bench.halves,
        head=bench.head,
        store=bench.store,
        rows=rows,
        held=np.flatnonzero(~part),
        labels=labels,
        loss=make_loss(bench.recipe.imbalance, counts, bench.recipe.smoothing),
        recipe=bench.recipe,
        transform=question.backbone.transform,
        folder=bench.folder / place_of(name),
        seed=question.seed,
        deadline=bench.deadline,
    )


def _scored(
    bench: Bench, start: Mapping[str, Any], tuned: Mapping[str, Any], held: NDArray[np.bool_]
) -> Scores:
    """Return alpha -> log probabilities [m, k] of the rows where `held` is true."""
    found = {}
    for alpha in bench.recipe.alphas:
        load_state(bench.halves, bench.head, blended(start, tuned, alpha))
        found[alpha] = bench.scores(np.flatnonzero(held))
    return found
