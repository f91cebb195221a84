"""The cache: what is known of files, facts, features, networks and fits (DESIGN section 3)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import CacheError, OutputError
from tellapart.features.database import Database, UnwritableCache
from tellapart.images.facts import Facts
from tellapart.places import default_cache_folder, write_bytes, writing
from tellapart.progress import Progress

SETTLED_NS = 2_000_000_000  # a younger file may change again within its times' resolution

PICTURES = (
    "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER,"
    " ctime_ns INTEGER, id TEXT)",
    "CREATE TABLE IF NOT EXISTS facts (id TEXT, options TEXT, usable INTEGER, facts TEXT,"
    " PRIMARY KEY (id, options))",
    # 20 kB a picture, in a table of their own: the facts stay small and quick to read
    "CREATE TABLE IF NOT EXISTS images (id TEXT, options TEXT, thumbnail BLOB, master BLOB,"
    " PRIMARY KEY (id, options))",
)
VECTORS = ("CREATE TABLE IF NOT EXISTS vectors (id TEXT PRIMARY KEY, vector BLOB)",)
MAKING = "making-"  # of folders that are not whole yet
FOLDERS = ("backbones", "features", "networks", "fits", "scripts")

KEPT = [one.name for one in fields(Facts) if one.name not in ("id", "thumbnail", "master")]

FileState = tuple[int, int, int]  # size, mtime_ns, ctime_ns


class Cache:
    """An open cache folder; use `open_cache`. One process may share it between threads."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder, self._progress = folder, progress
        for part in FOLDERS:
            (folder / part).mkdir(parents=True, exist_ok=True)
        self.pictures = Database(folder / "pictures.sqlite", PICTURES, progress.say)
        self._vectors: dict[str, Database] = {}

    def close(self) -> None:
        """Close every file."""
        for database in (self.pictures, *self._vectors.values()):
            database.close()

    # -- files: path and times -> id

    def known_ids(self, states: Mapping[str, FileState]) -> dict[str, str]:
        """Return path -> id for those files whose state is what it was when the id was taken."""
        wanted = {os.fsencode(path): (path, state) for path, state in states.items()}
        question = "SELECT path, size, mtime_ns, ctime_ns, id FROM files WHERE path IN (?)"
        found = {}
        for key, size, mtime, ctime, id_ in self.pictures.rows_for(question, list(wanted)):
            path, state = wanted[key]
            if state == (size, mtime, ctime):
                found[path] = id_
        return found

    def save_files(self, rows: Iterable[tuple[str, FileState, str]]) -> None:
        """Keep the ids of files, but for those too young to be trusted."""
        now = time.time_ns()
        settled = [
            (os.fsencode(path), *state, id_)
            for path, state, id_ in rows
            if now - max(state[1], state[2]) > SETTLED_NS
        ]
        self.pictures.write(("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", settled))

    # -- facts: id and decoding options -> facts, thumbnail, master

    def ids_with_facts(self, options: str) -> set[str]:
        """Return the ids whose facts are known."""
        found = self.pictures.rows("SELECT id FROM facts WHERE options = ?", [options])
        return {id_ for (id_,) in found}

    def ids_with_problems(self, options: str) -> set[str]:
        """Return the ids of pictures that are known to be of no use."""
        question = "SELECT id FROM facts WHERE options = ? AND NOT usable"
        return {id_ for (id_,) in self.pictures.rows(question, [options])}

    def load_facts(self, ids: Sequence[str], options: str) -> dict[str, Facts]:
        """Return id -> facts, without thumbnail and master."""
        question = "SELECT id, facts FROM facts WHERE options = ? AND id IN (?)"
        found = self.pictures.rows_for(question, ids, options)
        return {id_: Facts(id=id_, **json.loads(text)) for id_, text in found}

    def save_facts(self, facts: Sequence[Facts], options: str) -> None:
        """Keep facts with their thumbnails and masters."""
        self.pictures.write(
            (
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)",
                [(one.id, options, one.problem is None, _facts_text(one)) for one in facts],
            ),
            (
                "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)",
                [(one.id, options, one.thumbnail, one.master) for one in facts if one.thumbnail],
            ),
        )

    def load_images(self, column: str, ids: Sequence[str], options: str) -> dict[str, bytes]:
        """Return id -> bytes of the column "thumbnail" or "master", for the ids that have one."""
        if column not in ("thumbnail", "master"):
            raise ValueError(column)
        question = f"SELECT id, {column} FROM images WHERE options = ? AND id IN (?)"
        return dict(self.pictures.rows_for(question, list(dict.fromkeys(ids)), options))

    # -- features: id -> vector, one file a key

    def ids_with_vectors(self, key: str) -> set[str]:
        """Return the ids whose vectors are known."""
        return {id_ for (id_,) in self._features(key).rows("SELECT id FROM vectors")}

    def save_vectors(self, key: str, vectors: Mapping[str, NDArray[Any]]) -> None:
        """Keep vectors, float16 or float32 [d]."""
        self._features(key).write(
            (
                "INSERT OR REPLACE INTO vectors VALUES (?, ?)",
                [(id_, vector.tobytes()) for id_, vector in vectors.items()],
            )
        )

    def load_vectors(self, key: str, ids: Sequence[str], d: int) -> NDArray[Any]:
        """Return vectors [len(ids), d], float16 where every one of them is, else float32.

        Raises CacheError where one is not there (another process has emptied the cache).
        """
        places: dict[str, list[int]] = {}
        for row, id_ in enumerate(ids):
            places.setdefault(id_, []).append(row)
        out: NDArray[Any] = np.empty((len(ids), d), np.float16)
        question = "SELECT id, vector FROM vectors WHERE id IN (?)"
        for id_, blob in self._features(key).rows_for(question, list(places)):
            kind = np.float16 if len(blob) == 2 * d else np.float32
            if kind is np.float32 and out.dtype == np.float16:
                out = out.astype(np.float32)
            out[places.pop(id_)] = np.frombuffer(blob, kind)
        if places:
            raise CacheError(
                f"{len(places):,} vectors have gone from the cache {self.folder} meanwhile:"
                " run the same command again"
            )
        return out

    def _features(self, key: str) -> Database:
        if key not in self._vectors:
            place = self.folder / "features" / f"{key}.sqlite"
            self._vectors[key] = Database(place, VECTORS, self._progress.say)
        return self._vectors[key]

    # -- networks, fits, scripts: folders

    def kept_folder(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        """Return the folder <kind>/<key>, made whole by `make` (given an empty folder) the first
        time; where two processes make it at once, the first one stays.
        """
        place = self.folder / kind / key
        if place.is_dir():
            return place
        with (
            _keeping(place),
            tempfile.TemporaryDirectory(
                prefix=MAKING, dir=self.folder, ignore_cleanup_errors=True
            ) as spare,
        ):
            made = Path(spare) / key
            made.mkdir()
            make(made)
            try:
                made.rename(place)
            except OSError:
                if not place.is_dir():
                    raise
        return place

    def scripts_folder(self) -> Path:
        """Return where the report's scripts are kept."""
        return self.folder / "scripts"

    def load_arrays(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Return the arrays and the record of a kept fit; None where there is none, or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        place = self.folder / "fits" / key
        try:
            arrays = load((place / "arrays.safetensors").read_bytes())
            return arrays, json.loads((place / "record.json").read_text(encoding="utf-8"))
        except (OSError, SafetensorError, ValueError):
            return None

    def save_arrays(
        self, key: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
    ) -> None:
        """Keep a fit: its arrays, and last its record, so that a kill leaves no half of it."""
        from safetensors.numpy import save

        place = self.folder / "fits" / key
        with _keeping(place):
            place.mkdir(parents=True, exist_ok=True)
            write_bytes(place / "arrays.safetensors", save(dict(arrays)))
            write_bytes(place / "record.json", json.dumps(meta, allow_nan=False).encode())


@contextlib.contextmanager
def open_cache(folder: str | Path | None, progress: Progress | None = None) -> Iterator[Cache]:
    """Open the cache at `folder` (None: TELLAPART_CACHE or the user's); where it cannot be written,
    say so and keep things in a temporary folder instead, for as long as the block runs.
    """
    progress = progress or Progress()
    place = Path(folder) if folder is not None else default_cache_folder()
    try:
        cache = Cache(place, progress)
    except (OSError, UnwritableCache) as problem:
        progress.say(f"no cache: {place} cannot be written ({problem}); nothing is kept this time")
        with tempfile.TemporaryDirectory(prefix="tellapart-", ignore_cleanup_errors=True) as spare:
            yield from _closing(Cache(Path(spare), progress))
        return
    yield from _closing(cache)


def _closing(cache: Cache) -> Iterator[Cache]:
    try:
        yield cache
    finally:
        cache.close()


def cache_size(folder: str | Path | None = None) -> int:
    """Return the bytes that the cache takes."""
    files = (one for part in _parts(folder) for one in (part, *part.rglob("*")) if one.is_file())
    return sum(one.stat().st_size for one in files)


def clear_cache(folder: str | Path | None = None) -> int:
    """Empty the cache, and nothing else that stands in its folder; return the bytes freed."""
    before = cache_size(folder)
    for part in _parts(folder):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
    return before - cache_size(folder)


def _parts(folder: str | Path | None) -> list[Path]:
    """Return what is ours in a cache folder."""
    place = Path(folder) if folder is not None else default_cache_folder()
    ours = (*FOLDERS, f"{MAKING}*", "pictures.sqlite*", "repair.lock")
    return [one for name in ours for one in place.glob(name)]


@contextlib.contextmanager
def _keeping(place: Path) -> Iterator[None]:
    """Turn a full disk and its like into a line that names --cache."""
    try:
        with writing(place):
            yield
    except OutputError as problem:
        raise CacheError(
            f"cannot write the cache at {place}: {_system_words(problem)}; free some space, or"
            " give another place with --cache"
        ) from problem


def _system_words(problem: OutputError) -> str:
    cause = problem.__cause__
    return cause.strerror or str(cause) if isinstance(cause, OSError) else str(problem)


def file_state(file: str) -> FileState | None:
    """Return what tells that a file has changed, None where there is no such file."""
    try:
        found = os.stat(file)  # noqa: PTH116  (a Path a picture costs)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _facts_text(facts: Facts) -> str:
    return json.dumps({name: getattr(facts, name) for name in KEPT}, separators=(",", ":"))
