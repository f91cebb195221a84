"""Fine-tuning inside a run: from what the run knows to a question, and what the answer changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.outlook import Outlook, outlook
from tellapart.backbones import Backbone
from tellapart.data import PictureSet
from tellapart.errors import DataError, OptionError
from tellapart.features import Cache, Look, look
from tellapart.features.parts import Part, Recipe
from tellapart.finetuning.records import Examples, Tuned
from tellapart.heads import LinearHead
from tellapart.images import first_views
from tellapart.progress import Progress
from tellapart.results import Fitted
from tellapart.run_folder import CHECKPOINTS
from tellapart.settings import RunSettings
from tellapart.splits import Split
from tellapart.splits.components import numbered

if TYPE_CHECKING:
    from tellapart.finetuning.finetune import Question
    from tellapart.finetuning.lr_find import RateCurve

LEAVE_OUT = "leave it out"
MOST_COMPARED = 1_000  # training pictures on which the saved network is compared with torch


def check(settings: RunSettings) -> None:
    """Refuse what cannot be, before any work; raises OptionError or MissingExtra."""
    if settings.finetune.mode == "no":
        if settings.finetune.resume:
            raise OptionError("--resume has an effect with fine-tuning only: add --finetune yes")
        return
    from tellapart.finetuning.recipes import check_settings
    from tellapart.optional import check_lightning

    check_settings(settings.finetune)
    for option, is_given, advice in (
        ("--refit", settings.refit, LEAVE_OUT),
        ("--precision int8", settings.precision != "auto", LEAVE_OUT),
        (f"--head {settings.head}", settings.head != RunSettings.head, LEAVE_OUT),
        ("--search", settings.search != RunSettings.search, LEAVE_OUT),
        ("--views", settings.views != 1, "give --tta for views of the tuned network"),
        (f"--backbone {settings.backbone}", "+" in settings.backbone, "name one of the sum"),
        ("--image-size with several sizes", len(settings.image_sizes) > 1, "give one"),
    ):
        if is_given:
            raise OptionError(
                f"{option} cannot go with fine-tuning, which trains one network: {advice}"
            )
    views(settings)
    check_lightning()


def tune(
    usable: PictureSet, seen: Look, split: Split, fitted: Fitted, recipe: Recipe,
    settings: RunSettings, folder: Path, progress: Progress,
) -> Tuned:  # fmt: skip
    """Train the recipe's network on, on the pictures that the probe was fitted on."""
    from tellapart.finetuning.finetune import finetune

    asked = question_of(usable, seen, split, fitted, recipe, settings, folder)
    return finetune(asked, progress)


def find_rate(
    usable: PictureSet, seen: Look, split: Split, fitted: Fitted, recipe: Recipe,
    settings: RunSettings, folder: Path, progress: Progress,
) -> tuple[RateCurve, float]:  # fmt: skip
    """Return the curve of a range test, and the rate that the recipe would take."""
    from tellapart.finetuning.finetune import look_for_rate

    asked = question_of(usable, seen, split, fitted, recipe, settings, folder)
    found, usual = look_for_rate(asked, progress)
    if found is None:
        raise DataError(
            "the loss was no number after a few steps at the smallest rate: nothing can be told;"
            " look at the data with tellapart audit, or try --precision 32"
        )
    return found, usual


def question_of(
    usable: PictureSet, seen: Look, split: Split, fitted: Fitted, recipe: Recipe,
    settings: RunSettings, folder: Path,
) -> Question:  # fmt: skip
    """Return the question that a run asks: of the pictures that the probe was fitted on."""
    from tellapart.finetuning.finetune import Question
    from tellapart.heads.logistic import fit_head as fit_logistic

    (part,) = recipe
    place = {name: code for code, name in enumerate(fitted.classes)}
    examples = Examples(
        sources=[usable.sources[row] for row in fitted.rows],
        ids=[seen.ids[row] for row in seen.usable[fitted.rows]],
        labels=np.array([place[usable.labels[row]] for row in fitted.rows], np.intp),
        features=seen.features[fitted.rows],
        components=split.components[fitted.rows],
        classes=fitted.classes,
    ).sorted()

    def fit_head(some: NDArray[np.intp]) -> LinearHead:
        search = fitted.probe.search
        wide = np.asarray(examples.features[some], np.float32)
        k = len(examples.classes)
        return fit_logistic(wide, examples.labels[some], k, search.chosen, search.temperature)

    start = fitted.probe.head
    assert isinstance(start, LinearHead)  # `check` refuses other heads
    return Question(
        settings=settings.finetune,
        examples=examples,
        backbone=part.backbone,
        start=start,
        fit_head=fit_head,
        decoding=settings.decoding,
        mirror=settings.mirror,
        seed=settings.seed,
        fast_half=seen.engine.precision == "bf16",
        folder=folder / CHECKPOINTS,
        outlook=_outlook(examples, fitted, settings),
        bands=part.bands,
    )


def _outlook(examples: Examples, fitted: Fitted, settings: RunSettings) -> Outlook | None:
    """Return what `auto` decides by before any training."""
    if settings.finetune.mode != "auto":
        return None
    return outlook(
        examples.features, examples.labels, numbered(examples.components, examples.ids),
        examples.ids, setting=fitted.probe.search.chosen, seed=settings.seed,
    )  # fmt: skip


def views(settings: RunSettings) -> tuple[str, ...]:
    """Return the views whose probabilities `--tta` asks to average, () for the whole alone."""
    found = first_views(settings.finetune.tta, mirror=settings.mirror, option="--tta")
    return found if len(found) > 1 else ()


def recipe(tuned: Tuned, probe: Recipe) -> Recipe:
    """Return what makes the tuned network's features: it takes the bands that the probe's took."""
    assert tuned.backbone is not None
    return (Part(tuned.backbone, probe[0].bands),)


def answers(
    usable: PictureSet, rows: NDArray[np.intp], head: LinearHead, train: NDArray[np.intp],
    base: Backbone, wanted: Recipe, tuned: Tuned, settings: RunSettings, store: Cache,
    progress: Progress,
) -> tuple[NDArray[np.float32], Tuned]:  # fmt: skip
    """Return what the tuned network says of the pictures at `rows`, [n, k], run as `predict` runs
    it; and the answer of fine-tuning with how well that agrees with torch on training pictures,
    those at `train`.

    base    the backbone that the pictures were first looked at through
    wanted  the tuned network's recipe
    """
    from tellapart.finetuning.agreement import agreement_words

    assert tuned.backbone is not None
    compared = train[:MOST_COMPARED]
    some = np.concatenate([rows, compared])
    seen = look(
        usable.take(some.tolist()), base, settings.engine, decoding=settings.decoding,
        cache=store, progress=progress, also=[wanted],
    )  # fmt: skip
    found = head.probabilities(seen.of(wanted).features)
    with progress.stage("compare with torch", len(compared)) as stage:
        words = agreement_words(
            tuned.backbone, head, [usable.sources[row] for row in compared],
            found[len(rows) :], settings.decoding, wanted[0].bands, stage,
        )  # fmt: skip
    return found[: len(rows)], replace(tuned, words=(*tuned.words, words))
