"""Tables of paths and labels, Hugging Face's imagefolder among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tellapart.data.columns import Roles, choose_roles, known_path_column
from tellapart.data.folders import label_in, refuse_matchless, scan_or_refuse
from tellapart.data.frames import (
    as_text,
    class_names,
    columns_as_text,
    is_text_like,
    labels_as_text,
    read_frame,
)
from tellapart.data.gathering import Read, Row
from tellapart.data.grouping import compiled
from tellapart.data.names import SPLIT_WORDS, clean_label, key_of, side_of
from tellapart.data.pictures import FileSource, Note, Side
from tellapart.data.scan import FoundFile
from tellapart.errors import DataError, counted, did_you_mean, first_few
from tellapart.progress import Stage
from tellapart.settings import ReadSettings

if TYPE_CHECKING:
    import polars as pl

METADATA_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


@dataclass(frozen=True)
class _Part:
    """The rows of one table. names: its other columns; missing: paths without a file."""

    where: str
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    missing: tuple[str, ...]
    first_missing: str
    notes: tuple[Note, ...]


def read_table(table: Path, settings: ReadSettings, stage: Stage) -> Read:
    """Read a table whose paths are relative to its own folder."""
    root = table.parent
    part = _read_part(table, root, settings)
    stage.advance(len(part.rows))
    rows = _once_each(part.where, part.rows)
    notes = (*part.notes, *_missing_notes([part], settings), *_once_note(part.rows, rows))
    return Read(str(root), str(table), rows, notes, part.names)


def files_in(table: Path) -> list[tuple[str, str]]:
    """Return key and absolute file of every row of a table of paths; labels are not asked for.

    Raises DataError where it cannot be read or has no column of paths.
    """
    frame, _ = read_frame(table)
    column = known_path_column(str(table), frame.columns)
    return _locate(str(table), as_text(frame, column), table.parent, table.parent)


def metadata_tables(folder: Path) -> list[Path]:
    """Return the metadata tables of an imagefolder: its own, else those of its split folders."""
    own = [folder / name for name in METADATA_NAMES if (folder / name).is_file()]
    if own:
        return own[:1]
    tables = []
    for inside in sorted(folder.iterdir()):
        if side_of(inside.name) is not None and inside.is_dir():
            tables += [inside / name for name in METADATA_NAMES if (inside / name).is_file()][:1]
    return tables


def read_image_folder(folder: Path, settings: ReadSettings, stage: Stage) -> Read:
    """Read a folder with metadata.csv or metadata.jsonl, in it or in each of its split folders."""
    tables = metadata_tables(folder)
    parts = [_read_part(table, folder, settings) for table in tables]
    stage.advance(sum(len(part.rows) for part in parts))
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    rows = [row for part in parts for row in _with_columns(part, names)]
    kept = _once_each(str(folder), _with_folder_sides(rows))
    notes = [note for part in parts for note in part.notes]
    notes += [*_missing_notes(parts, settings), *_once_note(rows, kept)]
    notes += _beside(scan_or_refuse(folder, stage).files, rows)
    return Read(str(folder), str(folder), kept, tuple(notes), names)


def _read_part(table: Path, root: Path, settings: ReadSettings) -> _Part:
    frame, said = read_frame(table)
    roles, guessed = choose_roles(str(table), frame.columns, settings)
    paths = as_text(frame, roles.path) if is_text_like(frame.schema[roles.path]) else []
    if not paths:
        raise DataError(f"{table}: the column {roles.path!r} holds no paths")
    located = _locate(str(table), paths, table.parent, root)
    labels = _labels(table, frame, roles, settings, [key for key, _ in located])
    groups = as_text(frame, roles.group) if roles.group else [None] * len(located)
    sides = sides_of(str(table), frame, roles.split)
    names = tuple(n for n in roles.others(frame.columns) if is_text_like(frame.schema[n]))
    columns = columns_as_text(frame, names)
    rows, missing = [], []
    for i, (key, file) in enumerate(located):
        if os.path.isfile(file):  # noqa: PTH113  (a Path a row doubles the time)
            rows.append(Row(key, FileSource(file), labels[i], groups[i], sides[i], columns[i]))
        else:
            missing.append(i)
    keys = tuple(located[i][0] for i in missing)
    first = located[missing[0]][1] if missing else ""
    return _Part(str(table), tuple(rows), names, keys, first, (*said, *guessed))


def _locate(
    where: str, paths: Sequence[str | None], base: Path, root: Path
) -> list[tuple[str, str]]:
    """Return key and absolute file of every path; both slashes part folders."""
    located = []
    base_text, root_text = str(base), os.path.normpath(root)
    for row, path in enumerate(paths):
        if path is None:
            raise DataError(f"{where}, row {row + 1}: the path is empty")
        if "://" in path[:10]:
            raise DataError(
                f"{where}, row {row + 1}: {path} is a web address: download the pictures first"
            )
        file = os.path.normpath(os.path.join(base_text, path))  # noqa: PTH118
        if "\\" in path and os.sep == "/" and not os.path.exists(file):  # noqa: PTH110
            file = os.path.normpath(os.path.join(base_text, path.replace("\\", "/")))  # noqa: PTH118
        located.append((_key(file, root_text), file))
    return located


def _key(file: str, root: str) -> str:
    """Return a file's key: relative to the root, or absolute outside of it; "/" throughout."""
    start = root.rstrip(os.sep) + os.sep
    inside = file[len(start) :] if file.startswith(start) else file
    return key_of(inside.replace(os.sep, "/"))


def _labels(
    table: Path, frame: pl.DataFrame, roles: Roles, settings: ReadSettings, keys: Sequence[str]
) -> list[str | None]:
    if roles.label is not None:
        names = class_names(table) if table.suffix.lower() in (".parquet", ".pq") else {}
        return labels_as_text(str(table), frame, roles.label, names)
    pattern = settings.label_regex or ""
    search = compiled(pattern, "--label-regex", "label")
    labels = [label_in(search, key) for key in keys]
    refuse_matchless(pattern, keys, labels)
    return labels


def sides_of(where: str, frame: pl.DataFrame, column: str | None) -> list[Side | None]:
    """Return the side of each row; raises DataError for unknown words and for empty cells."""
    if column is None:
        return [None] * frame.height
    words = as_text(frame, column)
    known = {word: side_of(word) for word in set(words) if word is not None}
    if len(known) == 0:
        return [None] * frame.height
    for row, word in enumerate(words):
        if word is None:
            raise DataError(
                f"{where}, row {row + 1}: no split in {column!r}, while other rows have one:"
                f" {counted(words.count(None), 'row')} to fill in (train, val or test)"
            )
        if known[word] is None:
            raise DataError(
                f"{where}, row {row + 1}: {column!r} holds {word!r}, which is no split"
                f"{did_you_mean(word, SPLIT_WORDS)} (known: {', '.join(SPLIT_WORDS)})"
            )
    return [known[word] for word in words if word is not None]


def _with_columns(part: _Part, names: Sequence[str]) -> list[Row]:
    """Return the part's rows with all tables' other columns, in the order of `names`."""
    places = [part.names.index(name) if name in part.names else None for name in names]
    return [
        row._replace(columns=tuple(None if at is None else row.columns[at] for at in places))
        for row in part.rows
    ]


def _with_folder_sides(rows: Sequence[Row]) -> list[Row]:
    """Take the split from the first folder where no column gives it and each one is a split."""
    sides = [side_of(row.path.partition("/")[0]) if "/" in row.path else None for row in rows]
    if None in sides or any(row.split is not None for row in rows):
        return list(rows)
    return [row._replace(split=side) for row, side in zip(rows, sides, strict=True)]


def _once_each(where: str, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Keep one row a path; raises DataError where its rows disagree on label or split."""
    first: dict[str, Row] = {}
    for row in rows:
        before = first.setdefault(row.path, row)
        if clean_label(before.label or "") != clean_label(row.label or ""):
            raise DataError(
                f"{where}: {row.path} has several labels ({before.label}, {row.label}):"
                " a picture with several labels (multi-label) cannot be learned here; keep one"
                " row a picture"
            )
        if before.split != row.split:
            raise DataError(
                f"{where}: {row.path} stands in several splits ({before.split}, {row.split}):"
                " keep one row a picture"
            )
    return tuple(first.values())


def _once_note(rows: Sequence[Row], kept: Sequence[Row]) -> list[Note]:
    again = len(rows) - len(kept)
    if not again:
        return []
    return [Note("same_file", f"{counted(again, 'row')} repeated a picture: taken once", (), again)]


def _missing_notes(parts: Sequence[_Part], settings: ReadSettings) -> list[Note]:
    """Note every missing file; raises DataError where their share is above max_missing."""
    missing = [key for part in parts for key in part.missing]
    if not missing:
        return []
    total = len(missing) + sum(len(part.rows) for part in parts)
    where = parts[0].where if len(parts) == 1 else f"{parts[0].where} and its like"
    first = next(part.first_missing for part in parts if part.first_missing)
    message = (
        f"{len(missing):,} of {counted(total, 'row')} of {where} name files that are not there:"
        f" {first_few(missing)}"
    )
    if len(missing) > settings.max_missing * total:
        raise DataError(
            f"{message}; the first was looked for at {first}; mend the paths, or allow it with"
            f" --max-missing {_share_above(len(missing), total)}"
        )
    return [Note.about("missing_files", message, missing)]


def _share_above(count: int, total: int) -> str:
    return f"{min(1.0, -(-100 * count // total) / 100):g}"


def _beside(files: Iterable[FoundFile], rows: Iterable[Row]) -> list[Note]:
    """Name the pictures in the folder that its metadata does not."""
    named = {row.path for row in rows}
    unnamed = [file.key for file in files if file.key not in named]
    if not unnamed:
        return []
    message = f"left out {counted(len(unnamed), 'picture')} that the metadata does not name"
    return [Note.about("left_out", message, unnamed)]
