"""The sides of an earlier split, from a run folder or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tellapart.data.frames import FRAME_READERS, as_text, read_frame
from tellapart.data.pictures import SIDES
from tellapart.errors import DataError, did_you_mean, first_few
from tellapart.splits.records import CROSSED

Row = tuple[str | None, str | None, str | None]  # path, id, side


@dataclass(frozen=True)
class KnownSides:
    """Sides of known pictures, by path and id, by id, and by path; ids that stand on two are out.

    by_path holds the pictures whose id the table does not tell; rows are all that have a side.
    """

    by_both: dict[tuple[str, str], str]
    by_id: dict[str, str]
    by_path: dict[str, str]
    rows: tuple[Row, ...]

    def sides_of(self, paths: Sequence[str], ids: Sequence[str]) -> list[str | None]:
        """Return the side of each picture, None where it is new."""
        return [
            self.by_both.get((path, id_)) or self.by_id.get(id_) or self.by_path.get(path)
            for path, id_ in zip(paths, ids, strict=True)
        ]

    def gone(self, paths: Sequence[str], ids: Sequence[str]) -> tuple[Row, ...]:
        """Return the rows whose picture is none of these: its content, or without ids its path."""
        here, places = set(ids), set(paths)
        return tuple(
            (path, id_, side)
            for path, id_, side in self.rows
            if (id_ not in here if id_ else path not in places)
        )


def read_known_sides(location: str | Path) -> KnownSides:
    """Read the sides that a run folder or a table (path or id, and split) gives.

    Pictures of such a table that are not in the set are no error: sets grow and shrink. Raises
    DataError where there is no such table, or it lacks a column, names an unknown side, or puts
    one path on two sides.
    """
    place = Path(location)
    if place.is_dir():
        place = place / "split.parquet"
        if not place.is_file():
            raise DataError(f"--split-from {location}: this folder is no run (no split.parquet)")
    elif not place.is_file():
        raise DataError(f"--split-from {location}: no such run folder or table")
    rows = _read_rows(place, location)
    _check_paths(location, rows)
    return KnownSides(
        by_both={(path, id_): side for path, id_, side in rows if path and id_ and side},
        by_id=_unambiguous([(id_, side) for _, id_, side in rows if id_ and side]),
        by_path={path: side for path, id_, side in rows if path and side and not id_},
        rows=tuple(row for row in rows if row[2]),
    )


def _read_rows(place: Path, location: str | Path) -> list[Row]:
    """Return path, id and side of every row, each None where the table does not tell it."""
    if place.suffix.lower() not in FRAME_READERS:
        raise DataError(f"--split-from {location}: no table ({', '.join(FRAME_READERS)}) or run")
    table, _ = read_frame(place)
    if "split" not in table.columns or not {"path", "id"} & set(table.columns):
        raise DataError(
            f"--split-from {location} needs the columns path or id, and split; it has"
            f" {first_few(table.columns)}"
        )
    columns = [
        as_text(table, name) if name in table.columns else [None] * table.height
        for name in ("path", "id", "split")
    ]
    rows = list(zip(*columns, strict=True))
    for number, (_, _, side) in enumerate(rows):
        if side == CROSSED:
            raise DataError(
                f"--split-from {location}: it was judged by cross-validation and has no sides to"
                " keep; name a run with a held-out test"
            )
        if side and side not in SIDES:
            raise DataError(
                f"--split-from {location}, row {number + 1}: unknown side {side!r}"
                f"{did_you_mean(side, SIDES)} (known: {', '.join(SIDES)})"
            )
    return rows


def _check_paths(location: str | Path, rows: list[Row]) -> None:
    side_of: dict[str, str] = {}
    for path, _, side in rows:
        if path and side and side_of.setdefault(path, side) != side:
            raise DataError(
                f"--split-from {location}: {path} stands on two sides, {side_of[path]} and {side}:"
                " keep one row of it"
            )


def _unambiguous(sides_of_ids: list[tuple[str, str]]) -> dict[str, str]:
    """Return id -> side for the ids that stand on one side only."""
    found: dict[str, set[str]] = {}
    for id_, side in sides_of_ids:
        found.setdefault(id_, set()).add(side)
    return {id_: next(iter(one)) for id_, one in found.items() if len(one) == 1}
