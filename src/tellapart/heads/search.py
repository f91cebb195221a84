"""Choosing a head and its settings by cross-validation on the training pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.bench import Bench
from tellapart.heads.compare import Compared, Tried, choose
from tellapart.heads.fitting import fit_setting
from tellapart.heads.kinds import HEADS, usual_setting
from tellapart.heads.plain import C_PATH, PATIENCE, plain_paths
from tellapart.heads.prepare import Floats, Rows
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import best_temperature
from tellapart.heads.trials import Study, Trial, first_study, grid, optuna_search, try_family
from tellapart.progress import Progress
from tellapart.splits import stratified_group_folds
from tellapart.splits.deal import class_counts, dealing_order

FOLDS = 5
MOST_ROWS = 4_000  # settings are chosen on a stratified subsample of about so many pictures
FEW = 10  # independent pictures in the typical class, up to which other heads are compared too
FEWEST = 2  # and up to which the nearest mean is taken without comparing
# Where nothing can be validated: about what the nearest mean wants with one picture a class
# (0.04 to 0.12 on six sets).
TEMPERATURES = {"mean": 0.06}


@dataclass(frozen=True)
class Asked:
    """What is searched.

    head    one of HEADS, whose settings are searched; None: logistic, with trials all of them
    trials  how many Optuna makes beside the plain logistic path; 0: none
    pca     principal components that are kept of the features whatever the head; 0: as chosen
    """

    head: str | None = None
    trials: int = 0
    pca: int = 0


@dataclass(frozen=True)
class Search:
    """The chosen setting, all that were tried, and the temperature its scores are divided by.

    trials  what was searched beside or instead of the plain logistic path, and why it `ended`
    """

    chosen: Setting
    tried: tuple[Tried, ...]
    temperature: float
    rows: int  # pictures it was chosen on; 0 where nothing could be validated
    folds: int
    trials: tuple[Trial, ...] = ()
    ended: str = ""


def search(
    features: NDArray[np.floating],
    labels: Rows,
    k: int,
    components: Rows,
    ids: Sequence[str],
    *,
    seed: int,
    progress: Progress,
    asked: Asked = Asked(),
) -> Search:
    """Choose a head and its settings together, by balanced accuracy out of fold.

    features [n, d], labels [n] in 0..k-1 with every class present. Folds are stratified and keep
    components together; all settings are compared on the same ones. What is not asked for is the
    plain logistic path: C, class weighting and standardising; it is always among the trials.

    Settings within one standard error of the best are ties; of these the one with the least log
    loss is taken, then the simplest. (Taking the simplest at once lost 1.1 points of balanced
    accuracy on average, on inner splits of the training sides of seven sets: hits alone hardly
    tell neighbouring settings apart, their scores do.)

    Few pictures: with FEWEST in the typical class (the median) or fewer, folds would learn from
    half or none of them, and the cosine to the class mean is taken as it is (with one picture a
    class on land_cover and pets by breed it is 3 to 5 points above logistic regression, with two
    as good or better); with up to FEW it and ridge are compared with the logistic path.
    """
    rows = subsample(labels, components, ids, seed)
    some = [ids[row] for row in rows]
    wide = np.asarray(features[rows], np.float32)
    found = _search(wide, labels[rows], k, components[rows], some, seed, progress, asked)
    if len(rows) == len(labels) or not found.rows:
        return found
    with progress.stage("choose temperature", len(labels)) as stage:
        held = stratified_group_folds(labels, components, ids, FOLDS, seed) == 0
        temperature = _held_out_temperature(features, labels, k, held, found.chosen, seed)
        stage.advance(len(labels))
    return replace(found, temperature=temperature)


def _held_out_temperature(
    features: NDArray[np.floating],
    labels: Rows,
    k: int,
    held: NDArray[np.bool_],
    setting: Setting,
    seed: int,
) -> float:
    head = fit_setting(features[~held], labels[~held], k, setting, 1.0, seed)
    scores = head.scores(np.asarray(features[held], np.float32))
    return best_temperature(scores, labels[held])


def _search(
    features: Floats,
    labels: Rows,
    k: int,
    components: Rows,
    ids: list[str],
    seed: int,
    progress: Progress,
    asked: Asked,
) -> Search:
    independent = [len(np.unique(components[labels == code])) for code in range(k)]
    typical = float(np.median(independent))
    plainly = asked.head is None and not asked.trials
    if sum(count >= 2 for count in independent) < 2:
        return _unvalidated(usual_setting(asked.head or "mean", asked.pca))
    folds = stratified_group_folds(labels, components, ids, FOLDS, seed)
    bench = Bench(features, labels, k, folds, seed)
    if plainly and typical <= FEWEST:
        alone = try_family(
            Study((), (), ""), {}, bench, components, usual_setting("mean", asked.pca)
        )
        study = replace(
            alone[0], trials=(), ended=f"{_typically(typical)}: the nearest mean is taken"
        )
    else:
        study = _study(bench, components, progress, asked, few=typical <= FEW)
    chosen = choose(study.tried)
    temperature = next(one.temperature for one in study.tried if one.setting == chosen)
    return Search(
        chosen, study.tried, temperature, len(labels), bench.count, study.trials, study.ended
    )


def _unvalidated(setting: Setting) -> Search:
    return Search(setting, (), TEMPERATURES.get(setting.kind, 1.0), 0, 0)


def _typically(pictures: float) -> str:
    return f"the typical class has {pictures:g} independent training pictures"


def _study(bench: Bench, components: Rows, progress: Progress, asked: Asked, *, few: bool) -> Study:
    if asked.head not in (None, "logistic") and not asked.trials:
        return grid(bench, components, asked.head, asked.pca, progress)
    study, hits = Study((), (), ""), {}
    if asked.head in (None, "logistic"):
        scores = plain_paths(
            bench.features, bench.labels, bench.k, bench.folds, progress, asked.pca
        )
        compared = Compared.of(scores, bench.labels, components)
        study, hits = first_study(compared, bench.count), compared.hits
    if few and asked.head is None:
        for kind in ("mean", "ridge"):
            family = usual_setting(kind, asked.pca)
            study, hits = try_family(study, hits, bench, components, family)
        study = replace(study, ended="with few pictures the nearest mean and ridge are compared")
    if asked.trials:
        kinds = list(HEADS) if asked.head is None else [asked.head]
        return optuna_search(
            study, hits, bench, components, kinds, asked.pca, asked.trials, progress
        )
    return study if len(study.trials) > 1 else replace(study, trials=())


def subsample(labels: Rows, components: Rows, ids: Sequence[str], seed: int) -> Rows:
    """Return about MOST_ROWS rows at most: whole components, each class by its share.

    A class keeps at least as many pictures as there are folds, or all that it has.
    """
    if len(labels) <= MOST_ROWS:
        return np.arange(len(labels))
    _, components = np.unique(components, return_inverse=True)
    counts = class_counts(labels, components)
    wanted = np.maximum(counts.sum(axis=0) * (MOST_ROWS / len(labels)), FOLDS)
    taken = np.zeros(len(counts), bool)
    for component in dealing_order(ids, components, seed):
        mine = counts[component]
        taken[component] = (wanted[mine > 0] >= 0.5).any()
        wanted -= mine * taken[component]
    return np.flatnonzero(taken[components])


__all__ = [
    "C_PATH",
    "FEW",
    "FEWEST",
    "FOLDS",
    "MOST_ROWS",
    "PATIENCE",
    "Asked",
    "Search",
    "Tried",
    "choose",
    "search",
]
