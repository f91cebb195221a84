"""What the checks look at, and how they word what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.kinds import KINDS
from tellapart.audits.records import Finding, PictureRef, Severity
from tellapart.data.pictures import PictureSet
from tellapart.images.facts import Facts

COPY = "copy"  # the kind of a near pair that is surely one picture, altered; others are only alike
UPRIGHT = 0  # the turn of a near pair whose pictures stand alike, neither mirrored nor turned


class NearPairs(Protocol):
    """What the checks need to know of near-duplicates: columns of length p, one entry a pair.

    pairs   [p, 2] positions among the usable pictures (rows of `features`)
    scores  [p] likeness 0..1
    kinds   [p] "copy" or another word for pairs that are only very alike
    turns   [p] which of the 8 symmetries makes one the other; 0: none
    """

    @property
    def pairs(self) -> NDArray[np.intp]: ...
    @property
    def scores(self) -> NDArray[np.floating]: ...
    @property
    def kinds(self) -> Sequence[str] | NDArray[np.str_]: ...
    @property
    def turns(self) -> NDArray[np.integer]: ...


@dataclass(frozen=True)
class AuditInput:
    """A picture set with what `look` and the split know of it; columns of length n.

    pictures    the set, with the notes of reading
    ids         content ids, "" where no bytes could be read
    facts       facts of each picture; `problem` set where it cannot be used
    usable      [m] rows of the pictures that have features, ascending
    features    [m, d] their vectors; None where features were not computed
    sides       the given or dealt side of each picture, None or "" where it has none
    components  [n] component (duplicates and groups joined) of each picture, 0-based
    near        near-duplicate pairs; None where they were not looked for
    given_split whether the data itself gave the sides
    mirror      whether a mirrored copy counts as the same picture (--no-mirror: False)
    seed        of the folds that some checks use
    """

    pictures: PictureSet
    ids: tuple[str, ...]
    facts: tuple[Facts, ...]
    usable: NDArray[np.intp]
    features: NDArray[np.floating] | None
    sides: Sequence[str | None]
    components: NDArray[np.intp]
    near: NearPairs | None = None
    given_split: bool = False
    mirror: bool = True
    seed: int = 0

    @cached_property
    def readable(self) -> NDArray[np.intp]:
        """Rows of the pictures without a problem, ascending."""
        return np.flatnonzero([one.problem is None for one in self.facts])

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """[n] position of each picture's label in `pictures.classes`."""
        return self.pictures.codes()

    def measured(self, what: Callable[[Facts], float]) -> NDArray[np.float64]:
        """Return a fact of the readable pictures as one column, in the order of `readable`."""
        return np.array([what(self.facts[row]) for row in self.readable], dtype=np.float64)

    def refs(self, rows: Iterable[int]) -> tuple[PictureRef, ...]:
        """Return the pictures at `rows` as findings name them."""
        return tuple(
            PictureRef(self.pictures.paths[row], self.ids[row], self.sides[row] or None)
            for row in rows
        )

    def labels_of(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Return the labels of the pictures at `rows`, each once, in class order."""
        present = {self.pictures.labels[row] for row in rows}
        return tuple(name for name in self.pictures.classes if name in present)

    def sides_of(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Return the sides that the pictures at `rows` stand on, each once, in natural order."""
        present = {self.sides[row] for row in rows}
        return tuple(side for side in ("train", "val", "test") if side in present)


def make_finding(
    data: AuditInput,
    kind: str,
    *,
    message: str,
    advice: str,
    rows: Iterable[int] = (),
    labels: tuple[str, ...] | None = None,
    score: float = 1.0,
    severity: Severity | None = None,
) -> Finding:
    """Return a finding about the pictures at `rows`; severity and labels follow unless given."""
    rows = [int(row) for row in rows]
    return Finding(
        kind=kind,
        severity=severity or KINDS[kind].severity,
        score=float(min(max(score, 0.0), 1.0)),
        pictures=data.refs(rows),
        labels=data.labels_of(rows) if labels is None else labels,
        message=message,
        advice=advice,
    )
