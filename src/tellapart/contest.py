"""Backbones against each other, on the training pictures alone: who answers better out of fold."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.data import PictureSet
from tellapart.engines import open_engine, usable_cores
from tellapart.evaluation import CROSSED_WIDENING, Estimate, evaluate, is_tie, paired_difference
from tellapart.features import Cache, embed
from tellapart.features.parts import Ready, Recipe, width
from tellapart.features.recipes import Candidate
from tellapart.fitting import Job, Learned, learn
from tellapart.heads.crossed import answers_out_of_fold
from tellapart.heads.search import subsample
from tellapart.settings import RunSettings
from tellapart.splits import Split

MAPPED = 1_000  # pictures on the map of a backbone
TIMED, WARM = 128, 16  # pictures that tell the speed, and that are embedded before the clock starts


@dataclass(frozen=True)
class BackboneScore:
    """How one backbone did on the training pictures.

    balanced_accuracy  out of fold, with its interval
    difference         to the best one, below 0 where this is worse; None of the best itself
    tie                whether it cannot be told apart from the best
    pictures_a_second  decoded and embedded, on this machine as it was
    features           length of the vectors; parameters, licence: of all networks
    choices            what was chosen for it, as in run.json
    """

    name: str
    balanced_accuracy: Estimate
    difference: Estimate | None
    tie: bool
    pictures_a_second: float
    features: int
    parameters: int
    licence: str
    choices: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return one row of probe.json."""
        return {
            "backbone": self.name,
            "balanced_accuracy": self.balanced_accuracy.to_json(),
            "difference": self.difference.to_json() if self.difference else None,
            "tie": self.tie,
            "pictures_a_second": round(self.pictures_a_second, 1),
            "features": self.features,
            "parameters": self.parameters,
            "licence": self.licence,
            "choices": list(self.choices),
        }


@dataclass(frozen=True)
class Entry:
    """One backbone: what it answered on the rows compared, and what is known of it.

    shown  [m, d] its features of the pictures on the maps
    """

    name: str
    hits: NDArray[np.bool_]
    score: Estimate
    speed: float
    recipe: Recipe
    choices: tuple[dict[str, Any], ...]
    shown: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Contest:
    """All entries, the best first; of the best also the fit.

    rows [n] are those compared, mapped [m] those of them that stand on the maps
    """

    entries: tuple[Entry, ...]
    best: Learned
    rows: NDArray[np.intp]
    mapped: NDArray[np.intp]
    truth: NDArray[np.intp]
    components: NDArray[np.intp]

    def scores(self) -> tuple[BackboneScore, ...]:
        """Return the entries with their differences to the first."""
        return tuple(self._score(one) for one in self.entries)

    def _score(self, one: Entry) -> BackboneScore:
        first = self.entries[0]
        difference = None
        if one is not first:
            difference = paired_difference(
                one.hits, first.hits, self.truth, self.components, widening=CROSSED_WIDENING
            )
        networks = dict.fromkeys(part.backbone for part in one.recipe)
        with_weights = [network for network in networks if network.parameters] or networks
        return BackboneScore(
            name=one.name,
            balanced_accuracy=one.score,
            difference=difference,
            tie=difference is not None and is_tie(difference),
            pictures_a_second=one.speed,
            features=width(one.recipe),
            parameters=sum(network.parameters for network in networks),
            licence=" + ".join(dict.fromkeys(network.licence for network in with_weights)),
            choices=one.choices,
        )


def hold_contest(job: Job, split: Split, ways: dict[str, tuple[Candidate, ...]]) -> Contest:
    """Fit every backbone on the training pictures; of all but the best the features are let go."""
    train = split.rows("train")
    codes = job.usable.codes()
    ids = [job.seen.ids[row] for row in job.seen.usable]
    some = subsample(
        codes[train], split.components[train], [ids[row] for row in train], job.settings.seed
    )
    rows = train[some]
    mapped = np.array(sorted(rows.tolist(), key=lambda row: ids[row])[:MAPPED], np.intp)
    learned_classes, truth = np.unique(codes[rows], return_inverse=True)
    entries: list[Entry] = []
    best: Learned | None = None
    top: Entry | None = None
    for name, mine in ways.items():
        job.progress.say(f"{name}:")
        learned = learn(replace(job, ways=mine), train)
        entry = _entry(job, name, learned, rows, truth, learned_classes, mapped)
        entries.append(entry)
        if top is None or _rank(entry) < _rank(top):
            best, top = learned, entry
    assert best is not None  # there is a name at least
    entries.sort(key=_rank)
    return Contest(tuple(entries), best, rows, mapped, truth, split.components[rows])


def _rank(one: Entry) -> tuple[float, str]:
    return (-round(one.score.value or 0.0, 12), one.name)


def _entry(
    job: Job, name: str, learned: Learned, rows: NDArray[np.intp], truth: NDArray[np.intp],
    classes: NDArray[np.intp], mapped: NDArray[np.intp],
) -> Entry:  # fmt: skip
    """Return what one backbone answered out of fold on the pictures at `rows`."""
    search = learned.fitted.probe.search
    answers = answers_out_of_fold(
        learned.look.features[rows],
        truth,
        len(classes),
        job.components[rows],
        [job.seen.ids[row] for row in job.seen.usable[rows]],
        search.chosen,
        search.temperature,
        seed=job.settings.seed,
        cache=job.cache,
    )
    measured = evaluate(
        answers,
        truth,
        classes=tuple(job.usable.classes[code] for code in classes),
        components=job.components[rows],
        baseline_class=job.usable.classes[classes[0]],
        seed=job.settings.seed,
        widening=CROSSED_WIDENING,
    )
    speed = _speed(job.usable, learned.recipe, job.settings, job.cache)
    hits = answers.argmax(axis=1) == truth
    choices = tuple(learned.fitted.probe.choices)
    shown = learned.look.features[mapped]
    return Entry(name, hits, measured.headline, speed, learned.recipe, choices, shown)


def _speed(usable: PictureSet, recipe: Recipe, settings: RunSettings, cache: Cache) -> float:
    """Return pictures a second, from files to vectors, on some pictures spread over the set."""
    threads = usable_cores()
    engines = {
        backbone: open_engine(backbone, settings.engine, cache, threads=threads)
        for backbone in dict.fromkeys(part.backbone for part in recipe)
    }
    parts = [Ready(part.shown(), engines[part.backbone]) for part in recipe]
    step = max(1, len(usable) // TIMED)
    sources = usable.sources[::step][:TIMED]
    for _ in embed(sources[:WARM], parts, settings.decoding, threads=threads):
        pass
    start = time.perf_counter()
    done = sum(1 for _ in embed(sources, parts, settings.decoding, threads=threads))
    return done / max(time.perf_counter() - start, 1e-9)
