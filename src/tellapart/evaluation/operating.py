"""Operating points: from which probability on a class is named, so as to reach a target."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import DataError, counted
from tellapart.evaluation.groups import correlation, counts_table, effective_pictures
from tellapart.evaluation.intervals import share_interval
from tellapart.evaluation.records import Estimate

Measure = Literal["precision", "recall"]

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class OperatingPoint:
    """A class is answered wherever its probability reaches `threshold`.

    measure, target    what was asked for, and how much of it
    precision, recall  on `measured_on` pictures that chose neither the model nor the threshold
    chosen_on          pictures that chose the threshold
    """

    name: str
    measure: Measure
    target: float
    threshold: float
    precision: Estimate
    recall: Estimate
    chosen_on: int
    measured_on: int

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in model.json."""
        return asdict(self)


def operating_point(
    chances: NDArray[np.floating[Any]], is_class: NDArray[np.bool_], choosing: NDArray[np.bool_],
    components: Rows, *, name: str, measure: Measure, target: float,
) -> OperatingPoint:  # fmt: skip
    """Choose a threshold on the pictures where `choosing` is true, measure it on the others.

    chances     [n] probability of the class, by a model that has not seen these pictures
    is_class    [n] whether a picture is of it
    components  [n] any integers: pictures with the same one are not independent

    Of all thresholds that reach the target the one is taken that gives most of the other measure.
    Raises DataError, which names the best there is, where none reaches it.
    """
    threshold = choose_threshold(chances[choosing], is_class[choosing], measure, target, name)
    answers, truth = chances[~choosing] >= threshold, is_class[~choosing]
    together = components[~choosing]
    return OperatingPoint(
        name=name,
        measure=measure,
        target=target,
        threshold=threshold,
        precision=_share(truth[answers], together[answers]),
        recall=_share(answers[truth], together[truth]),
        chosen_on=int(choosing.sum()),
        measured_on=int((~choosing).sum()),
    )


def choose_threshold(
    chances: NDArray[np.floating[Any]], is_class: NDArray[np.bool_], measure: Measure,
    target: float, name: str,
) -> float:  # fmt: skip
    """Return the threshold that reaches the target with most of the other measure.

    It lies midway between the lowest probability that is answered and the next one below: at the
    lowest itself, new pictures of the class that score a little less would be missed for nothing.
    """
    if not is_class.any():
        raise DataError(f"no picture of '{name}' is there to choose a threshold on")
    thresholds = np.unique(chances)[::-1]  # from the strictest on
    named = chances[:, None] >= thresholds
    hits = (named & is_class[:, None]).sum(axis=0)
    shares = {"precision": hits / named.sum(axis=0), "recall": hits / is_class.sum()}
    wanted = shares[measure]
    other = shares["recall" if measure == "precision" else "precision"]
    reaching = np.flatnonzero(wanted >= target)
    if not len(reaching):
        best = int(np.lexsort((-other, -wanted))[0])
        raise DataError(
            f"no threshold reaches a {measure} of {target:g} for '{name}': the best,"
            f" {thresholds[best]:.3g}, has a {measure} of {wanted[best]:.3f}"
            f" ({hits[best]:,} of {_of(measure, named[:, best], is_class):,}) on"
            f" {counted(len(chances), 'picture')}; ask for less"
        )
    order = np.lexsort((-thresholds[reaching], -wanted[reaching], -other[reaching]))
    chosen = int(reaching[order[0]])
    return float(thresholds[chosen : chosen + 2].mean())


def _of(measure: Measure, named: NDArray[np.bool_], is_class: NDArray[np.bool_]) -> int:
    return int(named.sum() if measure == "precision" else is_class.sum())


def _share(hits: NDArray[np.bool_], components: Rows) -> Estimate:
    """Return the share of hits [n]; the interval rests on what the pictures are worth in
    independent ones.
    """
    if not len(hits):
        return Estimate(None, None, None, 0)
    _, own = np.unique(components, return_inverse=True)
    alone = np.zeros_like(own)  # one stratum
    worth = effective_pictures(counts_table(alone, own), float(correlation(hits, alone, own)))
    share = float(hits.mean())
    low, high = share_interval(np.array([share]), worth)
    return Estimate(share, float(low[0]), float(high[0]), len(hits))


def point_words(point: OperatingPoint) -> tuple[str, ...]:
    """Return the operating point in words."""
    return (
        f"'{point.name}' is answered from a probability of {point.threshold:.3g} on, chosen on"
        f" {counted(point.chosen_on, 'picture')} for a {point.measure} of {point.target:g}.",
        f"On {counted(point.measured_on, 'other picture')}: precision"
        f" {_words(point.precision)}, recall {_words(point.recall)}.",
    )


def _words(share: Estimate) -> str:
    if share.value is None or share.low is None or share.high is None:
        return "unknown (it was never answered)"
    hits = round(share.value * share.pictures)
    return (
        f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f}; {hits:,} of {share.pictures:,})"
    )
