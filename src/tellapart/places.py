"""Where things are kept, and how they are written: whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tellapart.errors import OutputError, TellapartError
from tellapart.version import __version__

FORMAT = 1  # of every JSON file that tellapart writes
CACHE_VARIABLE = "TELLAPART_CACHE"


def default_cache_folder() -> Path:
    """Return TELLAPART_CACHE where it is set, else the user's cache folder for tellapart."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("tellapart", appauthor=False))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: into a neighbour first, then renamed over the name."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with writing(path):
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file with our `format` and `tellapart` fields first; NaN is refused.

    A byte of a file name that is no UTF-8 (half of a pair, to Python) stands there as \\udcXX.
    """
    write_bytes(path, json_text(value).encode("utf-8", "backslashreplace"))


def json_text(value: dict[str, Any]) -> str:
    """Return the JSON text of an object that tellapart writes or prints."""
    marked = {"format": FORMAT, "tellapart": __version__, **value}
    return json.dumps(marked, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def read_json(
    path: Path, *, error: type[TellapartError] = OutputError, most_bytes: int = 64_000_000
) -> dict[str, Any]:
    """Read a JSON file of ours; raises `error` where it is damaged or of a newer format."""
    try:
        if path.stat().st_size > most_bytes:
            raise error(f"{path} is larger than {most_bytes:,} bytes: this is no file of tellapart")
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"cannot read {path}: {problem.strerror or problem}") from problem
    except (ValueError, RecursionError) as problem:
        raise error(f"{path} is damaged: it holds no valid JSON ({problem})") from problem
    if not isinstance(value, dict) or not isinstance(value.get("format"), int):
        raise error(f"{path} was not written by tellapart: its 'format' field is missing")
    if value["format"] > FORMAT:
        raise error(
            f"{path} has format {value['format']}, written by tellapart {value.get('tellapart')};"
            f" this is {__version__}, which reads up to {FORMAT}: update tellapart"
        )
    return value


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a full disk, a read-only place and their like into one clear line."""
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"the disk is full at {place}: free some space and run the same command again"
            ) from problem
        if problem.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise OutputError(
                f"cannot write {place}: {problem.strerror}; choose another place with --out"
            ) from problem
        raise OutputError(f"cannot write {place}: {problem.strerror or problem}") from problem


def new_folder(folder: Path) -> Path:
    """Return a folder that is made now, or is there and empty; raises OutputError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} exists and is not empty: name a new folder with --out")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def printing() -> Iterator[None]:
    """Raise BrokenPipeError where what reads our stdout is gone: Windows calls that EINVAL."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from problem
        raise


def refuse_existing(path: Path, option: str) -> None:
    """Raise OutputError where `path` is taken: it may be an original, or hold somebody's edits."""
    if path.exists():
        raise OutputError(f"{path} exists and is not overwritten: name a new file with {option}")


@contextmanager
def only_one(lock_file: Path, busy: str) -> Iterator[None]:
    """Hold a lock that dies with its process (SQLite's own); raises OutputError(busy) if taken.

    The lock is an empty file that goes when its owner is done. A file with content is somebody
    else's: it is refused, and left as it is.
    """
    with writing(lock_file):
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        if lock_file.is_file() and lock_file.stat().st_size:
            raise OutputError(f"{lock_file} is no lock of tellapart's: choose another --out")
    connection = _locked(lock_file, busy)
    try:
        yield
    finally:
        removed = _removed(lock_file)  # while it is held: a successor's cannot be meant
        connection.close()
        if not removed:  # Windows removes no open file
            _removed(lock_file)


def _locked(lock_file: Path, busy: str) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(lock_file, timeout=0, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as problem:
        if connection is not None:
            connection.close()
        if "locked" in str(problem):
            raise OutputError(busy) from problem
        raise OutputError(f"cannot write {lock_file}: {problem}; choose another --out") from problem
    return connection


def _removed(lock_file: Path) -> bool:
    try:
        lock_file.unlink(missing_ok=True)
    except OSError:
        return False
    return True
