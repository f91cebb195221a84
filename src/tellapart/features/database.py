"""One SQLite file of the cache: opened so that several processes may use it, and mended."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tellapart.errors import CacheError

WAIT_SECONDS = 60.0  # for another process that writes
MOST_AT_ONCE = 500  # values in one query: old SQLite takes 999
NETWORK_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "lustre")

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NOT_WRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


class DamagedDatabase(CacheError):
    """A file of the cache was corrupt, or no database: it has been set aside and made anew."""


class UnwritableCache(CacheError):
    """Nothing can be written where the cache should be."""


class Database:
    """A connection that threads share; every call is whole: all rows read, or one transaction.

    A damaged file is set aside and made anew, and `say` tells so: without more ado when it is
    opened, with DamagedDatabase later, for then answers may have rested on what is gone.
    """

    def __init__(self, path: Path, tables: Sequence[str], say: Callable[[str], None]) -> None:
        self.path, self._tables, self._say = path, tables, say
        self._lock = threading.Lock()
        try:
            self._connection = self._opened()
        except _Damaged as problem:
            self._mend(problem)

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows that answer a question."""
        with self._whole() as connection:
            return connection.execute(question, values).fetchall()

    def rows_for(
        self, question: str, keys: Sequence[Any], *first: Any
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that answer a question with ``IN (?)``, for any number of keys.

        `first` are the values that stand before the keys.
        """
        for start in range(0, len(keys), MOST_AT_ONCE):
            part = keys[start : start + MOST_AT_ONCE]
            marks = ",".join("?" * len(part))
            yield from self.rows(question.replace("IN (?)", f"IN ({marks})"), [*first, *part])

    def write(self, *statements: tuple[str, Iterable[Sequence[Any]]]) -> None:
        """Run statements, each over its rows of values, as one transaction."""
        with self._whole() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in statements:
                    connection.executemany(statement, rows)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _whole(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with _explained(self.path):
                    yield self._connection
            except _Damaged as problem:
                self._connection.close()
                self._mend(problem)
                raise DamagedDatabase(
                    f"the cache's file {self.path} was damaged ({problem}) and has been made anew:"
                    " run the same command again"
                ) from problem

    def _mend(self, problem: _Damaged) -> None:
        aside = set_aside(self.path)
        if aside is not None:
            self._say(
                f"the cache's file {self.path} is damaged ({problem}): set aside as {aside.name},"
                " and made anew"
            )
        self._connection = self._opened()

    def _opened(self) -> sqlite3.Connection:
        with _explained(self.path):
            connection = sqlite3.connect(
                self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                _choose_journal(connection, self.path)
                connection.execute("BEGIN IMMEDIATE")
                for table in self._tables:
                    connection.execute(table)
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            return connection


class _Damaged(Exception):
    """What SQLite calls corrupt, or not a database."""


def set_aside(path: Path) -> Path | None:
    """Move a damaged database to ``name.damaged``; None where another process already did.

    A lock that dies with its process keeps two of them from setting each other's work aside.
    """
    repair = path.parent / "repair.lock"
    with (
        _explained(path),
        closing(sqlite3.connect(repair, timeout=WAIT_SECONDS, isolation_level=None)) as lock,
    ):
        lock.execute("BEGIN EXCLUSIVE")
        if _is_sound(path):
            return None
        aside = path.with_name(f"{path.name}.damaged")
        for end in ("", "-wal", "-shm"):
            found = Path(f"{path}{end}")
            if found.exists():
                found.replace(f"{aside}{end}")
        return aside


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return True
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as problem:
        if _code(problem) in _DAMAGED:
            return False
        raise
    finally:
        connection.close()


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Use a write-ahead log; a rollback journal where that is refused or the folder is remote.

    The log's index is shared memory, which file systems over a network do not have.
    """
    if not lies_on_network(path.parent) and _journal(connection, "WAL") == "wal":
        # a power cut may lose the last batches, never the file
        connection.execute("PRAGMA synchronous=NORMAL")
        return
    _journal(connection, "DELETE")


def _journal(connection: sqlite3.Connection, mode: str) -> str:
    """Ask for a mode of the journal and return the one in use.

    SQLite reads the file first and does not wait while another process keeps that read from
    becoming a write, so the waiting is done here.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            (used,) = connection.execute(f"PRAGMA journal_mode={mode}").fetchone()
            return str(used)
        except sqlite3.OperationalError as problem:
            if _code(problem) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def lies_on_network(folder: Path) -> bool:
    """Whether a folder lies on a file system of another machine, as far as this one tells."""
    if sys.platform == "win32":
        import ctypes

        remote = 4  # DRIVE_REMOTE of GetDriveTypeW
        drive = os.path.splitdrive(folder.absolute())[0]
        return drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == (
            remote
        )
    mounts = Path("/proc/self/mounts")
    if mounts.exists():
        return _mounted_as(folder.resolve(), mounts.read_text(errors="replace")) in NETWORK_SYSTEMS
    # elsewhere: the devices of the system, of its data and of temporary files are local
    local = ("/", "/System/Volumes/Data", tempfile.gettempdir())
    devices = {os.stat(one).st_dev for one in local if os.path.exists(one)}  # noqa: PTH110, PTH116
    return folder.stat().st_dev not in devices


def _mounted_as(folder: Path, mounts: str) -> str:
    """Return the type of the file system that holds `folder`, from the text of a mount table."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = Path(fields[1].replace("\\040", " "))
        if len(point.parts) >= best and folder.is_relative_to(point):
            best, kind = len(point.parts), fields[2]
    return kind


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one line each; what is damaged is for `Database` to mend."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        code = _code(problem)
        if code in _DAMAGED:
            raise _Damaged(str(problem)) from problem
        if code in _NOT_WRITABLE:
            raise UnwritableCache(f"cannot write the cache at {path}: {problem}") from problem
        if code == sqlite3.SQLITE_FULL:
            raise CacheError(
                f"the disk is full at {path}: free some space, or give another place with --cache"
            ) from problem
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise CacheError(
                f"another process has kept {path} busy for {WAIT_SECONDS:.0f} s: wait for it, or"
                " give another place with --cache"
            ) from problem
        raise CacheError(f"the cache at {path} cannot be used: {problem}") from problem


def _code(problem: sqlite3.DatabaseError) -> int:
    """Return SQLite's primary result code."""
    code: int = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) or sqlite3.SQLITE_ERROR
    return code & 0xFF
