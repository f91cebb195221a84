"""Fine-tuning: the probe as the start, folds that say how much of it to keep, one last training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.finetuning import kept
from tellapart.finetuning.bench import Bench, make_bench, recipe_of
from tellapart.finetuning.blending import blended, choose_alpha, compare, gain
from tellapart.finetuning.export import tuned_backbone, weights_of
from tellapart.finetuning.losses import make_loss
from tellapart.finetuning.recipes import Recipe, check_batch
from tellapart.finetuning.records import Examples, History, Mix, Rows, Tuned
from tellapart.finetuning.training import Trained, Training, load_state, train
from tellapart.finetuning.words import choices_of, kept_words, tuned_words
from tellapart.heads.linear import LinearHead
from tellapart.heads.temperature import best_temperature
from tellapart.optional import need_torch
from tellapart.progress import Progress
from tellapart.settings import Decoding, FinetuneSettings
from tellapart.splits import stratified_group_folds

TUNE_FOLDS = 5  # a fifth is held out where one training must do

FitHead = Callable[[Rows], LinearHead]
Scores = dict[float, NDArray[np.float32]]


@dataclass(frozen=True)
class Question:
    """What fine-tuning is asked: the settings, and all of the run that it must know.

    fit_head   the probe's head fitted on some rows of the examples (sorted), for folds
    start      the probe's head
    fast_half  the CPU computes in bfloat16
    folder     where checkpoints stand
    """

    settings: FinetuneSettings
    examples: Examples
    backbone: Backbone
    start: LinearHead
    fit_head: FitHead
    decoding: Decoding
    mirror: bool
    seed: int
    fast_half: bool
    folder: Path


@dataclass(frozen=True)
class Trials:
    """What the trainings with held-out pictures found.

    rows    [m] rows that were held out of one of them; scores alpha -> [m, k] log probabilities
    state   trained tensors of the last one
    """

    rows: Rows
    scores: Scores
    histories: tuple[History, ...]
    mixes: tuple[Mix, ...]
    state: Mapping[str, Any]


def finetune(question: Question, progress: Progress) -> Tuned:
    """Train the network on, and return it, or why the probe is kept.

    Nothing but the examples takes part in any choice. Raises a TellapartError, in one line, for
    what is wrong with the settings, the memory or the disk.
    """
    settings, examples = question.settings, question.examples
    recipe = recipe_of(question)
    kept.check_same(question.folder, _asked(question, recipe), resume=settings.resume)
    bench = make_bench(question, recipe, progress)
    folds = _folds(bench, examples, settings, question.seed)
    if folds is None:
        return kept_words("no two parts of the training pictures hold two classes each", ())
    trials = _try(bench, question, folds, progress)
    alpha = choose_alpha(trials.mixes)
    if alpha == 0:
        return kept_words("the probe has the least log loss out of fold", trials.histories,
                          trials.mixes)  # fmt: skip
    single = len(examples.labels) > settings.tune_above and len(bench.recipe.alphas) > 1
    if single:
        start, state, histories = bench.start(question, folds != 0), trials.state, trials.histories
    else:
        start = bench.start(question, None)
        done = _train(bench, question, "all", None, progress)
        state, histories = done.state, (*trials.histories, done.history)
    return _exported(bench, question, trials, alpha, blended(start, state, alpha), histories)


def _asked(question: Question, recipe: Recipe) -> dict[str, Any]:
    """Return what must be the same for a fine-tuning to go on: plain values."""
    examples = question.examples
    pictures = "\n".join(
        f"{id_} {label}" for id_, label in zip(examples.ids, examples.labels, strict=True)
    )
    return {
        "pictures": hashlib.blake2b(pictures.encode(), digest_size=8).hexdigest(),
        "classes": list(examples.classes),
        "backbone": question.backbone.name,
        "weights": question.backbone.weights_digest[:16],
        "mirror": question.mirror,
        "seed": question.seed,
        "folds": question.settings.folds,
        **{name: value for name, value in asdict(recipe).items() if name not in FREE},
    }


FREE = ("save_every", "logger")  # what a resumed fine-tuning may do in another way


def _folds(bench: Bench, examples: Examples, settings: FinetuneSettings, seed: int) -> Rows | None:
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


def _try(bench: Bench, question: Question, folds: Rows, progress: Progress) -> Trials:
    """Train without each fold, and score what was held out at every alpha."""
    labels = question.examples.labels
    k = len(question.examples.classes)
    scores: Scores = {
        alpha: np.full((len(labels), k), np.nan, np.float32) for alpha in bench.recipe.alphas
    }
    histories = []
    state: Mapping[str, Any] = {}
    for fold in range(int(folds.max()) + 1):
        name = f"fold {fold + 1}"
        held = np.flatnonzero(folds == fold)
        found = kept.load(bench.folder / name.replace(" ", "-")) if bench.resume else None
        if found is None:
            start = bench.start(question, folds != fold)
            done = _train(bench, question, name, folds != fold, progress)
            part = _scored(bench, start, done.state, held)
            found = kept.Done(part, done.history, done.state)
            kept.save(bench.folder / name.replace(" ", "-"), found)
        for alpha, own in found.scores.items():
            scores[alpha][held] = own
        histories.append(found.history)
        state = found.state
    rows = np.flatnonzero(folds >= 0)
    some = {alpha: own[rows] for alpha, own in scores.items()}
    mixes = compare(some, labels[rows], question.examples.components[rows])
    return Trials(rows, some, tuple(histories), mixes, state)


def _train(
    bench: Bench, question: Question, name: str, part: NDArray[np.bool_] | None, progress: Progress
) -> Trained:
    """Train on the rows where `part` is true (None: on all), the others held out."""
    labels = question.examples.labels
    part = np.ones(len(labels), bool) if part is None else part
    rows = np.flatnonzero(part)
    check_batch(bench.recipe, len(rows))
    start = bench.start(question, part)
    load_state(bench.halves, bench.head, start)
    counts = np.bincount(labels[rows], minlength=len(question.examples.classes))
    return train(
        Training(
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
            folder=bench.folder / name.replace(" ", "-"),
            seed=question.seed,
        ),
        progress,
        resume=bench.resume,
    )  # fmt: skip


def _scored(bench: Bench, start: Mapping[str, Any], tuned: Mapping[str, Any], held: Rows) -> Scores:
    """Return alpha -> log probabilities [m, k] of the rows `held`."""
    found = {}
    for alpha in bench.recipe.alphas:
        load_state(bench.halves, bench.head, blended(start, tuned, alpha))
        found[alpha] = bench.scores(held)
    return found


def _exported(
    bench: Bench,
    question: Question,
    trials: Trials,
    alpha: float,
    state: Mapping[str, Any],
    histories: tuple[History, ...],
) -> Tuned:
    """Return the tuned network and head, with the temperature that the held-out scores ask for."""
    torch = need_torch()
    labels = question.examples.labels[trials.rows]
    temperature = best_temperature(trials.scores[alpha], labels)
    load_state(bench.halves, bench.head, state)
    network = bench.whole_network()
    with torch.no_grad():
        weights, bias = bench.head.weight.T / temperature, bench.head.bias / temperature
    head = LinearHead(
        "logistic",
        np.ascontiguousarray(weights.cpu().numpy(), np.float32),
        np.asarray(bias.cpu().numpy(), np.float32),
    )
    arrays = weights_of(network)
    changed = bool(bench.halves.trained)
    found = (
        gain(trials.scores, alpha, labels, question.examples.components[trials.rows])
        if 0.0 in trials.scores
        else None
    )
    return Tuned(
        backbone=tuned_backbone(question.backbone, arrays) if changed else question.backbone,
        head=head,
        weights=arrays,
        alpha=alpha,
        histories=histories,
        mixes=trials.mixes,
        choices=choices_of(bench.recipe, trials.mixes, alpha, temperature),
        words=tuned_words(found, alpha, len(trials.rows)),
    )
