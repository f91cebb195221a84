"""Pictures that a known split (--split-from) names and the set no longer holds.

Sets shrink for good reasons. Leaving out test pictures that the earlier audit had flagged for how
they look is none: it raises the score on pictures that no longer come as they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.plan import HONEST_DROPS
from tellapart.data.pictures import SIDES
from tellapart.errors import DataError
from tellapart.places import read_json
from tellapart.splits import KnownSides

Row = tuple[str | None, str | None, str | None]  # path, id, side


@dataclass(frozen=True)
class Gone:
    """What is gone of a known split.

    location  the run or table that holds the split
    sides     side -> pictures of it that are gone
    judging   the side that judged there, and how many pictures it names
    flagged   kinds of findings -> gone judging pictures that the run's audit named so, each counted
              under its costliest kind; copies and files of no use are not among them
    before    that run's balanced accuracy; None where nothing flagged is gone, or it is no run
    without   the same on its judging pictures that are still here
    """

    location: str
    sides: dict[str, int]
    judging: tuple[str, int]
    flagged: dict[str, int]
    before: float | None
    without: float | None

    def lines(self) -> tuple[str, ...]:
        """Return what a person should know of it, a sentence each."""
        total = sum(self.sides.values())
        if not total:
            return ()
        counts = " and ".join(f"{count:,} of {side}" for side, count in self.sides.items())
        are = "picture is" if total == 1 else "pictures are"
        return (f"{total:,} {are} gone that {self.location} names: {counts}.", *self._flattered())

    def _flattered(self) -> tuple[str, ...]:
        flagged = sum(self.flagged.values())
        if not flagged:
            return ()
        side, named = self.judging
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in _most(self))
        line = (
            f"{flagged:,} of the {named:,} {side} pictures {'was' if flagged == 1 else 'were'}"
            f" flagged there ({kinds}) and {'is' if flagged == 1 else 'are'} left out now"
        )
        if self.before is None or self.without is None:
            return (f"{line}: without what is hard a number is too good.",)
        here = f"on those that are left that run reaches {self.without:.3f}, not {self.before:.3f}"
        if self.without <= self.before:
            return (f"{line}, which makes it no easier: {here}.",)
        return (f"{line}, which makes the number too good for pictures as they come: {here}.",)

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in run.json under the split's proof."""
        return {
            "pictures": self.sides,
            "flagged": self.flagged,
            "balanced_accuracy_before": self.before,
            "balanced_accuracy_without": self.without,
        }


def _most(gone: Gone) -> list[tuple[str, int]]:
    return Counter(gone.flagged).most_common()


def look_for_gone(
    location: str, known: KnownSides, paths: Sequence[str], ids: Sequence[str]
) -> Gone:
    """Say what of a known split is not among these pictures.

    paths, ids  of all pictures that were read, usable or not

    Raises DataError where the run's audit.json is damaged.
    """
    rows = known.gone(paths, ids)
    counts = Counter(side for _, _, side in known.rows)
    judging = "test" if counts["test"] else "val"
    lost = {(path, id_) for path, id_, side in rows if side == judging}
    flagged = _flagged(Path(location), lost)
    before, without = _scores(Path(location), judging, lost) if flagged else (None, None)
    of_side = Counter(side for _, _, side in rows)
    return Gone(
        location=location,
        sides={side: of_side[side] for side in SIDES if of_side[side]},
        judging=(judging, counts[judging]),
        flagged=flagged,
        before=before,
        without=without,
    )


def _flagged(run: Path, lost: set[tuple[str | None, str | None]]) -> dict[str, int]:
    """Return kind -> pictures of `lost` that the run's audit names, unless there is a good reason
    to leave them out."""
    if not lost or not (run / "audit.json").is_file():
        return {}
    kinds: dict[tuple[str | None, str | None], str] = {}
    honest = set()
    for finding in read_json(run / "audit.json", error=DataError).get("findings", ()):
        for picture in finding["pictures"]:
            key = (picture["path"], picture["id"])
            kinds.setdefault(key, finding["kind"])  # costliest first
            if HONEST_DROPS.intersection((finding["kind"], *finding["also"])):
                honest.add(key)
    return dict(Counter(kinds[key] for key in lost if key in kinds and key not in honest))


def _scores(
    run: Path, judging: str, lost: set[tuple[str | None, str | None]]
) -> tuple[float | None, float | None]:
    """Return the run's balanced accuracy on its counted pictures, and without the lost ones."""
    import polars as pl

    tables = [run / "predictions.parquet", run / "split.parquet"]
    if not all(one.is_file() for one in tables):
        return None, None
    predictions, split = (pl.read_parquet(one) for one in tables)
    rows = predictions.join(split.select("path", "id", "counted", "leaked"), on=["path", "id"])
    rows = rows.filter(pl.col("split") == judging, pl.col("counted"), ~pl.col("leaked"))
    truth, answers = rows["label"].to_numpy(), rows["predicted"].to_numpy()
    here = np.array([pair not in lost for pair in zip(rows["path"], rows["id"], strict=True)], bool)
    return _balanced(truth, answers), _balanced(truth[here], answers[here])


def _balanced(truth: NDArray[Any], answers: NDArray[Any]) -> float | None:
    """Return the mean share of right answers over the classes that occur, None without any."""
    recalls = [float((answers[truth == name] == name).mean()) for name in np.unique(truth)]
    return float(np.mean(recalls)) if recalls else None
