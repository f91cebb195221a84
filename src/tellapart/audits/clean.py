"""The table that a plan leaves, written so that every other verb reads it."""

from __future__ import annotations

import io
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart.audits.plan import CleanTable
from tellapart.data.pictures import FileSource, PictureSet, RowSource
from tellapart.errors import DataError
from tellapart.places import refuse_existing, write_bytes, writing

if TYPE_CHECKING:
    import polars as pl

OWN = ("path", "image", "label", "group", "split")
ROW = "tellapart:row"  # a name that no column of the user has


def write_clean(clean: CleanTable, pictures: PictureSet, path: Path) -> None:
    """Write the pictures that a plan leaves as a parquet table.

    Columns: path (absolute) or, for pictures inside parquet files, image with their bytes; label;
    group and split where there are any; the user's columns. Raises DataError where files and rows
    of parquet files are mixed, or the name does not end in .parquet; OutputError where `path`
    exists, for it may be the table that the pictures came from.
    """
    check_place(path)
    sources = {type(pictures.sources[row]) for row in clean.rows}
    if len(sources) > 1:
        raise DataError(
            f"{pictures.root} mixes files with pictures inside parquet files: plan and apply them "
            "one after the other"
        )
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    if sources == {FileSource}:
        buffer = io.BytesIO()
        _file_table(clean, pictures).write_parquet(buffer)
        write_bytes(path, buffer.getvalue())
    else:
        _sink(_row_table(clean, pictures), path)


def check_place(path: Path) -> None:
    """Raise DataError or OutputError where no clean table can be written at `path`."""
    refuse_existing(path, "--to")
    if path.suffix.lower() != ".parquet":
        raise DataError(f"--to {path}: the table is parquet, so its name must end in .parquet")


def _columns(clean: CleanTable, pictures: PictureSet) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {"label": list(clean.labels)}
    if any(group is not None for group in clean.groups):
        columns["group"] = list(clean.groups)
    if pictures.has_given_split:
        columns["split"] = [pictures.splits[row] for row in clean.rows]
    for name, values in pictures.columns.items():
        columns[name if name not in OWN else f"{name} (before)"] = [values[r] for r in clean.rows]
    return columns


def _file_table(clean: CleanTable, pictures: PictureSet) -> pl.DataFrame:
    import polars as pl

    files = [pictures.sources[row].file for row in clean.rows]
    columns = {"path": files, **_columns(clean, pictures)}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _row_table(clean: CleanTable, pictures: PictureSet) -> pl.LazyFrame:
    """Return the rows' bytes beside their new columns, read only when the table is written."""
    import polars as pl

    by_file: dict[tuple[str, str], list[int]] = defaultdict(list)
    sources = [pictures.sources[row] for row in clean.rows]
    for place, source in enumerate(sources):
        if isinstance(source, RowSource):
            by_file[source.file, source.column].append(place)
    columns = _columns(clean, pictures)
    parts = []
    for (file, column), places in by_file.items():
        mine = {name: [values[place] for place in places] for name, values in columns.items()}
        rows = [getattr(sources[place], "row") for place in places]  # noqa: B009
        wanted = pl.LazyFrame(
            {ROW: rows, **mine}, schema={ROW: pl.UInt32, **dict.fromkeys(mine, pl.String)}
        )
        stored = pl.scan_parquet(file, glob=False, hive_partitioning=False)
        images = stored.select(pl.col(column).alias("image")).with_row_index(ROW)
        joined = wanted.join(images, on=ROW, how="left", maintain_order="left")
        parts.append(joined.select("image", *mine))
    return pl.concat(parts)


def _sink(table: pl.LazyFrame, path: Path) -> None:
    """Write a lazy table whole: into a neighbour first, then renamed over the name."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with writing(path):
        try:
            table.sink_parquet(partial)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
