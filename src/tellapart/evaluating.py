"""What is answered on pictures that a classifier never saw, held out or crossed, and how well.

Crossed: in every fold the whole choice is made anew on the pictures of the other folds (nested
cross-validation), so that each picture has one answer of a classifier that never saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tellapart import tuning
from tellapart.data import PictureSet
from tellapart.engines import open_engine, usable_cores
from tellapart.errors import DataError, OptionError, did_you_mean
from tellapart.evaluation import CROSSED_WIDENING, Evaluation, evaluate, paired_difference
from tellapart.evaluation.calibration import calibration
from tellapart.evaluation.pretraining import PretrainingEffect
from tellapart.evaluation.views import ViewsEffect, views_effect
from tellapart.features import Look, look
from tellapart.features.parts import Ready, mean_of
from tellapart.features.timing import seconds_a_picture
from tellapart.finetuning.records import Tuned
from tellapart.fitting import Job, Learned, learn
from tellapart.progress import Progress
from tellapart.results import Fitted, Judged
from tellapart.settings import EVALUATIONS, RunSettings
from tellapart.splits import Split

LARGE = 5_000  # pictures from which a held-out test is nearly as sure at a fraction of the time

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What was answered on n pictures by classifiers that never saw them.

    rows           [n] of the usable pictures
    probabilities  float32 [n, k], in the order of Fitted.classes
    untempered     the same without the heads' temperatures; None of a network trained on
    whole          with test-time views: what was answered by the whole picture alone
    seconds        likewise: a picture takes, the whole alone and all views
    pretrained     where a network was trained from scratch: what the probe answered
    """

    rows: NDArray[np.intp]
    probabilities: Floats
    untempered: Floats | None
    whole: Floats | None = None
    seconds: tuple[float, float] = (0.0, 0.0)
    pretrained: Floats | None = None


def check_evaluate(settings: RunSettings) -> None:
    """Raise OptionError for an unknown way to evaluate, or an option without effect on it."""
    name = settings.evaluate
    if name not in EVALUATIONS:
        raise OptionError(
            f"--evaluate {name}: unknown{did_you_mean(name, EVALUATIONS)}"
            f" (known: {', '.join(EVALUATIONS)})"
        )
    if name == "cv" and settings.refit:
        raise OptionError(
            "--refit has no effect with --evaluate cv: the classifier that is kept is fitted on"
            " every picture anyway; leave it out"
        )
    if name == "cv" and settings.finetune.mode != "no":
        raise OptionError(
            "--evaluate cv cannot go with fine-tuning, which would train a network in every fold:"
            " leave one of them out"
        )


def judging_rows(split: Split) -> NDArray[np.intp]:
    """Return the rows on evaluation sides, those that do not count in."""
    return np.flatnonzero((split.sides != "train") & (split.sides != ""))


def held_out_answers(learned: Learned, split: Split) -> Answers:
    """Return the probe's answers on the evaluation sides."""
    rows = judging_rows(split)
    return Answers(rows, *_answers(learned.fitted, learned.look, rows))


def tuned_answers(
    job: Job, learned: Learned, split: Split, tuned: Tuned
) -> tuple[Learned, Answers, Tuned]:
    """Return the tuned network in the probe's place, its answers on the evaluation sides, and the
    answer of fine-tuning with how well the network that is kept agrees with it.
    """
    assert tuned.head is not None  # the caller has a network that is better than the probe
    fitted = replace(learned.fitted, head=tuned.head)
    rows, recipe = judging_rows(split), tuning.recipe(tuned, learned.recipe)
    with job.watch("evaluate"):
        found, tuned = tuning.answers(
            job.usable, rows, tuned.head, fitted.rows, job.base, recipe, tuned, job.settings,
            job.cache, job.progress,
        )  # fmt: skip
    answers = Answers(rows, found, None)
    if job.settings.finetune.mode == "scratch":
        answers = replace(answers, pretrained=held_out_answers(learned, split).probabilities)
    return replace(learned, fitted=fitted, recipe=recipe), answers, tuned


def averaged_answers(job: Job, learned: Learned, answers: Answers) -> Answers:
    """Return the mean of the probabilities of the views that `--tta` asks for, and what it takes;
    `answers` are those of the whole picture.
    """
    views = tuning.views(job.settings)
    if not views:
        return answers
    pictures = job.usable.take(answers.rows.tolist())
    by_view = [tuple(replace(part, views=(view,)) for part in learned.recipe) for view in views]
    with job.watch("evaluate"):
        seen = look(
            pictures, job.base, job.settings.engine, decoding=job.settings.decoding,
            cache=job.cache, progress=job.progress, also=by_view,
        )  # fmt: skip
        each = [learned.fitted.head.probabilities(seen.of(one).features) for one in by_view]
        engines = {
            part.backbone: open_engine(
                part.backbone, job.settings.engine, job.cache, threads=usable_cores()
            )
            for part in learned.recipe
        }
        ways = [
            [Ready(part.shown(), engines[part.backbone]) for part in parts]
            for parts in (learned.recipe, [part for one in by_view for part in one])
        ]
        alone, every = seconds_a_picture(pictures.sources, ways, job.settings.decoding)
    averaged = np.asarray(mean_of(each), np.float32)
    return replace(
        answers, probabilities=averaged, untempered=None, whole=answers.probabilities,
        seconds=(alone, every),
    )  # fmt: skip


def crossed_answers(job: Job, learned: Learned, split: Split) -> tuple[Learned, Answers]:
    """Return one answer a usable picture, each by a classifier of the other folds.

    The first value is `learned`, fitted on every picture, with the work of the folds counted in and
    what they chose. A class that a fold's training part lacks has probability 0 there.
    """
    if split.folds is None:
        raise ValueError("the split has no folds")
    rows = np.flatnonzero(split.sides == split.headline)
    if len(rows) > LARGE:
        job.progress.say(
            f"{len(rows):,} pictures are cross-validated, {len(split.folds.train)} fits of every"
            " candidate: in so large a set a held-out test is nearly as sure, and faster"
        )
    shape = (len(job.usable), len(learned.fitted.classes))
    found, plain = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    quiet = replace(job, progress=Progress())
    done: list[Learned] = []
    with job.progress.stage("cross-validate", len(split.folds.train), "folds") as stage:
        for fold, train in enumerate(split.folds.train):
            done.append(learn(quiet, train))
            judged = np.flatnonzero(split.folds.of == fold)
            names = done[-1].fitted.classes
            there = np.ix_(judged, np.array([learned.fitted.classes.index(one) for one in names]))
            found[there], plain[there] = _answers(done[-1].fitted, done[-1].look, judged)
            stage.advance()
    return _counted(job, learned, done), Answers(rows, found[rows], plain[rows])


def _answers(fitted: Fitted, seen: Look, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the probabilities [n, k] of some rows, with the head's temperature and without."""
    features = seen.features[rows]
    plain = fitted.head.tempered(1 / fitted.probe.search.temperature)
    return fitted.head.probabilities(features), plain.probabilities(features)


def _counted(job: Job, learned: Learned, folds: Sequence[Learned]) -> Learned:
    """Return what is kept, with the folds' choices and all that was computed for them."""
    records = tuple(
        {
            "fold": number,
            "trained": len(one.fitted.rows),
            "choices": {choice["what"]: choice["chosen"] for choice in one.fitted.probe.choices},
        }
        for number, one in enumerate(folds)
    )
    looks = [one.look for one in folds]
    seen = replace(
        learned.look,
        decoded=learned.look.decoded + sum(one.decoded - job.seen.decoded for one in looks),
        embedded=learned.look.embedded + sum(one.embedded - job.seen.embedded for one in looks),
    )
    computed = learned.fitted.computed + sum(one.fitted.computed for one in folds)
    fitted = replace(learned.fitted, computed=computed, folds=records)
    return replace(learned, fitted=fitted, look=seen)


def judge(
    usable: PictureSet, split: Split, fitted: Fitted, answers: Answers, settings: RunSettings
) -> Judged:
    """Measure the answers on the headline split, once."""
    everything = answers.rows
    place = {name: code for code, name in enumerate(fitted.classes)}
    truth = np.array([place.get(usable.labels[row], -1) for row in everything])

    def measured(rows: NDArray[np.intp], probabilities: Floats) -> Evaluation:
        chosen = np.isin(everything, rows) & (truth >= 0)
        if not chosen.any():
            raise DataError(
                f"no {split.headline} picture is left to judge on: every one of them leaks, or is"
                " of a class without training pictures"
            )
        return evaluate(
            probabilities[chosen],
            truth[chosen],
            classes=fitted.classes,
            components=split.components[everything][chosen],
            baseline_class=fitted.largest_class(usable),
            seed=settings.seed,
            widening=1.0 if split.folds is None else CROSSED_WIDENING,
        )

    counting, leaked = split.rows(split.headline), split.rows(split.headline, with_leaked=True)
    counted = np.isin(everything, counting) & (truth >= 0)
    return Judged(
        rows=everything,
        probabilities=answers.probabilities,
        evaluation=measured(counting, answers.probabilities),
        with_leaked=measured(leaked, answers.probabilities)
        if len(leaked) > len(counting)
        else None,
        ece_before=_calibration_error(answers.untempered, counted, truth),
        views=_views_effect(answers, counted, truth, split, settings),
        pretraining=_pretraining_effect(answers, counted, truth, split, measured),
    )


def _pretraining_effect(
    answers: Answers, counted: NDArray[np.bool_], truth: NDArray[np.intp], split: Split,
    measured: Callable[[NDArray[np.intp], Floats], Evaluation],
) -> PretrainingEffect | None:  # fmt: skip
    """Return what pretraining is worth: like against like, the whole picture alone on both sides.

    measured  gives the evaluation of answers on some of the usable pictures
    """
    if answers.pretrained is None:
        return None
    alone = answers.probabilities if answers.whole is None else answers.whole
    first, second = (
        one.argmax(axis=1)[counted] == truth[counted] for one in (answers.pretrained, alone)
    )
    together = split.components[answers.rows][counted]
    return PretrainingEffect(
        pretrained=measured(answers.rows[counted], answers.pretrained),
        scratch=measured(answers.rows[counted], alone),
        difference=paired_difference(first, second, truth[counted], together),
    )


def _views_effect(
    answers: Answers, counted: NDArray[np.bool_], truth: NDArray[np.intp], split: Split,
    settings: RunSettings,
) -> ViewsEffect | None:  # fmt: skip
    if answers.whole is None:
        return None
    return views_effect(
        answers.whole[counted], answers.probabilities[counted], truth[counted],
        split.components[answers.rows][counted], views=tuning.views(settings),
        seconds=answers.seconds,
    )  # fmt: skip


def _calibration_error(
    probabilities: Floats | None, rows: NDArray[np.bool_], truth: NDArray[np.intp]
) -> float | None:
    """Return the calibration error in 0..1 on some rows, None where there is nothing to measure."""
    if probabilities is None or not rows.any():
        return None
    some = probabilities[rows]
    return calibration(some.max(axis=1), some.argmax(axis=1) == truth[rows])[0]
