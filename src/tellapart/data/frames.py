"""Tables as data frames: reading CSV, TSV, JSONL and Parquet, and columns of them as text."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart.data.pictures import Note
from tellapart.errors import DataError

if TYPE_CHECKING:
    import polars as pl

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that starts so
GUARDED = r"^'[=+\-@\t\r]"  # what `guarded` makes of one


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet computes: a ' before = + - @ tab and return.

    `read_frame` takes it off again.
    """
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def read_frame(table: Path) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """Read a whole table of paths and labels; raises DataError where it is damaged."""
    import polars as pl

    try:
        frame, notes = FRAME_READERS[table.suffix.lower()](table)
    except OSError as problem:
        raise DataError(f"cannot read {table}: {problem.strerror or problem}") from problem
    except (pl.exceptions.PolarsError, UnicodeError) as problem:
        first_line = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise DataError(f"{table} cannot be read as a table: {first_line}") from problem
    if frame.height == 0:
        raise DataError(f"{table} has no rows")
    return frame, notes


def _read_csv(table: Path) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    with table.open("rb") as file:
        header = file.readline(1_000_000)
    if not header.strip():
        raise DataError(f"{table} is empty")
    if b";" in header and b"," not in header:  # as spreadsheets write it in half of Europe
        note = Note("guessed", f"{table.name}: its columns are taken as parted by ';'", (), 1)
        return _read_separated(table, ";"), (note,)
    return _read_separated(table, ","), ()


def _read_tsv(table: Path) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    return _read_separated(table, "\t"), ()


def _read_separated(table: Path, separator: str) -> pl.DataFrame:
    """Read every cell as text; the ' that guards a formula's first letter is taken off."""
    import polars as pl

    text = io.BytesIO(table.read_bytes())  # by its bytes: polars takes [ and * in names for a glob
    frame = pl.read_csv(text, separator=separator, infer_schema=False)
    return frame.select(
        pl.when(pl.all().str.contains(GUARDED))
        .then(pl.all().str.slice(1))
        .otherwise(pl.all())
        .name.keep()
    )


def _read_jsonl(table: Path) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    import polars as pl

    return pl.read_ndjson(io.BytesIO(table.read_bytes()), infer_schema_length=None), ()


def _read_parquet(table: Path) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    import polars as pl

    lazy = pl.scan_parquet(table, glob=False, hive_partitioning=False)
    schema = lazy.collect_schema()
    columns = [name for name in schema if is_text_like(schema[name]) or is_list(schema[name])]
    return lazy.select(columns).collect(), ()


FRAME_READERS: dict[str, Callable[[Path], tuple[pl.DataFrame, tuple[Note, ...]]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}


def class_names(table: Path) -> dict[str, tuple[str, ...]]:
    """Return column -> class names from a parquet's `huggingface` metadata (ClassLabel)."""
    import polars as pl

    try:
        text = pl.read_parquet_metadata(table).get("huggingface", "")
        features = json.loads(text)["info"]["features"] if text else {}
        return {
            column: tuple(str(name) for name in feature["names"])
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # another writer's metadata: labels are then taken as they stand


def is_text_like(dtype: pl.DataType) -> bool:
    """Whether a column's values can be said as one text each."""
    return not dtype.is_nested() and str(dtype) not in ("Binary", "Object", "Unknown")


def is_list(dtype: pl.DataType) -> bool:
    """Whether a column holds several values a row."""
    return str(dtype).startswith(("List", "Array"))


def as_text(frame: pl.DataFrame, column: str) -> list[str | None]:
    """Return a column as text: whole numbers without a point, empty cells as None."""
    import polars as pl

    values = frame.get_column(column)
    if (
        values.dtype.is_float()
        and values.drop_nulls().drop_nans().round(0).eq(values.drop_nulls().drop_nans()).all()
    ):
        values = values.fill_nan(None).cast(pl.Int64, strict=False)
    texts: list[str | None] = values.cast(pl.String).to_list()
    return [text if text else None for text in texts]


def columns_as_text(frame: pl.DataFrame, names: Sequence[str]) -> list[tuple[str | None, ...]]:
    """Return the rows of some columns as text."""
    if not names:
        return [()] * frame.height
    return list(zip(*(as_text(frame, name) for name in names), strict=True))


def labels_as_text(
    where: str, frame: pl.DataFrame, column: str, names: Mapping[str, Sequence[str]]
) -> list[str | None]:
    """Return labels as text, by ClassLabel's names where the schema has them.

    Raises DataError for lists (several labels a picture) and for numbers outside of the names.
    """
    dtype = frame.schema[column]
    if is_list(dtype):
        raise DataError(
            f"{where}: the column {column!r} holds lists: a picture with several labels"
            " (multi-label) cannot be learned here; give each picture one label"
        )
    if not is_text_like(dtype):
        raise DataError(f"{where}: the column {column!r} holds {dtype}, which is no label")
    texts = as_text(frame, column)
    if column not in names or not dtype.is_integer():
        return texts
    known = {str(number): name for number, name in enumerate(names[column])}
    for row, text in enumerate(texts):
        if text is not None and text != "-1" and text not in known:  # -1: "no label" by custom
            raise DataError(
                f"{where}, row {row + 1}: label {text} has no name: the schema names 0 to"
                f" {len(known) - 1}"
            )
    return [None if text is None else known.get(text) for text in texts]
