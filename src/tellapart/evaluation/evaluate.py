"""From probabilities and truth to numbers with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import DataError
from tellapart.evaluation import areas
from tellapart.evaluation.calibration import calibration
from tellapart.evaluation.groups import (
    FEWEST_GROUPS,
    Rows,
    correlation,
    counts_table,
    effective_pictures,
    indicator,
    spread,
)
from tellapart.evaluation.intervals import Floats, mean_interval, share_interval
from tellapart.evaluation.intervals import effective_pictures as effective_for_mean
from tellapart.evaluation.records import ClassScores, Curve, Estimate, Evaluation

MOST_CLASSES_IN_CURVES = 12  # with more, the mean curve and the worst classes
WORST_CLASSES = 3


def evaluate(
    probabilities: NDArray[np.float32],
    truth: Rows,
    *,
    classes: tuple[str, ...],
    components: Rows | None,
    baseline_class: str,
    seed: int = 0,
    widening: float = 1.0,
) -> Evaluation:
    """Measure predictions on labelled pictures.

    probabilities [n, k] float32, rows sum to 1; truth [n] in 0..k-1; components [n] any integers:
    pictures with the same one are not independent (None: all are). The prediction is the likeliest
    class, the first of equals. `baseline_class` is the class that guessing would always name (the
    largest in training). `seed` draws the bootstrap of log loss and areas. `widening` multiplies
    the deviation behind every interval (CROSSED_WIDENING for answers of cross-validation).

    Raises DataError without a picture, ValueError for arrays that do not fit together.
    """
    _check(probabilities, truth, classes, components)
    probabilities, truth, components = _ordered(probabilities, truth, components)
    pictures = len(truth)
    answers = _Answers(truth, probabilities.argmax(axis=1), components, widening)
    confusion = np.bincount(
        truth * len(classes) + answers.predicted, minlength=len(classes) ** 2
    ).reshape(len(classes), len(classes))
    headline, balanced = _balanced(answers)
    accuracy, plain = _accuracy(answers)
    ranked = _Ranked.of(probabilities, answers, plain, seed)
    error, calibrated = calibration(probabilities.max(axis=1), answers.hits)
    per_class = _per_class(answers, classes, confusion, balanced.correlation, plain, ranked)
    metrics = {
        "accuracy": accuracy,
        "macro_f1": _macro_f1(per_class, balanced, answers),
        "log_loss": ranked.log_loss,
        "ece": Estimate(error, None, None, pictures, answers.reliable),
        "roc_auc": ranked.macro_roc,
        "average_precision": ranked.macro_average,
    }
    support = confusion.sum(axis=1)
    return Evaluation(
        classes=classes,
        pictures=pictures,
        groups=answers.groups,
        headline=headline,
        metrics=metrics,
        baseline_class=baseline_class,
        baseline_accuracy=float(support[classes.index(baseline_class)] / pictures),
        per_class=per_class,
        confusion=confusion.astype(np.int64),
        curves=(*_curves(ranked, classes), calibrated),
        missing_classes=tuple(classes[i] for i in np.flatnonzero(support == 0)),
    )


class _Answers:
    """What was answered on each picture, and how pictures hang together."""

    def __init__(
        self, truth: Rows, predicted: Rows, components: Rows, widening: float = 1.0
    ) -> None:
        self.truth, self.predicted, self.components = truth, predicted, components
        self.widening = widening
        self.hits = truth == predicted
        self.present, self.strata = np.unique(truth, return_inverse=True)
        self.groups = int(components.max()) + 1
        self.grouped = self.groups < len(truth)
        self.reliable = not self.grouped or self.groups >= FEWEST_GROUPS

    def correlation(self, strata: Rows) -> float:
        """Return the correlation of answers inside components, 0 where every picture is alone."""
        return float(correlation(self.hits, strata, self.components)) if self.grouped else 0.0

    def worth(self, counts: Any, alike: float) -> Floats:
        """Return how many independent pictures each stratum of a counts table is worth."""
        return effective_pictures(counts, alike) / self.widening**2


@dataclass(frozen=True)
class _Means:
    """What an interval of a mean over classes is made of (see intervals.mean_interval)."""

    recalls: Floats
    spread: Floats
    correlation: float


def _balanced(answers: _Answers) -> tuple[Estimate, _Means]:
    table = counts_table(answers.strata, answers.components)
    recalls = np.bincount(answers.strata, answers.hits) / np.bincount(answers.strata)
    alike = answers.correlation(answers.strata)
    means = _Means(recalls, spread(table, np.array(alike)) * answers.widening**2, alike)
    low, high = mean_interval(means.recalls, means.spread)
    pictures = len(answers.truth)
    value = float(recalls.mean())
    return Estimate(value, float(low), float(high), pictures, answers.reliable), means


def _accuracy(answers: _Answers) -> tuple[Estimate, float]:
    """Return plain accuracy and the correlation of answers around it."""
    together = np.zeros_like(answers.truth)
    alike = answers.correlation(together)
    worth = answers.worth(counts_table(together, answers.components), alike)
    hits = np.array([answers.hits.sum()])
    return _shares(hits, np.array([len(answers.truth)]), worth, answers.reliable)[0], alike


def _shares(hits: Any, of: Any, worth: Floats, reliable: bool) -> list[Estimate]:
    """Return hits / of with intervals; `worth` is how many independent pictures `of` stand for."""
    shares = hits / np.maximum(of, 1)
    low, high = share_interval(shares, np.maximum(worth, 1.0))
    columns = zip(shares.tolist(), low.tolist(), high.tolist(), of.tolist(), strict=True)
    return [
        Estimate(value, least, most, pictures, reliable)
        if pictures
        else Estimate(None, None, None, 0, reliable)
        for value, least, most, pictures in columns
    ]


def _per_class(
    answers: _Answers,
    classes: tuple[str, ...],
    confusion: NDArray[Any],
    inside_class: float,
    overall: float,
    ranked: _Ranked,
) -> tuple[ClassScores, ...]:
    support, named, right = confusion.sum(axis=1), confusion.sum(axis=0), np.diag(confusion)
    either = support + named - right
    pictures = len(answers.truth)
    own, given, both = _tables(answers, len(classes))
    together = counts_table(np.zeros_like(answers.truth), answers.components)
    whole = np.full(len(classes), answers.worth(together, overall)[0])
    right_or_other = pictures - either + right
    recall = _shares(right, support, answers.worth(own, inside_class), answers.reliable)
    precision = _shares(right, named, answers.worth(given, overall), answers.reliable)
    jaccard = _shares(right, either, answers.worth(own + given - both, overall), answers.reliable)
    accuracy = _shares(right_or_other, np.full(len(classes), pictures), whole, answers.reliable)
    return tuple(
        ClassScores(
            name=name,
            pictures=int(support[i]),
            predicted=int(named[i]),
            precision=precision[i],
            recall=recall[i],
            f1=_f1(jaccard[i]),
            accuracy=accuracy[i],
            roc_auc=ranked.roc[i],
            average_precision=ranked.average[i],
        )
        for i, name in enumerate(classes)
    )


def _tables(answers: _Answers, classes: int) -> tuple[Any, Any, Any]:
    """Return sparse tables [components, classes] of pictures by truth, by prediction, by both."""
    import scipy.sparse

    of_component = indicator(answers.components).T.tocsr()
    rows = np.arange(len(answers.truth))
    ones = np.ones(len(rows))
    shape = (len(rows), classes)
    own = scipy.sparse.csr_array((ones, (rows, answers.truth)), shape=shape)
    given = scipy.sparse.csr_array((ones, (rows, answers.predicted)), shape=shape)
    return of_component @ own, of_component @ given, of_component @ (own * given)


def _f1(jaccard: Estimate) -> Estimate:
    """Return F1 from J, the share right of pictures that are, or are called, the class.

    F1 = 2 J / (1 + J) rises with J, so J's interval (a share's) turns into that of F1.
    """
    value, low, high = (
        None if one is None else 2 * one / (1 + one)
        for one in (jaccard.value, jaccard.low, jaccard.high)
    )
    return Estimate(value, low, high, jaccard.pictures, jaccard.reliable)


def _macro_f1(per_class: tuple[ClassScores, ...], balanced: _Means, answers: _Answers) -> Estimate:
    """Return the mean F1 of the classes with pictures, as sure as balanced accuracy is."""
    values = [one.f1.value for one in per_class if one.pictures and one.f1.value is not None]
    mean = float(np.mean(values))
    worth = effective_for_mean(balanced.recalls, balanced.spread)
    low, high = share_interval(np.array([mean]), np.atleast_1d(worth))
    return Estimate(mean, float(low[0]), float(high[0]), len(answers.truth), answers.reliable)


@dataclass(frozen=True)
class _Ranked:
    """Log loss, areas and the rankings behind them; `rankings` of classes with pictures only."""

    rankings: dict[int, areas.Ranking]
    log_loss: Estimate
    roc: list[Estimate]
    average: list[Estimate]
    macro_roc: Estimate
    macro_average: Estimate

    @classmethod
    def of(
        cls, probabilities: NDArray[np.float32], answers: _Answers, alike: float, seed: int
    ) -> _Ranked:
        truth, pictures = answers.truth, len(answers.truth)
        rankings = {int(i): areas.rank(probabilities[:, i], truth == i) for i in answers.present}
        listed = list(rankings.values())
        losses = log_losses(probabilities, truth)
        drawn = areas.bootstrap(losses, listed, answers.strata, answers.components, seed=seed)
        worth = areas.smaller_side(answers.strata, answers.components, alike)
        worth = worth / answers.widening**2
        one_each = np.ones((pictures, 1))
        values = np.array([areas.weighted_areas(one, one_each) for one in listed])[:, :, 0]
        places, k = list(rankings), probabilities.shape[1]
        roc, macro_roc = _area_estimates(values[:, 0], drawn.roc, worth, places, k, answers)
        average, macro_average = _area_estimates(
            values[:, 1], drawn.average, worth, places, k, answers
        )
        loss = areas.loss_estimate(
            float(losses.mean()),
            drawn.log_loss,
            pictures,
            reliable=answers.reliable,
            widening=answers.widening,
        )
        return cls(rankings, loss, roc, average, macro_roc, macro_average)


def _area_estimates(
    values: Floats, replicates: Floats, worth: Floats, places: list[int], k: int, answers: _Answers
) -> tuple[list[Estimate], Estimate]:
    """Return the areas of all k classes and their mean, null where an area does not exist.

    values and worth [K] and replicates [R, K] are of the classes at `places`.
    """
    pictures, reliable = len(answers.truth), answers.reliable
    nothing = Estimate(None, None, None, 0, reliable)
    each, known = [nothing] * k, np.isfinite(values)
    for i in np.flatnonzero(known):
        each[places[i]] = areas.area_estimate(
            float(values[i]),
            replicates[:, i],
            float(worth[i]),
            pictures,
            reliable=reliable,
            widening=answers.widening,
        )
    if not known.any():
        return each, nothing
    means = replicates[:, known]
    means = np.nanmean(means[np.isfinite(means).any(axis=1)], axis=1)
    mean, least = float(values[known].mean()), float(worth[known].min())
    return each, areas.area_estimate(
        mean, means, least, pictures, reliable=reliable, widening=answers.widening
    )


def log_losses(probabilities: NDArray[np.float32], truth: Rows) -> Floats:
    """Return -log of the true class's probability [n], clipped as scikit-learn's log_loss does."""
    least = float(np.finfo(probabilities.dtype).eps)
    of_truth = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return np.asarray(-np.log(np.clip(of_truth, least, 1.0 - least)))


def _curves(ranked: _Ranked, classes: tuple[str, ...]) -> list[Curve]:
    """Return ROC and precision-recall curves of all classes, or of few and the mean of all."""
    points = {
        "roc": {i: areas.roc_points(one) for i, one in ranked.rankings.items()},
        "precision_recall": {
            i: areas.precision_recall_points(one) for i, one in ranked.rankings.items()
        },
    }
    shown = list(ranked.rankings)
    curves = []
    if len(classes) > MOST_CLASSES_IN_CURVES:
        shown = sorted(shown, key=lambda i: ranked.average[i].value or 0.0)[:WORST_CLASSES]
        grid = np.linspace(0.0, 1.0, areas.MOST_POINTS)
        for kind, by_class in points.items():
            mean = np.mean([np.interp(grid, *one) for one in by_class.values()], axis=0)
            curves.append(areas.thinned(kind, "", grid, mean))
    for kind, by_class in points.items():
        curves += [areas.thinned(kind, classes[i], *by_class[i]) for i in shown]
    return curves


def _check(
    probabilities: NDArray[np.float32],
    truth: Rows,
    classes: tuple[str, ...],
    components: Rows | None,
) -> None:
    if not len(truth):
        raise DataError(
            "there is no picture to evaluate on: none is left that is labelled with a known class,"
            " readable and unseen in training"
        )
    if probabilities.shape != (len(truth), len(classes)):
        raise ValueError(f"probabilities are {probabilities.shape}, not [pictures, classes]")
    if components is not None and len(components) != len(truth):
        raise ValueError(f"{len(components)} components for {len(truth)} pictures")
    if truth.min() < 0 or truth.max() >= len(classes):
        raise ValueError("truth holds a number that is no class")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities hold a value that is not finite")


def _ordered(
    probabilities: NDArray[np.float32], truth: Rows, components: Rows | None
) -> tuple[NDArray[np.float32], Rows, Rows]:
    """Return everything in an order of its own, so that the bootstrap knows no file order."""
    own = probabilities[np.arange(len(truth)), truth]
    order = np.lexsort((probabilities.max(axis=1), own, truth))
    if components is None:
        return probabilities[order], truth[order], np.arange(len(truth))
    _, first, inverse = np.unique(components[order], return_index=True, return_inverse=True)
    renumbered = np.empty(len(first), np.intp)
    renumbered[np.argsort(first)] = np.arange(len(first))
    return probabilities[order], truth[order], renumbered[inverse]
