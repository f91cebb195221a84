"""The cache folder: what it keeps, where it cannot, and how it is emptied."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tellapart.errors import CacheError
from tellapart.features import as_stored, cache_size, clear_cache, open_cache
from tellapart.features import store as module
from tellapart.images import Facts
from tellapart.progress import Progress

A, B = "0" * 32, "1" * 32


class Said(Progress):
    def __init__(self) -> None:
        super().__init__("plain")
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_default_place_is_the_variable(own_cache: Path) -> None:
    with open_cache(None) as cache:
        assert cache.folder == own_cache


def test_facts_come_back_as_they_went(tmp_path: Path) -> None:
    facts = Facts(
        id=A, file_bytes=10, width=3, height=2, file_format="JPEG", mode="RGB", bands=3,
        brightness=1.1, master=b"m" * 16_384, thumbnail=b"t", note="first frame",
    )  # fmt: skip
    bad = Facts(id=B, file_bytes=4, problem="it ends too early", problem_kind="truncated")
    with open_cache(tmp_path) as cache:
        cache.save_facts([facts, bad], "these")
    with open_cache(tmp_path) as cache:
        found = cache.load_facts([A, B], "these")
        assert found[A].brightness == 1.1
        assert (found[A].master, found[A].thumbnail) == (b"", b"")
        assert found[B] == bad
        assert cache.load_images("master", [A, B], "these") == {A: b"m" * 16_384}
        assert cache.load_images("thumbnail", [A], "these") == {A: b"t"}
        assert cache.load_facts([A], "others") == {}
        assert cache.ids_with_facts("these") == {A, B}
        assert cache.ids_with_problems("these") == {B}


def test_vectors_of_two_types_become_one(tmp_path: Path) -> None:
    small, large = np.array([1.5, 2.0], np.float32), np.array([1e6, 1.0], np.float32)
    with open_cache(tmp_path) as cache:
        cache.save_vectors("k", {A: as_stored(small)})
        assert cache.load_vectors("k", [A, A], 2).dtype == np.float16
        cache.save_vectors("k", {B: as_stored(large)})
        found = cache.load_vectors("k", [A, B, A], 2)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, [small, large, small])
        with pytest.raises(CacheError, match="1 vectors have gone from the cache"):
            cache.load_vectors("k", [A, "2" * 32], 2)
        assert cache.load_vectors("k", [], 2).shape == (0, 2)


def test_ids_hold_while_the_file_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_NS", 0)
    name = os.fsdecode(b"\xff.jpg")  # no UTF-8
    state = (10, 1_000, 1_000)
    with open_cache(tmp_path) as cache:
        cache.save_files([(name, state, A)])
        assert cache.known_ids({name: state, "other": state}) == {name: A}
        for changed in ((11, 1_000, 1_000), (10, 1_001, 1_000), (10, 1_000, 1_001)):
            assert cache.known_ids({name: changed}) == {}


def test_young_files_are_not_trusted(tmp_path: Path) -> None:
    picture = tmp_path / "new.jpg"
    picture.write_bytes(b"x")
    state = module.file_state(str(picture))
    assert state is not None
    with open_cache(tmp_path / "cache") as cache:
        cache.save_files([(str(picture), state, A)])
        assert cache.known_ids({str(picture): state}) == {}


def test_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    said = Said()
    with open_cache(tmp_path / "file", said) as cache:
        cache.save_facts([Facts(id=A)], "these")
        assert cache.ids_with_facts("these") == {A}
        folder = cache.folder
    assert not folder.exists()
    (line,) = said.lines
    assert line.startswith(f"no cache: {tmp_path / 'file'} cannot be written")


def test_read_only_database_is_said(tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("nothing is read-only for this user")
    with open_cache(tmp_path / "cache"):
        pass
    (tmp_path / "cache" / "pictures.sqlite").chmod(0o400)
    said = Said()
    with open_cache(tmp_path / "cache", said) as cache:
        assert cache.folder != tmp_path / "cache"
    assert "cannot be written" in said.lines[0]


def test_folder_is_made_once_and_whole(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "a").write_text("a")

    def fails(folder: Path) -> None:
        (folder / "a").write_text("half")
        raise RuntimeError

    with open_cache(tmp_path) as cache:
        with pytest.raises(RuntimeError):
            cache.kept_folder("networks", "k", fails)
        assert not (tmp_path / "networks" / "k").exists()
        for _ in range(2):
            assert (cache.kept_folder("networks", "k", make) / "a").read_text() == "a"
    assert len(made) == 1
    assert not list(tmp_path.glob("making-*"))


def test_full_disk_names_the_cache_option(tmp_path: Path) -> None:
    def make(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with (
        open_cache(tmp_path) as cache,
        pytest.raises(
            CacheError, match="cannot write the cache at .*No space left on device; .* --cache"
        ),
    ):
        cache.kept_folder("networks", "k", make)


def test_fits_come_back_and_damaged_ones_do_not(tmp_path: Path) -> None:
    arrays = {"weights": np.eye(3, dtype=np.float32)}
    with open_cache(tmp_path) as cache:
        assert cache.load_arrays("k") is None
        cache.save_arrays("k", arrays, {"c": 0.1})
        found = cache.load_arrays("k")
        assert found is not None
        np.testing.assert_array_equal(found[0]["weights"], arrays["weights"])
        assert found[1] == {"c": 0.1}
        kept = tmp_path / "fits" / "k" / "arrays.safetensors"
        kept.write_bytes(kept.read_bytes()[:-4])
        assert cache.load_arrays("k") is None
        cache.save_arrays("k", arrays, {"c": 0.1})
        (tmp_path / "fits" / "k" / "record.json").write_text("{")
        assert cache.load_arrays("k") is None


def test_clearing_takes_what_is_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with open_cache(tmp_path) as cache:
        cache.save_arrays("k", {"a": np.zeros(1000)}, {})
        cache.save_vectors("v", {A: np.zeros(3, np.float16)})
    assert cache_size(tmp_path) > 8_000
    freed = clear_cache(tmp_path)
    assert freed > 8_000
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]
    assert cache_size(tmp_path) == cache_size(tmp_path / "nowhere") == 0
