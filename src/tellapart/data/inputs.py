"""What `predict` is given: files, folders, tables, globs and lists on standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tellapart.data.frames import FRAME_READERS
from tellapart.data.names import HEIC_SUFFIXES, RAW_SUFFIXES, key_of, natural, type_of
from tellapart.data.parquets import PARQUET_SUFFIXES, holds_pictures, rows_in
from tellapart.data.pictures import FileSource, Source
from tellapart.data.scan import Scan, scan_folder
from tellapart.data.tables import files_in
from tellapart.errors import DataError, OptionError, did_you_mean
from tellapart.settings import ReadSettings


@dataclass(frozen=True, slots=True)
class Input:
    """One picture to predict. path: as given, with "/"; either source or problem is set."""

    path: str
    source: Source | None
    problem: str | None = None


def list_inputs(arguments: Sequence[str], stdin: TextIO | None = None) -> list[Input]:
    """Return the pictures that arguments name, each once, in the order given.

    A folder stands for the pictures below it, in natural order; a table (.csv, .tsv, .jsonl,
    .parquet) for its rows, by their paths or the bytes inside them; a name with * ? [ for what it
    matches, ** for folders at any depth; "-" for the lines of `stdin`. What cannot be found is
    listed with its problem. Raises OptionError where "-" has nothing to read from.
    """
    once: dict[str, Input] = {}
    for argument in arguments:
        for one in _from_list(stdin) if argument == "-" else _from_argument(argument):
            once.setdefault(one.path, one)
    return list(once.values())


def _from_list(stdin: TextIO | None) -> Iterator[Input]:
    if stdin is None:
        raise OptionError('"-" stands for a list on standard input, and there is none')
    for line in stdin:
        if name := line.rstrip("\r\n"):
            yield from _from_name(name)


def _from_argument(argument: str) -> Iterator[Input]:
    has_glob = any(letter in argument for letter in "*?[")
    if not has_glob or os.path.lexists(argument):  # a name may hold a bracket
        yield from _from_name(argument)
        return
    matches = sorted(glob.glob(argument, recursive=True), key=natural)  # noqa: PTH207
    if not matches:
        yield Input(_shown(argument), None, "nothing matches this pattern")
    for match in matches:
        yield from _from_name(match) if not os.path.isdir(match) else ()  # noqa: PTH112


def _from_name(name: str) -> Iterator[Input]:
    path = Path(name)
    if path.is_dir():
        yield from _from_folder(path)
    elif path.is_file() and path.suffix.lower() in FRAME_READERS:
        yield from _from_table(name, path)
    elif path.is_file():
        yield Input(_shown(name), FileSource(str(path.absolute())))
    elif path.exists():
        yield Input(_shown(name), None, "this is no regular file")
    else:
        yield Input(_shown(name), None, f"no such file{_near(path)}")


def _from_table(name: str, table: Path) -> Iterator[Input]:
    place = table.absolute()
    try:
        if place.suffix.lower() in PARQUET_SUFFIXES and holds_pictures(place, ReadSettings()):
            for source in rows_in(place):
                yield Input(f"{_shown(name)}#{source.row}", source)
            return
        located = files_in(place)
    except DataError as problem:
        yield Input(_shown(name), None, str(problem))
        return
    prefix = _shown(str(table.parent)).rstrip("/")
    for key, file in located:
        shown = key if os.path.isabs(key) else _below(prefix, key)  # noqa: PTH117
        is_there = os.path.isfile(file)  # noqa: PTH113  (a Path a row doubles the time)
        yield Input(shown, FileSource(file)) if is_there else Input(shown, None, "no such file")


def _near(path: Path) -> str:
    try:
        return did_you_mean(path.name, [key_of(one.name) for one in path.parent.iterdir()])
    except OSError:
        return ""


def _from_folder(folder: Path) -> Iterator[Input]:
    prefix = _shown(str(folder)).rstrip("/")
    try:
        scan = scan_folder(str(folder.absolute()))
    except OSError as problem:
        yield Input(prefix, None, f"cannot open this folder: {problem.strerror}")
        return
    for one in scan.files:
        yield Input(_below(prefix, one.key), FileSource(one.file))
    yield from _known_problems(prefix, scan)
    if not scan.files:
        contents = f": it holds {scan.contents()}" if scan.left_out else ""
        yield Input(prefix or "/", None, f"no pictures in this folder{contents}")


def _known_problems(prefix: str, scan: Scan) -> Iterator[Input]:
    """List the pictures that cannot be read here (HEIC, RAW) and the folders that do not open."""
    for suffixes in (HEIC_SUFFIXES, RAW_SUFFIXES):
        kind, advice = type_of(f"x{min(suffixes)}")
        for key in scan.left_out.get(kind, ()):
            yield Input(_below(prefix, key), None, f"{kind} cannot be read here: {advice}")
    for note in scan.notes:
        if note.kind == "unreadable_folder":
            for key in note.paths:
                yield Input(_below(prefix, key), None, "cannot open this folder")


def _below(prefix: str, key: str) -> str:
    return key if prefix == "." else f"{prefix}/{key}"


def _shown(name: str) -> str:
    return key_of(name.replace(os.sep, "/"))
