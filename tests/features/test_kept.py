"""Vectors through the store: those of `look`, and each computed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tellapart.backbones import get_backbone
from tellapart.data import FileSource, MemorySource, read
from tellapart.engines import Engine, open_engine
from tellapart.features import Look, embed_kept, open_cache
from tellapart.features.parts import Part
from tellapart.settings import Decoding


class _Counting:
    """An engine that counts the pictures it embeds."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.embedded = engine, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def embed(self, pixels: Any) -> Any:
        self.embedded += len(pixels)
        return self._engine.embed(pixels)


@pytest.fixture
def once(tmp_path: Path) -> Callable[..., Any]:
    """A function sources -> (vectors, pictures embedded), over one cache of its own."""
    lite0 = get_backbone("lite0")

    def call(sources: Any) -> Any:
        with open_cache(tmp_path / "own") as cache:
            engine = _Counting(open_engine(lite0, "openvino", cache))
            found = embed_kept(sources, (Part(lite0),), {lite0: engine}, Decoding(), cache)
        return found, engine.embedded

    return call


def test_they_are_those_of_look(
    photos: Path, look_at_set: Callable[..., Look], once: Callable[..., Any]
) -> None:
    pictures = read(photos)
    seen = look_at_set(pictures, threads=2)
    found, _ = once(pictures.sources)
    assert found.ids == seen.ids
    assert found.problems == {}
    np.testing.assert_array_equal(found.features, seen.features.astype(np.float32))


def test_each_is_computed_once(photos: Path, once: Callable[..., Any]) -> None:
    sources = list(read(photos).sources)
    contents = [MemorySource(Path(one.file).read_bytes()) for one in sources]
    first, computed = once([*sources[:4], *contents[:4], contents[0]])
    assert computed <= 8  # files and their bytes are met before their ids are known
    again, computed = once(contents)
    assert computed == len(sources) - 4
    np.testing.assert_array_equal(again.features[:4], first.features[:4])
    assert once(contents)[1] == 0


def test_a_changed_file_is_seen(photos: Path, tmp_path: Path, once: Callable[..., Any]) -> None:
    files = [Path(one.file) for one in read(photos).sources]
    place = tmp_path / "one.jpg"
    for file in (files[0], files[-1]):
        place.write_bytes(file.read_bytes())
        found, _ = once([FileSource(str(place)), MemorySource(file.read_bytes())])
        np.testing.assert_array_equal(found.features[0], found.features[1])


def test_problems_stand_in_their_row(
    photos: Path, tmp_path: Path, once: Callable[..., Any]
) -> None:
    good = read(photos).sources[0]
    sources = [FileSource(str(tmp_path / "none.jpg")), good, MemorySource(b"text"), good]
    found, _ = once([*sources, MemorySource(b"text")])
    assert list(found.problems) == [0, 2, 4]
    assert "No such file" in found.problems[0]
    assert np.isnan(found.features[[0, 2, 4]]).all()
    np.testing.assert_array_equal(found.features[1], found.features[3])


def test_a_damaged_store_is_made_anew(
    photos: Path, once: Callable[..., Any], tmp_path: Path
) -> None:
    sources = read(photos).sources[:2]
    expected, _ = once(sources)
    (store,) = (tmp_path / "own" / "features").glob("*.sqlite")
    store.write_bytes(b"no database at all" * 100)
    found, computed = once(sources)
    assert computed == 2
    np.testing.assert_array_equal(found.features, expected.features)
