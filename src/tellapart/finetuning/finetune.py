"""Fine-tuning: the probe as the start, trainings that hold folds out, the mean of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tellapart.advice.outlook import Outlook
from tellapart.backbones.records import Backbone
from tellapart.finetuning import held, kept, words
from tellapart.finetuning.bench import Bench, make_bench, recipe_of
from tellapart.finetuning.blending import Gain, choose_alpha, gain
from tellapart.finetuning.export import tuned_backbone, weights_of
from tellapart.finetuning.folds import (
    Trials,
    deal_folds,
    place_of,
    train_fold,
    train_others,
    training_of,
    trials_of,
)
from tellapart.finetuning.imbalance import AUTO, Option, choose_option, without_option
from tellapart.finetuning.kept import Done as Fold
from tellapart.finetuning.lr_find import RateCurve, find_rate
from tellapart.finetuning.pictures import sample_sheet
from tellapart.finetuning.recipes import Recipe
from tellapart.finetuning.records import Examples, History, Rows, Tuned
from tellapart.finetuning.training import load_state
from tellapart.finetuning.weights import averages, final_weights, is_past
from tellapart.heads.linear import LinearHead
from tellapart.heads.temperature import best_temperature
from tellapart.images import RGB
from tellapart.optional import need_lightning, need_torch
from tellapart.progress import Progress
from tellapart.settings import Decoding, FinetuneSettings

PILOT_RATES = (3e-4, 1e-3)  # METHODS section 5: 1e-3 harms small sets and doubles the gain of some
PILOT_FROM = 800  # training pictures

FitHead = Callable[[Rows], LinearHead]


@dataclass(frozen=True)
class Question:
    """What fine-tuning is asked: the settings, and all of the run that it must know.

    fit_head   the probe's head fitted on some rows of the examples (sorted), for folds
    start      the probe's head
    fast_half  the CPU computes in bfloat16
    outlook    how good the probe is and how steep its learning curve; None: not asked to decide
    folder     where checkpoints stand
    bands      what the network is shown, indices among the decoded bands
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
    outlook: Outlook | None = None
    bands: tuple[int, ...] = RGB


def finetune(question: Question, progress: Progress) -> Tuned:
    """Train the network on, and return it, or why the probe is kept.

    Nothing but the examples takes part in any choice. Raises a TellapartError, in one line, for
    what is wrong with the settings, the memory or the disk.
    """
    settings, examples = question.settings, question.examples
    if settings.mode == "auto":
        worth, why = words.worth_trying(question.outlook, len(examples.labels))
        if not worth:
            return words.kept_words(why, ())
        progress.say(f"fine-tuning is tried: {why}")
    need_lightning()  # before any checkpoint is written
    recipe = recipe_of(question)
    kept.check_same(question.folder, kept.asked_of(question, recipe), resume=settings.resume)
    bench = make_bench(question, without_option(recipe), progress)
    folds = deal_folds(bench, examples, settings, question.seed)
    if folds is None:
        return words.kept_words("no two parts of the training pictures hold two classes each", ())
    if settings.rate == "auto":
        bench = _with_found_rate(bench, question, folds, progress)
    bench, first = _pilot(bench, question, folds, progress)
    one_is_all = int(folds.max()) == 0
    pilot = trials_of(question, folds, [first])
    if settings.mode == "auto" and choose_alpha(pilot.mixes) == 0:
        _leave(question, pilot, 0.0, ())
        why = words.first_words(pilot.mixes, len(pilot.rows))
        return words.kept_words(why, pilot.histories, pilot.mixes)
    bench, option = _with_option(bench, question, recipe, folds, first, progress)
    first = option.first
    only_first = one_is_all or _is_late(bench, first, folds)
    trials = (
        trials_of(question, folds, [first])
        if only_first
        else train_others(bench, question, folds, first, option.suffix, progress)
    )
    alpha = choose_alpha(trials.mixes)
    chosen_on = 0 if option.tried or _compares_rates(bench, question) else None
    found = _gain(question, trials, alpha, chosen_on)
    worse = _why_kept(settings.mode, found, alpha)
    if worse:
        _leave(question, trials, 0.0, ())
        return option.told(words.kept_words(worse, trials.histories, trials.mixes))
    state, made_by = final_weights(bench, question, folds, trials, alpha, option.suffix, progress)
    _leave(question, trials, alpha, made_by)
    return option.told(_exported(bench, question, trials, alpha, state, made_by, found))


def _leave(question: Question, trials: Trials, alpha: float, made_by: tuple[History, ...]) -> None:
    """Leave on disk what each kept checkpoint answers on pictures held out; `made_by` are the
    trainings whose weights are kept, none where the probe is.
    """
    folder, examples = question.folder, question.examples
    files = held.epoch_files(folder, {place_of(one.name): one for one in made_by})
    scores = {f"epoch-{number}": one for number, one in trials.epochs.items()}
    if alpha and 0.0 in trials.scores:
        scores = {held.PROBE: trials.scores[0.0], **scores}
    held.save(folder, held.Held(
        scores={**scores, held.KEPT: trials.scores[alpha]},
        files={
            f"epoch-{number}": file for number, file in files.items() if number in trials.epochs
        },
        labels=examples.labels[trials.rows],
        components=examples.components[trials.rows],
        classes=examples.classes,
        crossed=len(trials.trainings) > 1,
    ))  # fmt: skip


def look_for_rate(question: Question, progress: Progress) -> tuple[RateCurve | None, float]:
    """Return what a range test on all training pictures finds, and the recipe's own rate."""
    need_lightning()  # before the frozen half is computed
    bench = make_bench(question, without_option(recipe_of(question)), progress)
    training = training_of(bench, question, "find rate", None)
    return find_rate(training, progress), bench.recipe.rate


def _with_found_rate(bench: Bench, question: Question, folds: Rows, progress: Progress) -> Bench:
    """Return the bench with the rate that a range test suggests, on all but the first fold."""
    training = training_of(bench, question, "find rate", folds != 0)
    found = find_rate(training, progress)
    if found is None or not found.falls:
        why = "nothing could be told" if found is None else "the loss hardly falls at any rate"
        progress.say(f"find rate: {why}; {bench.recipe.rate:g} is taken")
        return bench
    progress.say(
        f"find rate: valley {found.valley:.2g} is taken (steepest {found.steepest:.2g}, a tenth of"
        f" the least loss's {found.tenth:.2g})"
    )
    return replace(bench, recipe=replace(bench.recipe, rate=found.valley))


def _gain(question: Question, trials: Trials, alpha: float, chosen_on: int | None) -> Gain | None:
    """Return by how much the tuned network is better out of fold; None without a probe's scores.

    chosen_on  the fold that chose among rates or options, which then takes no part; None: no fold
    """
    if 0.0 not in trials.scores:
        return None
    examples = question.examples
    return gain(
        trials.scores, alpha, examples.labels[trials.rows], examples.components[trials.rows],
        trials.folds, chosen_on,
    )  # fmt: skip


def _why_kept(mode: str, found: Gain | None, alpha: float) -> str:
    """Return why the probe is kept, "" where the tuned network is better.

    Asked to decide (auto), a gain within one standard error is a tie, and the cheaper one wins.
    """
    if alpha == 0:
        return "it has the least log loss on held-out pictures"
    if mode != "auto" or found is None or found.value > found.error:
        return ""
    return (
        f"{100 * found.value:+.1f} points of balanced accuracy out of fold are within one standard"
        f" error ({100 * found.error:.1f}), and the probe is cheaper"
    )


def _is_late(bench: Bench, first: Fold, folds: Rows) -> bool:
    """Whether the trainings that are left would go past the time budget."""
    number = int(folds.max()) + 1
    last = 0.0 if averages(bench) else number / max(1, number - 1)
    return is_past(bench, first.seconds * (number - 1 + last))


def _pilot(bench: Bench, question: Question, folds: Rows, progress: Progress) -> tuple[Bench, Fold]:
    """Train without the first fold; where sets are large enough and no rate is asked for, at each
    of PILOT_RATES. Returns the bench with the rate that did best on the fold, and that training.
    """
    if not _compares_rates(bench, question):
        return bench, train_fold(bench, question, folds, 0, "fold 1", progress)
    tried = []
    for rate in PILOT_RATES:
        some = replace(bench, recipe=replace(bench.recipe, rate=rate))
        name = "fold 1" if rate == bench.recipe.rate else f"fold 1 at {rate:g}"
        tried.append((some, train_fold(some, question, folds, 0, name, progress)))
    return min(tried, key=lambda one: min(
        mix.loss for mix in trials_of(question, folds, [one[1]]).mixes
    ))  # fmt: skip


def _compares_rates(bench: Bench, question: Question) -> bool:
    """Whether the first fold chooses among learning rates."""
    return (
        question.settings.rate is None
        and len(question.examples.labels) >= PILOT_FROM
        and bench.recipe.head == "probe"
    )


def _with_option(
    bench: Bench, question: Question, recipe: Recipe, folds: Rows, first: Fold, progress: Progress
) -> tuple[Bench, Option]:
    """Return the bench with what is done for rare classes, and the first fold's training with it;
    chosen by more trainings of that fold where the recipe leaves it open.
    """
    if recipe.imbalance != AUTO:
        return bench, Option(recipe.imbalance, first, "as asked for, or as the recipe says")

    def with_option(name: str) -> Bench:
        return replace(bench, recipe=replace(bench.recipe, imbalance=name))

    def train_with(name: str) -> Fold | None:
        if is_past(bench, first.seconds):
            return None
        return train_fold(with_option(name), question, folds, 0, f"fold 1 with {name}", progress)

    labels, held_out = question.examples.labels, np.flatnonzero(folds == 0)
    option = choose_option(
        np.bincount(labels), labels[held_out], question.examples.components[held_out], first,
        train_with,
    )  # fmt: skip
    progress.say(f"imbalance: {option.name}: {option.why}")
    return with_option(option.name), option


def _exported(
    bench: Bench,
    question: Question,
    trials: Trials,
    alpha: float,
    state: Mapping[str, Any],
    made_by: tuple[History, ...],
    found: Gain | None,
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
    return Tuned(
        backbone=tuned_backbone(question.backbone, arrays) if changed else question.backbone,
        head=head,
        weights=arrays,
        alpha=alpha,
        histories=(*trials.histories, *(one for one in made_by if one not in trials.histories)),
        mixes=trials.mixes,
        choices=words.choices_of(bench.recipe, trials.mixes, alpha, temperature, len(made_by)),
        words=words.tuned_words(found, alpha),
        samples=sample_sheet(bench.pictures, _one_a_class(question), SAMPLE_VIEWS),
    )


def _one_a_class(question: Question) -> list[int]:
    """Return the first picture of each of the first few classes."""
    labels = question.examples.labels
    return [int(np.flatnonzero(labels == code)[0]) for code in np.unique(labels)[:SAMPLES]]


SAMPLES, SAMPLE_VIEWS = 4, 6
