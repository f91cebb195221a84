"""Trials: heads and their settings compared on shared folds, in a grid or as Optuna proposes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tellapart.heads.bench import Bench, Bools
from tellapart.heads.compare import Compared, Tried, choose, worth_of
from tellapart.heads.kinds import HEADS, families, strengths_of
from tellapart.heads.prepare import Floats, Rows
from tellapart.heads.settings import Setting
from tellapart.optional import need
from tellapart.progress import Progress

FIRST_FOLDS = 2  # after so many a trial that cannot win any more is given up
SURE = 2.0  # standard errors of the paired difference by which it must be behind
PATIENCE = 15  # trials without a better choice, then the study ends
REPEATS = 100  # proposals of combinations tried before, then it ends too
EVEN = 1.5  # largest class over smallest, up to which class weights are not tried

Hits = dict[Setting, Bools]  # setting -> which pictures it has right out of fold

# What Optuna starts from: of each head the combination that did best on most sets.
STARTS: tuple[Setting, ...] = (
    Setting(0.0, False, True, "logistic", 64),
    Setting(0.0, False, False, "lda", 0),
    Setting(0.0, False, False, "ridge", 0),
    Setting(0.0, False, False, "svm", 256),
    Setting(0.0, False, False, "mlp", 256, "256"),
    Setting(0.0, False, False, "logistic", 256),
)


@dataclass(frozen=True)
class Trial:
    """One combination with all its strengths.

    number   0 is the plain logistic path
    setting  the best of its strengths, by the rule that chooses among all
    tried    how many settings it compared
    score, error, loss   of `setting`, as in Tried; of a trial given up on the folds so far
    folds    how many folds judged it; fewer than there are: it was given up
    """

    number: int
    setting: Setting
    tried: int
    score: float
    error: float
    loss: float
    folds: int


@dataclass(frozen=True)
class Study:
    """All trials, every setting of those that ran to their end, and why no more were made."""

    trials: tuple[Trial, ...]
    tried: tuple[Tried, ...]
    ended: str


def first_study(compared: Compared, folds: int) -> Study:
    """Return the study that has made the plain logistic path, as trial 0."""
    return _after(Study((), (), ""), compared.tried, folds)


def grid(bench: Bench, components: Rows, kind: str, pca: int, progress: Progress) -> Study:
    """Return the study of one head: class weights, standardising and form, whole paths each."""
    found = families(kind, pca, weighted=_uneven(bench))
    found = [one for one in found if one.pca == found[0].pca]
    study: Study = Study((), (), "")
    hits: Hits = {}
    with progress.stage("choose settings", len(found)) as stage:
        for family in found:
            study, hits = try_family(study, hits, bench, components, family)
            stage.advance()
    return replace(study, ended=f"all {len(found)} combinations were tried")


def optuna_search(
    study: Study, hits: Hits, bench: Bench, components: Rows, kinds: Sequence[str], pca: int,
    trials: int, progress: Progress,
) -> Study:  # fmt: skip
    """Return `study` with up to `trials` more trials: heads and settings as Optuna's TPE proposes.

    TPE: Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011. The same
    pictures and seed give the same trials. A combination is tried with all its strengths at once;
    it is given up after FIRST_FOLDS folds where it is behind the best so far by more than one
    standard error of the best, and SURE of the difference.
    """
    space = [
        replace(family, strength=0.0)
        for kind in kinds
        for family in families(kind, pca, weighted=_uneven(bench))
        if (kind, family.pca) != ("logistic", pca)  # trial 0 is all of these
    ]
    trials, repeats = min(trials, len(space)), 0
    known: dict[Setting, float] = {}
    with progress.stage("search", trials) as stage, _quiet_optuna() as optuna:
        sampler = optuna.samplers.TPESampler(seed=bench.seed, n_startup_trials=len(STARTS))
        asked = optuna.create_study(direction="maximize", sampler=sampler)
        for start in STARTS:
            if start in space:
                asked.enqueue_trial(_as_choices(start))
        while not (ended := _ended(study, len(known), trials, len(space), repeats)):
            proposal = asked.ask()
            family = _family_asked(proposal, space)
            if family in known:
                repeats += 1
            else:
                study, hits = try_family(study, hits, bench, components, family)
                known[family] = study.trials[-1].score
                stage.advance()
            asked.tell(proposal, known[family])
    return replace(study, ended=ended)


def _ended(study: Study, made: int, trials: int, space: int, repeats: int) -> str:
    """Return why the study ends, "" where it goes on."""
    if any(one.score >= 1.0 - 1e-12 for one in study.tried):
        return "every picture is right out of fold: no trial can do better"
    if not space:
        return "there is nothing to try beside the plain logistic path"
    if made == space:
        return f"all {space} combinations were tried"
    if made == trials:
        return f"all {trials} trials were made"
    if _since_better(study) >= PATIENCE:
        return f"{PATIENCE} trials in a row brought no better choice"
    if repeats >= REPEATS:
        return "the search came back to combinations that it had tried"
    return ""


@contextmanager
def _quiet_optuna() -> Iterator[Any]:
    """Give optuna without its log lines; its level is put back."""
    optuna = need("optuna", "search")
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(before)


CHOICES = ("standardised", "balanced", "pca", "form")


def _as_choices(family: Setting) -> dict[str, Any]:
    """Return a combination as the answers to what `_family_asked` asks."""
    named = {f"{family.kind} {name}": getattr(family, name) for name in CHOICES}
    return {"head": family.kind, **named}


def _family_asked(proposal: Any, space: Sequence[Setting]) -> Setting:
    """Ask Optuna for the head, then for each thing that this head can be set to."""
    kind = proposal.suggest_categorical("head", list(dict.fromkeys(one.kind for one in space)))
    mine = [one for one in space if one.kind == kind]
    for name in CHOICES:
        options = list(dict.fromkeys(getattr(one, name) for one in mine))
        chosen = proposal.suggest_categorical(f"{kind} {name}", options)
        mine = [one for one in mine if getattr(one, name) == chosen]
    return mine[0]


def _uneven(bench: Bench) -> bool:
    counts = np.bincount(bench.labels)
    counts = counts[counts > 0]
    return bool(counts.max() > EVEN * counts.min())


def _since_better(study: Study) -> int:
    """Return how many trials have been made since the one that holds the choice."""
    if not study.tried:
        return 0
    chosen = choose(study.tried)
    return len(study.trials) - 1 - made_by(study.trials, chosen)


def made_by(trials: Sequence[Trial], setting: Setting) -> int:
    """Return the number of the trial that a setting belongs to.

    The plain logistic path, always 0, holds several families; every other trial is one.
    """
    family = replace(setting, strength=0.0)
    numbers = [one.number for one in trials if replace(one.setting, strength=0.0) == family]
    return numbers[-1] if numbers else 0


def to_json(trial: Trial) -> dict[str, Any]:
    """Return the object that stands in run.json."""
    setting = trial.setting
    return {
        "number": trial.number,
        "head": setting.kind,
        "strength": {"name": HEADS[setting.kind].strength or None, "value": setting.strength},
        "form": setting.form or None,
        "components": setting.pca or None,
        "standardised": setting.standardised,
        "class_weights": "balanced" if setting.balanced else None,
        "settings": trial.tried,
        "balanced_accuracy": trial.score,
        "standard_error": trial.error,
        "log_loss": trial.loss,
        "folds": trial.folds,
    }


def try_family(
    study: Study, hits: Hits, bench: Bench, components: Rows, family: Setting
) -> tuple[Study, Hits]:
    """Make one trial; return the study with it, and what each setting had right."""
    settings = strengths_of(family)
    scores: dict[Setting, Floats] = {}
    first, rest = range(min(FIRST_FOLDS, bench.count)), range(FIRST_FOLDS, bench.count)
    bench.out_of_fold(settings, first, scores)
    seen = np.isin(bench.folds, list(first))
    best = choose_best(study.tried)
    if rest and best is not None and _hopeless(bench, components, scores, seen, best, hits):
        part = Compared.of(
            {one: found[seen] for one, found in scores.items()}, bench.labels[seen],
            components[seen],
        )  # fmt: skip
        return _after(study, part.tried, FIRST_FOLDS, given_up=True), hits
    bench.out_of_fold(settings, rest, scores)
    compared = Compared.of(scores, bench.labels, components)
    return _after(study, compared.tried, bench.count), {**hits, **compared.hits}


def choose_best(tried: tuple[Tried, ...]) -> Tried | None:
    """Return the setting with the highest score, of equal ones the one with the least loss."""
    return max(tried, key=lambda one: (round(one.score, 12), -round(one.loss, 12)), default=None)


def _after(study: Study, tried: tuple[Tried, ...], folds: int, *, given_up: bool = False) -> Study:
    chosen = choose(tried)
    mine = next(one for one in tried if one.setting == chosen)
    trial = Trial(len(study.trials), chosen, len(tried), mine.score, mine.error, mine.loss, folds)
    kept = study.tried if given_up else (*study.tried, *tried)
    return replace(study, trials=(*study.trials, trial), tried=kept)


def _hopeless(
    bench: Bench, components: Rows, scores: dict[Setting, Floats], seen: Bools, best: Tried,
    hits: Hits,
) -> bool:  # fmt: skip
    """Return whether no strength can come within one standard error of the best any more."""
    worth = worth_of(bench.labels)[seen]
    _, group = np.unique(components[seen], return_inverse=True)
    for found in scores.values():
        right = found[seen].argmax(axis=1) == bench.labels[seen]
        behind = (hits[best.setting][seen] * 1.0 - right) * worth / worth.sum()
        gap = float(behind.sum())
        error = float(np.sqrt((np.bincount(group, behind) ** 2).sum()))
        if gap - SURE * error <= best.error:
            return False
    return True
