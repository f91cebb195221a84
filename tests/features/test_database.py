"""One SQLite file: shared, whole, mended; what else goes wrong is one line."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tellapart.errors import CacheError
from tellapart.features import database as module
from tellapart.features.database import DamagedDatabase, Database, set_aside

TABLES = ("CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY, value BLOB)",)
INSERT = "INSERT OR REPLACE INTO things VALUES (?, ?)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def opened(tmp_path: Path, said: list[str]) -> Callable[[], Database]:
    return lambda: Database(tmp_path / "things.sqlite", TABLES, said.append)


def test_rows_for_any_number_of_keys(opened: Callable[[], Database]) -> None:
    database = opened()
    database.write((INSERT, [(str(i), bytes([i % 250])) for i in range(2_500)]))
    wanted = [str(i) for i in range(0, 3_000, 2)]
    question = "SELECT name FROM things WHERE value <> ? AND name IN (?)"
    found = {name for (name,) in database.rows_for(question, wanted, b"\x00")}
    assert found == {str(i) for i in range(0, 2_500, 2) if i % 250}
    database.close()


def test_write_is_whole_or_not_at_all(opened: Callable[[], Database]) -> None:
    database = opened()
    with pytest.raises(CacheError, match=r"the cache at .*things.sqlite cannot be used"):
        database.write((INSERT, [("a", b"1")]), ("INSERT INTO nowhere VALUES (?)", [("b",)]))
    assert database.rows("SELECT * FROM things") == []
    database.write((INSERT, [("a", b"1")]))
    database.close()


def test_log_where_it_can_be_and_journal_where_not(
    opened: Callable[[], Database], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = opened()
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    database.close()
    monkeypatch.setattr(module, "lies_on_network", lambda folder: True)
    database = opened()
    assert database.rows("PRAGMA journal_mode") == [("delete",)]
    database.write((INSERT, [("a", b"1")]))
    database.close()


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me/cache", "nfs4"),
        ("/home/you", "ext4"),
        ("/data/with blank/x", "cifs"),
        ("/", "ext4"),
    ],
)
def test_file_system_of_a_folder(folder: str, kind: str) -> None:
    mounts = "\n".join(
        (
            "/dev/a / ext4 rw 0 0",
            "host:/home /home/me nfs4 rw 0 0",
            "//h/s /data/with\\040blank cifs rw 0 0",
        )
    )
    assert module._mounted_as(Path(folder), mounts) == kind


def damage(path: Path, start: int) -> None:
    content = bytearray(path.read_bytes())
    content[start:] = b"\x5a" * (len(content) - start)
    path.write_bytes(content)


def test_no_database_is_set_aside_when_opened(
    opened: Callable[[], Database], tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "things.sqlite").write_bytes(b"these are the notes of somebody" * 100)
    database = opened()
    assert database.rows("SELECT * FROM things") == []
    database.close()
    assert (tmp_path / "things.sqlite.damaged").read_bytes().startswith(b"these are the notes")
    (line,) = said
    assert "things.sqlite is damaged (file is not a database): set aside as" in line


def test_damage_met_later_is_mended_and_said(
    opened: Callable[[], Database], tmp_path: Path, said: list[str]
) -> None:
    database = opened()
    database.write((INSERT, [(str(i), bytes(500)) for i in range(200)]))
    database.close()
    damage(tmp_path / "things.sqlite", 4096)
    database = opened()
    with pytest.raises(DamagedDatabase, match="was damaged .* has been made anew: run the same"):
        database.rows("SELECT * FROM things")
    assert len(said) == 1
    database.write((INSERT, [("a", b"1")]))
    assert database.rows("SELECT name FROM things") == [("a",)]
    database.close()


def test_sound_file_is_never_set_aside(opened: Callable[[], Database], tmp_path: Path) -> None:
    """Of two processes that meet the same damage, the second finds a new file and leaves it."""
    database = opened()
    database.write((INSERT, [("a", b"1")]))
    assert set_aside(tmp_path / "things.sqlite") is None
    assert database.rows("SELECT name FROM things") == [("a",)]
    database.close()


def test_full_disk_is_one_line(opened: Callable[[], Database]) -> None:
    database = opened()
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.rows(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(CacheError, match=r"the disk is full at .*: free some space, or .* --cache"):
        database.write((INSERT, [(str(i), bytes(4_000)) for i in range(50)]))
    assert database.rows("SELECT * FROM things") == []
    database.close()


def test_busy_file_is_one_line(
    opened: Callable[[], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().close()
    other = sqlite3.connect(tmp_path / "things.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    with pytest.raises(CacheError, match="another process has kept .*things.sqlite busy for"):
        opened()
    other.close()


def test_a_new_file_that_another_process_writes_is_waited_for(
    opened: Callable[[], Database], tmp_path: Path
) -> None:
    other = sqlite3.connect(
        tmp_path / "things.sqlite", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")  # with no write-ahead log yet
    later = threading.Timer(0.2, other.rollback)
    later.start()
    opened().close()
    later.join()
    other.close()


def test_threads_share_one(opened: Callable[[], Database]) -> None:
    database = opened()

    def work(start: int) -> None:
        for i in range(start, start + 20):
            database.write((INSERT, [(str(i), b"x")]))
            database.rows("SELECT count(*) FROM things")

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.rows("SELECT count(*) FROM things") == [(80,)]
    database.close()
