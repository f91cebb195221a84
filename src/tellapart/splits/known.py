"""The sides of an earlier split, from a run folder or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart.data.pictures import SIDES
from tellapart.errors import DataError, did_you_mean, first_few

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class KnownSides:
    """Sides of known pictures, by path and id, by id, and by path; ids that stand on two are out.

    by_path is used only where the table has no ids.
    """

    by_both: dict[tuple[str, str], str]
    by_id: dict[str, str]
    by_path: dict[str, str]

    def sides_of(self, paths: Sequence[str], ids: Sequence[str]) -> list[str | None]:
        """Return the side of each picture, None where it is new."""
        return [
            self.by_both.get((path, id_)) or self.by_id.get(id_) or self.by_path.get(path)
            for path, id_ in zip(paths, ids, strict=True)
        ]


def read_known_sides(location: str | Path) -> KnownSides:
    """Read the sides that a run folder or a table (CSV or Parquet: path or id, and split) gives.

    Pictures of such a table that are not in the set are no error: sets grow and shrink. Raises
    DataError where there is no such table, or it lacks a column, or names an unknown side.
    """
    place = Path(location)
    if place.is_dir():
        place = place / "split.parquet"
        if not place.is_file():
            raise DataError(f"--split-from {location}: this folder is no run (no split.parquet)")
    elif not place.is_file():
        raise DataError(f"--split-from {location}: no such run folder or table")
    table = _read_table(place)
    if "split" not in table.columns or not {"path", "id"} & set(table.columns):
        raise DataError(
            f"--split-from {location} needs the columns path or id, and split; it has"
            f" {first_few(table.columns)}"
        )
    rows = table.filter(table["split"].is_not_null() & (table["split"] != ""))
    sides = rows["split"].to_list()
    _check_sides(location, sides)
    paths = rows["path"].to_list() if "path" in rows.columns else None
    ids = rows["id"].to_list() if "id" in rows.columns else None
    return KnownSides(
        by_both=dict(zip(zip(paths, ids, strict=True), sides, strict=True))
        if paths and ids
        else {},
        by_id=_unambiguous(ids, sides) if ids else {},
        by_path=dict(zip(paths, sides, strict=True)) if paths and not ids else {},
    )


def _read_table(place: Path) -> pl.DataFrame:
    import polars as pl

    try:
        if place.suffix == ".parquet":
            return pl.read_parquet(place)
        return pl.read_csv(place, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise DataError(f"--split-from {place} cannot be read: {reason}") from problem


def _check_sides(location: str | Path, sides: list[str]) -> None:
    for row, side in enumerate(sides):
        if side not in SIDES:
            raise DataError(
                f"--split-from {location}, row {row + 1}: unknown side {side!r}"
                f"{did_you_mean(str(side), SIDES)} (known: {', '.join(SIDES)})"
            )


def _unambiguous(ids: list[str], sides: list[str]) -> dict[str, str]:
    """Return id -> side for the ids that stand on one side only."""
    found: dict[str, set[str]] = {}
    for id_, side in zip(ids, sides, strict=True):
        found.setdefault(id_, set()).add(side)
    return {id_: next(iter(one)) for id_, one in found.items() if len(one) == 1}
