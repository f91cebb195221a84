"""Class folders: the label is the first folder below the root, or below a split's folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tellapart.data.gathering import Read, Row
from tellapart.data.grouping import compiled
from tellapart.data.names import name_list, natural, side_of
from tellapart.data.pictures import FileSource, Note, Side
from tellapart.data.scan import FoundFile, Scan, scan_folder
from tellapart.errors import DataError, OptionError, counted, first_few
from tellapart.progress import Stage
from tellapart.settings import ReadSettings

TABLE_HINT = 'a table with the columns "file" and "label"'


def read_class_folders(root: Path, settings: ReadSettings, stage: Stage) -> Read:
    """Read a folder of pictures; raises DataError or OptionError in one line."""
    _refuse_table_options(root, settings)
    scan = scan_or_refuse(root, stage)
    if not scan.files:
        raise DataError(_nothing_there(root, scan))
    sides = _split_folders(scan, by_regex=settings.label_regex is not None)
    if settings.label_regex is None:
        labelled, notes = _labels_from_folders(root, scan, sides)
    else:
        labelled, notes = labels_from_regex(scan.files, settings.label_regex), []
    rows, linked = _once_each(labelled, sides)
    notes = [*scan.notes, *_split_notes(scan, sides), *notes, *linked]
    hint = _one_class_hint(root, scan)
    return Read(str(root), str(root), tuple(rows), tuple(notes), hint=hint)


def scan_or_refuse(root: Path, stage: Stage) -> Scan:
    """Walk the folder; raises DataError where it cannot be opened."""
    try:
        return scan_folder(str(root), stage)
    except OSError as problem:
        raise DataError(f"cannot open the folder {root}: {problem.strerror}") from problem


def _refuse_table_options(root: Path, settings: ReadSettings) -> None:
    share = settings.max_missing
    for option, value in (
        ("--max-missing", None if share == ReadSettings.max_missing else f"{share:g}"),
        ("--path-column", settings.path_column),
        ("--label-column", settings.label_column),
        ("--group-column", settings.group_column),
        ("--split-column", settings.split_column),
    ):
        if value is not None:
            raise OptionError(
                f"{option} {value} would have no effect: {root} is a folder of class folders, not"
                f" a table{_tables_in(root)}"
            )


def _tables_in(root: Path) -> str:
    """Return ``; did you mean ROOT/labels.csv?`` where tables stand in the folder, else ""."""
    suffixes = (".csv", ".tsv", ".jsonl", ".parquet")
    tables = sorted(one.name for one in root.iterdir() if one.suffix.lower() in suffixes)
    return f"; did you mean the table {root / tables[0]}?" if tables else ""


def _nothing_there(root: Path, scan: Scan) -> str:
    if scan.left_out:
        return f"there are no pictures in {root}; it holds {scan.contents()}"
    unreadable = [note for note in scan.notes if note.kind == "unreadable_folder"]
    if unreadable:
        return f"there are no pictures in {root}: {unreadable[0].message}"
    return f"there are no pictures in {root}: the folder is empty"


def _top(key: str) -> str:
    """Return the first folder of a key, "" where the file stands in the root itself."""
    return key.partition("/")[0] if "/" in key else ""


def _split_folders(scan: Scan, *, by_regex: bool) -> dict[str, Side]:
    """Return top folder -> side, empty where the top folders are no splits.

    They are if each visible one that holds pictures is a split word, and one holds class folders.
    """
    tops = {_top(one.key) for one in scan.files} - {""}
    sides = {top: side for top in tops if (side := side_of(top)) is not None}
    if not tops or len(sides) < len(tops):
        return {}
    if by_regex:  # a picture beside the split folders would have no side
        return sides if all(_top(one.key) for one in scan.files) else {}
    return sides if any(one.key.count("/") >= 2 for one in scan.files) else {}


def _labels_from_folders(
    root: Path, scan: Scan, sides: dict[str, Side]
) -> tuple[list[tuple[FoundFile, str | None]], list[Note]]:
    labelled = [(one, _folder_label(one.key, sides)) for one in scan.files]
    if all(label is None for _, label in labelled):
        raise DataError(_flat(root, len(labelled)))
    if not sides and all(label is None or side_of(label) for _, label in labelled):
        raise DataError(
            f"the folders {name_list(_tops(scan))} in {root} are splits, but hold no class folders:"
            f" sort the pictures into {root}/{_tops(scan)[0]}/CLASS/, give {TABLE_HINT}, or take"
            " the label from the file names with --label-regex"
        )
    without = _unlabelled_splits(labelled, sides)
    notes = []
    for top in sorted(without, key=natural):
        paths = [one.key for one, _ in labelled if _top(one.key) == top]
        message = (
            f"left out {counted(len(paths), 'picture')} in {top}/: they have no labels"
            " (no class folders that the other splits know)"
        )
        notes.append(Note.about("unlabelled_split", message, paths))
    labelled = [pair for pair in labelled if _top(pair[0].key) not in without]
    return labelled, [*notes, *_empty_classes(scan, sides, without)]


def _tops(scan: Scan) -> list[str]:
    return sorted({_top(one.key) for one in scan.files} - {""}, key=natural)


def _folder_label(key: str, sides: dict[str, Side]) -> str | None:
    folders = key.split("/")[:-1]
    if sides:
        folders = folders[1:]
    return folders[0] if folders else None


def _flat(root: Path, count: int) -> str:
    return (
        f"{root} holds {counted(count, 'picture')} but no class folders: put each class into a"
        f" folder of its own ({root.name}/cat/1.jpg, {root.name}/dog/2.jpg), or give {TABLE_HINT}"
        f" (tellapart run labels.csv), or take the label from the file names with"
        f" --label-regex{_tables_in(root)}"
    )


def _unlabelled_splits(
    labelled: Iterable[tuple[FoundFile, str | None]], sides: dict[str, Side]
) -> set[str]:
    """Return the split folders without labels: no class folder at all, or, as contests pack their
    test pictures, a single one that no other split has."""
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for one, label in labelled:
        if top := _top(one.key):
            labels[top] |= {label} if label is not None else set()
    if not sides:
        return set()
    without = {top for top, found in labels.items() if not found}
    for top, found in labels.items():
        others = set().union(*(labels[other] for other in labels if other != top))
        if len(found) == 1 and len(others) >= 2 and not found & others:
            without.add(top)
    return without


def _empty_classes(scan: Scan, sides: dict[str, Side], without: set[str]) -> list[Note]:
    """Name the class folders that hold no picture at any depth."""
    depth = 2 if sides else 1
    holding = {"/".join(one.key.split("/")[:depth]) for one in scan.files}
    empty = [
        folder
        for folder in scan.folders
        if folder.count("/") == depth - 1 and folder not in holding and _top(folder) not in without
    ]
    if not empty:
        return []
    message = f"{counted(len(empty), 'folder')} without pictures: {first_few(empty)}"
    return [Note.about("empty_class", message, empty)]


def labels_from_regex(
    files: Sequence[FoundFile], pattern: str
) -> list[tuple[FoundFile, str | None]]:
    """Return each file with the first group of `pattern` in its key, None where it is not found."""
    search = compiled(pattern, "--label-regex", "label")
    labelled = [(one, label_in(search, one.key)) for one in files]
    refuse_matchless(pattern, [one.key for one in files], [label for _, label in labelled])
    return labelled


def label_in(search: re.Pattern[str], key: str) -> str | None:
    """Return the first group of the pattern where it is found in a key."""
    found = search.search(key)
    return found.group(1) if found else None


def refuse_matchless(pattern: str, keys: Sequence[str], labels: Sequence[str | None]) -> None:
    """Raise OptionError where the pattern found no label in any key."""
    if all(label is None for label in labels):
        raise OptionError(
            f"--label-regex {pattern!r} matches none of {counted(len(keys), 'path')}, such as"
            f" {keys[0]!r}"
        )


def _once_each(
    labelled: Iterable[tuple[FoundFile, str | None]], sides: dict[str, Side]
) -> tuple[list[Row], list[Note]]:
    """Make the rows; a link to a picture that is here anyway is no second picture.

    Links alone that lead one file to two labels or sides all stay: the audit names the conflict.
    """
    pairs = list(labelled)
    here = {one.real for one, _ in pairs if not one.linked}
    seen: set[tuple[str, str | None, Side | None]] = set()
    rows, again = [], []
    for one, label in pairs:
        side = sides.get(_top(one.key))
        if one.linked:
            if one.real in here or (one.real, label, side) in seen:
                again.append(one.key)
                continue
            seen.add((one.real, label, side))
        rows.append(Row(one.key, FileSource(one.file), label, split=side))
    if not again:
        return rows, []
    message = f"left out {counted(len(again), 'link')} to pictures that are here already"
    return rows, [Note.about("same_file", message, again)]


def _split_notes(scan: Scan, sides: dict[str, Side]) -> list[Note]:
    if sides:
        said = name_list([f"{top} ({sides[top]})" for top in sorted(sides, key=natural)])
        return [Note("guessed_split", f"taken as splits: the folders {said}", (), len(sides))]
    tops = _tops(scan)
    words = [top for top in tops if side_of(top) is not None]
    if not words or len(words) == len(tops):
        return []
    others = [top for top in tops if side_of(top) is None]
    message = (
        f"{name_list(words)} taken as classes, not as splits, because {first_few(others)} stand"
        " beside them"
    )
    return [Note.about("guessed_split", message, words)]


def _one_class_hint(root: Path, scan: Scan) -> str:
    """Where one class is too few: a nested folder or a table may be what was meant."""
    tops = _tops(scan)
    nested = {one.key.split("/")[1] for one in scan.files if one.key.count("/") >= 2}
    if len(tops) == 1 and len(nested) > 1:
        return f"; did you mean {root / tops[0]}, which holds {counted(len(nested), 'folder')}?"
    return _tables_in(root)
