"""`look`: nothing is computed twice, nothing is lost, and nothing depends on order or threads."""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tellapart.backbones import get_backbone
from tellapart.data import PictureSet, read
from tellapart.features import Look, look, open_cache
from tellapart.progress import Progress
from tellapart.settings import Decoding

Looks = Callable[..., Look]
# the functions of these names hide their modules
LOOK, EMBED = (sys.modules[f"tellapart.features.{name}"] for name in ("look", "embed"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were opened for their bytes."""
    names: list[str] = []
    plain = EMBED.read_bytes

    def counting(source: object, *rest: object) -> bytes:
        names.append(Path(source.file).name)  # type: ignore[attr-defined]
        return plain(source, *rest)

    monkeypatch.setattr(EMBED, "read_bytes", counting)
    return names


def same(a: Look, b: Look) -> None:
    assert a.ids == b.ids
    assert a.facts == b.facts
    np.testing.assert_array_equal(a.usable, b.usable)
    np.testing.assert_array_equal(a.features, b.features)
    assert a.features.dtype == b.features.dtype


def test_first_look_sees_everything(photos: Path, look_at_set: Looks) -> None:
    seen = look_at_set(read(photos))
    assert (seen.decoded, seen.embedded) == (12, 12)
    assert seen.usable.tolist() == list(range(12))
    assert seen.features.shape == (12, 1280)
    assert seen.features.dtype == np.float16
    assert np.isfinite(seen.features).all()
    assert {(one.width, one.height, one.file_format) for one in seen.facts} == {(120, 90, "JPEG")}
    assert all(one.thumbnail == one.master == b"" for one in seen.facts)
    assert seen.engine.name == "openvino"


def test_second_look_opens_no_file(photos: Path, look_at_set: Looks, opened: list[str]) -> None:
    first = look_at_set(read(photos))
    assert len(opened) == 12
    second = look_at_set(read(photos))
    assert len(opened) == 12
    assert (second.decoded, second.embedded) == (0, 0)
    same(first, second)


def test_new_pictures_alone_are_computed(
    photos: Path, look_at_set: Looks, opened: list[str], add_photos: Callable[..., None]
) -> None:
    look_at_set(read(photos))
    opened.clear()
    add_photos(photos, 3, start=12)
    seen = look_at_set(read(photos))
    assert (seen.decoded, seen.embedded, len(seen.usable)) == (3, 3, 15)
    assert sorted(opened) == ["012.jpg", "013.jpg", "014.jpg"]


def test_changed_file_is_looked_at_again(photos: Path, look_at_set: Looks) -> None:
    before = look_at_set(read(photos))
    place = photos / "china" / "000.jpg"
    with Image.open(place) as image:
        image.rotate(180).save(place, quality=91)
    after = look_at_set(read(photos))
    assert (after.decoded, after.embedded) == (1, 1)
    assert after.ids[0] != before.ids[0]
    assert after.ids[1:] == before.ids[1:]


def test_young_files_are_read_again_but_not_decoded(
    photos: Path, cache_folder: Path, opened: list[str]
) -> None:
    for _ in range(2):
        with open_cache(cache_folder) as cache:
            seen = look(
                read(photos), get_backbone("lite0"), "openvino", decoding=Decoding(), cache=cache,
                progress=Progress(),
            )  # fmt: skip
    assert len(opened) == 24
    assert (seen.decoded, seen.embedded) == (0, 0)


def test_rehash_opens_every_file(photos: Path, look_at_set: Looks, opened: list[str]) -> None:
    first = look_at_set(read(photos))
    again = look_at_set(read(photos), rehash=True)
    assert len(opened) == 24
    assert (again.decoded, again.embedded) == (0, 0)
    same(first, again)


def test_order_and_threads_change_nothing(
    photos: Path, look_at_set: Looks, cache_folder: Path
) -> None:
    pictures = read(photos)
    first = look_at_set(pictures, threads=2)
    order = np.random.default_rng(0).permutation(12).tolist()
    for path in (cache_folder / "pictures.sqlite", cache_folder / "features"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = look_at_set(pictures.take(order), threads=1)
    assert again.decoded == 12
    assert again.ids == tuple(first.ids[i] for i in order)
    assert again.facts == tuple(first.facts[i] for i in order)
    np.testing.assert_array_equal(again.features, first.features[order])


def test_exact_copies_are_decoded_once(photos: Path, look_at_set: Looks) -> None:
    for i in range(5):
        shutil.copy(photos / "china" / "000.jpg", photos / "flower" / f"copy{i}.jpg")
    seen = look_at_set(read(photos))
    assert (seen.decoded, seen.embedded, len(seen.usable)) == (12, 12, 17)
    rows = [row for row, one in enumerate(seen.ids) if one == seen.ids[0]]
    assert len(rows) == 6
    assert (seen.features[rows] == seen.features[0]).all()
    assert all(seen.facts[row] == seen.facts[0] for row in rows)


def test_bad_pictures_have_problems_and_are_not_tried_twice(
    photos: Path, look_at_set: Looks, opened: list[str]
) -> None:
    whole = (photos / "china" / "000.jpg").read_bytes()
    (photos / "china" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (photos / "china" / "text.jpg").write_text("this is no picture")
    (photos / "china" / "empty.jpg").touch()
    seen = look_at_set(read(photos))
    kinds = {
        path: one.problem_kind
        for path, one in zip(read(photos).paths, seen.facts, strict=True)
        if one.problem
    }
    assert kinds == {
        "china/cut.jpg": "truncated",
        "china/text.jpg": "not_an_image",
        "china/empty.jpg": "empty_file",
    }
    assert len(seen.usable) == len(seen.features) == 12
    again = look_at_set(read(photos))
    assert len(opened) == 15
    same(seen, again)
    retried = look_at_set(read(photos), rehash=True)
    assert (retried.decoded, retried.embedded) == (3, 0)
    same(seen, retried)


def test_file_that_cannot_be_read_has_a_problem(photos: Path, look_at_set: Looks) -> None:
    pictures = read(photos)
    (photos / "china" / "000.jpg").unlink()
    seen = look_at_set(pictures)
    assert seen.ids[0] == ""
    assert seen.facts[0].problem == "cannot be read: No such file or directory"
    assert seen.usable.tolist() == list(range(1, 12))


def test_oversized_file_is_not_read(photos: Path, look_at_set: Looks) -> None:
    seen = look_at_set(read(photos), decoding=Decoding(max_file_bytes=100))
    assert {(one.id, one.problem_kind) for one in seen.facts} == {("", "too_large")}
    assert all("allowed" in (one.problem or "") for one in seen.facts)
    assert seen.features.shape == (0, 1280)


def test_missing_library_is_asked_for_again(
    photos: Path, look_at_set: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = LOOK.look_at

    def without(data: bytes, *shown: object, **options: object) -> object:
        seen = plain(data, *shown, **options)
        lacking = replace(seen.facts, problem="needs a library", problem_kind="missing_library")
        return replace(seen, pixels=(), facts=lacking)

    pictures = read(photos).take([0, 1])
    monkeypatch.setattr(LOOK, "look_at", without)
    lacking = look_at_set(pictures)
    assert [one.problem for one in lacking.facts] == ["needs a library"] * 2
    assert len(lacking.usable) == 0
    monkeypatch.setattr(LOOK, "look_at", plain)
    assert look_at_set(pictures).usable.tolist() == [0, 1]


def test_facts_are_kept_when_the_backbone_changes(
    photos: Path, look_at_set: Looks, cache_folder: Path
) -> None:
    first = look_at_set(read(photos))
    backbone = get_backbone("lite0")
    other = replace(backbone, transform=replace(backbone.transform, crop_share=1.0))
    with open_cache(cache_folder) as cache:
        seen = look(
            read(photos), other, "openvino", decoding=Decoding(), cache=cache, progress=Progress()
        )
    assert (seen.decoded, seen.embedded) == (12, 12)
    assert seen.facts == first.facts
    assert not np.array_equal(seen.features, first.features)
    assert look_at_set(read(photos)).decoded == 0


def test_pixels_without_facts_are_the_same(
    photos: Path, look_at_set: Looks, cache_folder: Path
) -> None:
    first = look_at_set(read(photos))
    shutil.rmtree(cache_folder / "features")
    second = look_at_set(read(photos))
    assert (second.decoded, second.embedded) == (12, 12)
    same(first, second)
    (cache_folder / "pictures.sqlite").unlink()
    third = look_at_set(read(photos))
    assert (third.decoded, third.embedded) == (12, 0)
    same(first, third)


def test_smaller_limit_makes_a_problem_of_a_known_picture(photos: Path, look_at_set: Looks) -> None:
    look_at_set(read(photos))
    seen = look_at_set(read(photos), decoding=Decoding(max_pixels=100))
    assert len(seen.usable) == 0
    assert {one.problem_kind for one in seen.facts} == {"too_large"}


def test_thumbnails_and_masters_come_when_asked(photos: Path, cache_folder: Path) -> None:
    with open_cache(cache_folder) as cache:
        seen = look(
            read(photos), get_backbone("lite0"), "openvino", decoding=Decoding(), cache=cache,
            progress=Progress(),
        )  # fmt: skip
        thumbnails, masters = seen.thumbnails(seen.ids[:3]), seen.masters(seen.ids[:2])
    assert set(thumbnails) == set(seen.ids[:3])
    assert max(Image.open(io.BytesIO(thumbnails[seen.ids[0]])).size) in range(90, 121)
    assert {len(one) for one in masters.values()} == {128 * 128}


def parquet_set(photos: Path, place: Path) -> PictureSet:
    files = sorted(photos.glob("*/*.jpg"))
    table = pl.DataFrame(
        {
            "image": [{"bytes": one.read_bytes(), "path": one.name} for one in files],
            "label": [one.parent.name for one in files],
        }
    )
    place.mkdir()
    table.write_parquet(place / "train.parquet")
    return read(place)


def test_rows_of_a_table_are_pictures_like_files(
    photos: Path, tmp_path: Path, look_at_set: Looks
) -> None:
    from_table = look_at_set(parquet_set(photos, tmp_path / "table"))
    assert (from_table.decoded, from_table.embedded) == (12, 12)
    from_files = look_at_set(read(photos))
    assert (from_files.decoded, from_files.embedded) == (0, 0)
    assert sorted(from_files.ids) == sorted(from_table.ids)
    vectors = dict(zip(from_table.ids, from_table.features, strict=True))
    for identity, vector in zip(from_files.ids, from_files.features, strict=True):
        np.testing.assert_array_equal(vector, vectors[identity])
    again = look_at_set(read(tmp_path / "table"))
    assert (again.decoded, again.embedded) == (0, 0)
    same(from_table, again)


def test_interrupt_keeps_what_was_done(
    photos: Path, look_at_set: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(Progress):
        def stage(self, *_: object, **__: object):  # type: ignore[no-untyped-def, override]
            return Stopping()

    class Stopping:
        done = 0

        def __enter__(self):  # type: ignore[no-untyped-def]
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def advance(self, count: int = 1) -> None:
            self.done += count
            if self.done == 8:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_at_set(read(photos), progress=Interrupting(), threads=1)
    assert look_at_set(read(photos)).decoded == 4


def test_error_in_a_thread_reaches_the_caller(
    photos: Path, look_at_set: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(LOOK, "look_at", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        look_at_set(read(photos))


def test_damaged_cache_is_mended_on_the_way(
    photos: Path, look_at_set: Looks, cache_folder: Path
) -> None:
    """Damage that SQLite meets in the middle: what it held is computed again."""
    first = look_at_set(read(photos))
    (store,) = (cache_folder / "features").glob("*.sqlite")
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(store.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)  # all but the page with the tables' names
    store.write_bytes(content)
    again = look_at_set(read(photos))
    assert (again.decoded, again.embedded) == (12, 12)
    same(first, again)
    assert [one.name for one in store.parent.glob("*.damaged")] == [f"{store.name}.damaged"]


SCRIPT = """
import sys
from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import look, open_cache
from tellapart.features import store
from tellapart.progress import Progress
from tellapart.settings import Decoding
store.SETTLED_NS = -10**18
with open_cache(sys.argv[2]) as cache:
    seen = look(read(sys.argv[1]), get_backbone("lite0"), "openvino", decoding=Decoding(),
                cache=cache, progress=Progress(), threads=1)
print(seen.decoded, seen.embedded, len(seen.usable))
"""


def start_look(photos: Path, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(photos), str(cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kept_facts(cache: Path) -> int:
    if not (cache / "pictures.sqlite").exists():
        return 0
    connection = sqlite3.connect(cache / "pictures.sqlite", timeout=10)
    try:
        (count,) = connection.execute("SELECT count(*) FROM facts").fetchone()
    except sqlite3.OperationalError:  # the tables are being made
        return 0
    finally:
        connection.close()
    return int(count)


def test_kill_loses_a_batch_at_most(
    tmp_path: Path, cache_folder: Path, look_at_set: Looks, add_photos: Callable[..., None]
) -> None:
    add_photos(tmp_path / "photos", 200)
    process = start_look(tmp_path / "photos", cache_folder)
    while process.poll() is None and kept_facts(cache_folder) < LOOK.WRITE_AT:
        time.sleep(0.01)
    process.kill()  # SIGKILL where there is one
    process.communicate()
    kept = kept_facts(cache_folder)
    assert LOOK.WRITE_AT <= kept < 200
    assert kept % LOOK.WRITE_AT == 0
    seen = look_at_set(read(tmp_path / "photos"))
    assert seen.decoded == 200 - kept
    assert len(seen.usable) == 200


def test_two_processes_share_a_cache(
    tmp_path: Path, cache_folder: Path, look_at_set: Looks, add_photos: Callable[..., None]
) -> None:
    add_photos(tmp_path / "photos", 100)
    both = [start_look(tmp_path / "photos", cache_folder) for _ in range(2)]
    for process in both:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert out.split()[-1] == "100"
    assert look_at_set(read(tmp_path / "photos")).decoded == 0
