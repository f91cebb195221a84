"""One classifier from training pictures: every choice there is to make, and the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tellapart import choosing, precision
from tellapart.backbones import Backbone
from tellapart.choosing import Option
from tellapart.data import PictureSet
from tellapart.errors import DataError
from tellapart.features import Cache, Look
from tellapart.features.parts import Recipe
from tellapart.features.recipes import Candidate
from tellapart.heads import fit_probe
from tellapart.progress import Progress
from tellapart.results import Fitted
from tellapart.settings import RunSettings
from tellapart.stopwatch import Stopwatch


@dataclass(frozen=True)
class Job:
    """What stays the same however many classifiers are fitted on a set.

    usable      the pictures of `pictures` that have features
    seen        the first look, through `base`
    components  [m] pictures that must stay together, of the usable ones
    ways        the candidates that the settings leave open
    """

    pictures: PictureSet
    usable: PictureSet
    seen: Look
    base: Backbone
    components: NDArray[np.intp]
    ways: Sequence[Candidate]
    settings: RunSettings
    cache: Cache
    progress: Progress
    watch: Stopwatch


@dataclass(frozen=True)
class Learned:
    """A fitted classifier: its fit, what its features are made of, and the look that has them."""

    fitted: Fitted
    recipe: Recipe
    look: Look


def learn(job: Job, train: NDArray[np.intp]) -> Learned:
    """Choose everything that is open and fit, from the usable pictures `train` [t] alone."""
    with job.watch("look"):
        options = choosing.all_options(
            job.pictures, job.seen, job.base, train, job.ways, job.settings, job.cache, job.progress
        )
    with job.watch("fit"):
        chosen, fitted = choosing.choose(options, [fit(job, one, train) for one in options])
    learned = Learned(fitted, chosen.candidate.recipe, chosen.look)
    return _in_int8(job, learned, chosen, train) if job.settings.precision == "int8" else learned


def _in_int8(job: Job, learned: Learned, chosen: Option, train: NDArray[np.intp]) -> Learned:
    with job.watch("look"):
        quantised = precision.quantise(
            job.pictures, learned.look, train, learned.recipe, job.settings, job.cache, job.progress
        )
    with job.watch("fit"):
        again = fit(job, replace(chosen, look=quantised.look), train)
        told = precision.told(quantised, learned.look, learned.fitted, again)
    return Learned(told, quantised.recipe, quantised.look)


def fit(job: Job, option: Option, rows: NDArray[np.intp]) -> Fitted:
    """Fit the probe on training pictures, with the classes that stand there."""
    seen, usable = option.look, job.usable
    codes = usable.codes()
    learned = np.unique(codes[rows])
    if len(learned) < 2:
        only = usable.classes[learned[0]] if len(learned) else "none"
        raise DataError(
            f"the training pictures hold one class only ({only}): a classifier needs two or more"
        )
    probe, computed = fit_probe(
        seen.features[rows],
        np.searchsorted(learned, codes[rows]),
        len(learned),
        job.components[rows],
        [seen.ids[row] for row in seen.usable[rows]],
        seed=job.settings.seed,
        cache=job.cache,
        progress=job.progress,
        pca=option.components,
        head=job.settings.head,
        trials=job.settings.search,
    )
    classes = tuple(usable.classes[code] for code in learned)
    return Fitted(probe=probe, head=probe.head, classes=classes, rows=rows, computed=computed)
