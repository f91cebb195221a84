"""Parquet files that hold the pictures themselves, one in a row, as Hugging Face packs them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart.data.columns import BYTES_COLUMNS, Roles, choose_roles, has_labels
from tellapart.data.frames import (
    as_text,
    class_names,
    columns_as_text,
    is_list,
    is_text_like,
    labels_as_text,
)
from tellapart.data.gathering import Read, Row
from tellapart.data.names import key_of, name_list, natural, side_of
from tellapart.data.pictures import Note, RowSource, Side
from tellapart.data.tables import sides_of
from tellapart.errors import DataError, OptionError, counted, did_you_mean, first_few
from tellapart.progress import Stage
from tellapart.settings import ReadSettings

if TYPE_CHECKING:
    import polars as pl

PARQUET_SUFFIXES = (".parquet", ".pq")


@dataclass(frozen=True)
class _Part:
    """One parquet file. labels are None throughout where it has no label column."""

    key: str
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    notes: tuple[Note, ...]


def parquet_files(folder: Path) -> list[Path]:
    """Return the parquet files in a folder, or else in its folders if each holds some."""
    if own := _parquets_in(folder):
        return own
    inside = [one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")]
    by_folder = [_parquets_in(one) for one in sorted(inside, key=lambda one: natural(one.name))]
    return [file for files in by_folder for file in files] if all(by_folder) else []


def _parquets_in(folder: Path) -> list[Path]:
    try:
        files = [
            one
            for one in folder.iterdir()
            if one.suffix.lower() in PARQUET_SUFFIXES
            and not one.name.startswith(".")
            and one.is_file()
        ]
    except OSError:  # a folder that may not be opened; walking names it
        return []
    return sorted(files, key=lambda file: natural(file.name))


def holds_pictures(file: Path, settings: ReadSettings) -> bool:
    """Whether a parquet file has a column of image bytes (reads its footer only)."""
    return bool(_bytes_columns(_schema(file), settings))


def _schema(file: Path) -> dict[str, pl.DataType]:
    import polars as pl

    try:
        return dict(pl.scan_parquet(file, glob=False, hive_partitioning=False).collect_schema())
    except (OSError, pl.exceptions.PolarsError, UnicodeError) as problem:
        first_line = str(problem).splitlines()[0]
        raise DataError(f"{file} cannot be read as a parquet file: {first_line}") from problem


def _bytes_columns(
    schema: dict[str, pl.DataType], settings: ReadSettings
) -> list[tuple[str, str | None]]:
    """Return the columns of image bytes and the field that holds them: named, known, others.

    Raises OptionError where there are some and --path-column names no column at all.
    """
    import polars as pl

    found: dict[str, str | None] = {}
    for name, dtype in schema.items():
        if dtype == pl.Binary:
            found[name] = None
        elif isinstance(dtype, pl.Struct) and pl.Field("bytes", pl.Binary) in dtype.fields:
            found[name] = "bytes"
    if settings.path_column in found:
        return [(settings.path_column, found[settings.path_column])]
    if settings.path_column is not None:
        if found and settings.path_column not in schema:
            raise OptionError(
                f"--path-column {settings.path_column!r} is no column of the parquet file"
                f"{did_you_mean(settings.path_column, schema)} (columns: {', '.join(schema)})"
            )
        return []
    known = [name for name in BYTES_COLUMNS if name in found]
    others = [name for name in found if name not in known]
    return [(name, found[name]) for name in (*known, *others)]


def read_parquet_file(file: Path, settings: ReadSettings, stage: Stage) -> Read:
    """Read one parquet file of pictures."""
    return _read_files([file], file.parent, str(file), settings, stage)


def read_parquet_folder(folder: Path, settings: ReadSettings, stage: Stage) -> Read:
    """Read a folder of parquet files; their names (train-00000-of-00002) give the split."""
    files = parquet_files(folder)
    holding = [file for file in files if holds_pictures(file, settings)]
    read = _read_files(holding, folder, str(folder), settings, stage)
    others = [key_of(file.name) for file in files if file not in holding]
    if not others:
        return read
    message = f"left out {counted(len(others), 'parquet file')} without pictures"
    note = Note.about("left_out", message, others)
    return Read(read.root, read.where, read.rows, (*read.notes, note), read.names)


def rows_in(file: Path) -> list[RowSource]:
    """Return the pictures inside a parquet file, row by row; labels are not asked for."""
    column, bytes_field = _bytes_columns(_schema(file), ReadSettings())[0]
    height = _without_bytes(file, []).height
    return [RowSource(str(file), row, column, bytes_field) for row in range(height)]


def _read_files(
    files: Sequence[Path], root: Path, where: str, settings: ReadSettings, stage: Stage
) -> Read:
    if settings.label_regex is not None:
        raise OptionError(
            f"--label-regex would have no effect: the rows of {where} have no paths to search"
        )
    sides = _sides_of_files(files)
    any_labels = any(_has_labels(file, settings) for file in files)
    parts, unlabelled = [], []
    for file in files:
        without = any_labels and not _has_labels(file, settings)  # as a contest's test file
        part = _read_file(file, root, settings, sides.get(file), without_labels=without)
        stage.advance(len(part.rows))
        if without or (len(files) > 1 and all(row.label is None for row in part.rows)):
            unlabelled.append(part)
        else:
            parts.append(part)
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    rows = tuple(_with_names(row, part.names, names) for part in parts for row in part.rows)
    if not rows:
        raise DataError(f"none of the rows of {where} has a label")
    notes = _distinct([note for part in parts for note in part.notes])
    notes += [*_split_notes(files, sides, root), *_unlabelled_notes(unlabelled)]
    return Read(str(root), where, rows, tuple(notes), names)


def _sides_of_files(files: Sequence[Path]) -> dict[Path, Side]:
    """Return the side that each file's name, or else its folder's, begins with."""
    sides = {}
    for file in files:
        for name in (file.name, file.parent.name):
            word = re.match(r"[A-Za-z]+", name)
            if word and (side := side_of(word[0])) is not None:
                sides[file] = side
                break
    return sides if len(sides) == len(files) and len(files) > 1 else {}


def _has_labels(file: Path, settings: ReadSettings) -> bool:
    return has_labels(list(_schema(file)), settings, tuple(class_names(file)))


def _read_file(
    file: Path, root: Path, settings: ReadSettings, side: Side | None, *, without_labels: bool
) -> _Part:
    """Read all but the pictures' bytes of one file."""
    schema = _schema(file)
    candidates = _bytes_columns(schema, settings)
    column, bytes_field = candidates[0]
    texts = [name for name in schema if is_text_like(schema[name])]
    lists = [name for name in schema if is_list(schema[name])]
    names_of = class_names(file)
    roles, notes = Roles(column, None, None, None), tuple[Note, ...]()
    if not without_labels:
        roles, notes = choose_roles(
            str(file), [column, *texts, *lists], settings, path=column, class_labels=list(names_of)
        )
    used = [name for name in lists if name in (roles.label, roles.group, roles.split)]
    frame = _without_bytes(file, [*texts, *used])
    labels: list[str | None] = [None] * frame.height
    if roles.label is not None:
        labels = labels_as_text(str(file), frame, roles.label, names_of)
    groups = as_text(frame, roles.group) if roles.group else [None] * frame.height
    sides = sides_of(str(file), frame, roles.split) if roles.split else [side] * frame.height
    names = roles.others(texts)
    columns = columns_as_text(frame, names)
    key = key_of(file.relative_to(root).as_posix())
    sources = [RowSource(str(file), i, column, bytes_field) for i in range(frame.height)]
    rows = tuple(
        Row(f"{key}#{i}", sources[i], labels[i], groups[i], sides[i], columns[i])
        for i in range(frame.height)
    )
    return _Part(key, rows, names, (*_column_note(file, candidates), *notes))


def _without_bytes(file: Path, columns: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    lazy = pl.scan_parquet(file, glob=False, hive_partitioning=False)
    if not columns:
        return pl.DataFrame({"": range(lazy.select(pl.len()).collect().item())})
    return lazy.select(columns).collect()


def _with_names(row: Row, own: tuple[str, ...], names: tuple[str, ...]) -> Row:
    if own == names:
        return row
    values = dict(zip(own, row.columns, strict=True))
    return row._replace(columns=tuple(values.get(name) for name in names))


def _column_note(file: Path, candidates: Sequence[tuple[str, str | None]]) -> list[Note]:
    if len(candidates) < 2:
        return []
    names = [repr(name) for name, _ in candidates]
    message = (
        f"{file.name}: the pictures are taken from {names[0]}; {first_few(names[1:])} would do too:"
        " say with --path-column"
    )
    return [Note("guessed_column", message, (), 1)]


def _distinct(notes: Sequence[Note]) -> list[Note]:
    """Keep the first file's guesses: the others of a set are built alike."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for note in notes:
        said = (note.kind, note.message.partition(": ")[2])
        if said not in seen:
            seen.add(said)
            kept.append(note)
    return kept


def _split_notes(files: Sequence[Path], sides: dict[Path, Side], root: Path) -> list[Note]:
    if not sides:
        return []
    said = [f"{file.relative_to(root).as_posix()} ({sides[file]})" for file in files]
    return [Note("guessed_split", f"taken as splits: {first_few(said)}", (), len(files))]


def _unlabelled_notes(parts: Sequence[_Part]) -> list[Note]:
    if not parts:
        return []
    count = sum(len(part.rows) for part in parts)
    keys = [part.key for part in parts]
    message = f"left out {counted(count, 'picture')} in {name_list(keys)}: they have no labels"
    return [Note("unlabelled_split", message, tuple(keys), count)]
