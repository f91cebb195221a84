"""What a split is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

CROSSED = "cv"  # the side of every picture where folds judge (cross-validation)


@dataclass(frozen=True)
class Folds:
    """Which fold judges each of n pictures, and what its classifier learns from.

    of     [n] fold 0..f-1; a component never stands in two
    train  for each fold the [t] rows of its training part
    """

    of: NDArray[np.intp]
    train: tuple[NDArray[np.intp], ...]


@dataclass(frozen=True)
class Split:
    """Which side every picture stands on, and what of that counts.

    sides      [n] of "train", "val", "test" or "" (left out: see `left_out`); "cv" for all of them
               where folds judge
    counted    [n] bool: False for the second and later exact copies inside a side (they count once,
               in fitting and in evaluation)
    leaked     [n] bool: evaluation pictures that have a duplicate or their group on another side;
               the headline is measured without them
    components [n] the component (duplicates and groups joined) of each picture, 0-based
    cut        [c, 2] rows of near-duplicates that giant components were cut between; where one
               stands on two sides, the evaluation picture is in `leaked`
    given      whether the data itself gave the sides
    headline   the side whose pictures judge: "test", else "val"; "cv" with folds
    proof      what was checked and what was found, as it stands in run.json
    left_out   one line for every reason why pictures were left out, with their number
    folds      where every picture judges once; None where a side does
    """

    sides: NDArray[np.str_]
    counted: NDArray[np.bool_]
    leaked: NDArray[np.bool_]
    components: NDArray[np.intp]
    given: bool
    headline: str
    proof: dict[str, Any]
    left_out: tuple[str, ...] = ()
    cut: NDArray[np.intp] = field(default_factory=lambda: np.empty((0, 2), np.intp))
    folds: Folds | None = None

    def sides_for_audit(self) -> list[str | None]:
        """Return the side of each picture; None with folds, where no picture keeps one."""
        return [None if side == CROSSED else side for side in self.sides.tolist()]

    def rows(self, side: str, *, with_leaked: bool = False) -> NDArray[np.intp]:
        """Return the rows of `side` that count; for evaluation sides without the leaked ones.

        With folds, "train" are all that count: the classifier that is kept learns from them.
        """
        if self.folds is not None and side == "train":
            side = CROSSED
        keep = (self.sides == side) & self.counted
        if not with_leaked and side != "train":
            keep &= ~self.leaked
        return np.flatnonzero(keep)
