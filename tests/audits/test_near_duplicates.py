"""Copies planted in real pictures are found whatever was done to them, and nothing else is."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from tellapart.audits import alignment, candidates, near_duplicates
from tellapart.audits.near_duplicates import NearDuplicates, find_near_duplicates

Turn = Image.Transpose
UPRIGHT: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": lambda one: _encoded(one, 40),
    "half size": lambda one: one.resize((one.width // 2, one.height // 2)),
    "cropped": lambda one: one.crop((0, 0, round(one.width * 0.85), round(one.height * 0.85))),
    "darker": lambda one: ImageEnhance.Brightness(one).enhance(0.6),
    "box": lambda one: _boxed(one),
    "framed": lambda one: ImageOps.expand(one, min(one.size) // 10, "white"),
}
TURNED: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "turned 90": (lambda one: one.transpose(Turn.ROTATE_90), 1),
    "turned 180": (lambda one: one.transpose(Turn.ROTATE_180), 2),
    "mirrored": (lambda one: one.transpose(Turn.FLIP_LEFT_RIGHT), 4),
    "mirrored upside down": (lambda one: one.transpose(Turn.FLIP_TOP_BOTTOM), 6),
    "mirrored and darker": (lambda one: ImageOps.mirror(UPRIGHT["darker"](one)), 4),
}


def _encoded(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def _boxed(picture: Image.Image) -> Image.Image:
    changed = picture.copy()
    side = min(picture.size) // 6
    ImageDraw.Draw(changed).rectangle((side, side, 2 * side, 2 * side), fill="red")
    return changed


def _master(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L").resize((128, 128), Image.Resampling.BOX))


def _features(masters: np.ndarray) -> np.ndarray:
    """Stands in for a backbone's features: candidates need only be near, not nearest."""
    return masters.reshape(-1, 8, 16, 8, 16).mean((2, 4)).reshape(len(masters), 64)


def _find(masters: np.ndarray, ids: list[str] | None = None, **options) -> NearDuplicates:
    ids = ids or [f"{row:04d}" for row in range(len(masters))]
    return find_near_duplicates(masters, _features(masters), ids, **options)


@pytest.fixture(scope="module")
def real() -> list[Image.Image]:
    """60 real pictures of four kinds, none a copy of another."""
    import os

    named = os.environ.get("TELLAPART_TEST_DATA")
    if not named:
        pytest.skip("TELLAPART_TEST_DATA is not set: this test needs the real picture sets")
    files: list[Path] = []
    for name in ("ants_bees", "cats_dogs", "land_cover", "pets"):
        files += sorted((Path(named) / name).rglob("*.jpg"))[3::20][:15]
    return [Image.open(file).convert("RGB") for file in files]


@pytest.fixture(scope="module")
def masters(real) -> np.ndarray:
    return np.stack([_master(picture) for picture in real])


@pytest.fixture(scope="module")
def planted(real) -> tuple[np.ndarray, dict[int, tuple[int, str]]]:
    """Masters with a copy of every fifth picture in turn; copy -> its picture, what was done."""
    ways = {**UPRIGHT, **{name: way for name, (way, _) in TURNED.items()}}
    sources = range(0, len(real), 5)
    chosen = [list(ways)[place % len(ways)] for place in range(len(sources))]
    copies = [ways[name](real[at]) for at, name in zip(sources, chosen, strict=True)]
    everything = np.stack([_master(one) for one in [*real, *copies]])
    rows = range(len(real), len(everything))
    return everything, dict(zip(rows, zip(sources, chosen, strict=True), strict=True))


def test_planted_copies_are_found_and_none_is_invented(planted):
    everything, copies = planted
    found = _find(everything)
    assert sorted(map(tuple, found.pairs.tolist())) == sorted(
        (source, copy) for copy, (source, _) in copies.items()
    )
    assert set(found.kinds) == {"copy"}
    assert found.scores.min() >= near_duplicates.COPY_SCORE
    assert found.scores.max() <= 1.0001
    turns = {copy: turn for (_, copy), turn in zip(found.pairs, found.turns, strict=True)}
    wanted = {copy: TURNED.get(name, (None, 0))[1] for copy, (_, name) in copies.items()}
    assert turns == wanted


@pytest.mark.parametrize("name", [*UPRIGHT, *TURNED])
def test_every_alteration_of_a_picture_is_the_same_picture(real, name):
    way = UPRIGHT[name] if name in UPRIGHT else TURNED[name][0]
    found = _find(np.stack([_master(one) for one in (real[0], way(real[0]), real[20])]))
    assert found.pairs.tolist() == [[0, 1]]
    assert found.turns.tolist() == [TURNED.get(name, (None, 0))[1]]


def test_the_order_of_files_and_the_number_of_threads_change_nothing(planted):
    everything, _ = planted
    ids = [f"{row * 7919 % 104729:06d}" for row in range(len(everything))]
    first = _find(everything, ids, threads=1)
    order = np.random.default_rng(5).permutation(len(everything))
    second = _find(everything[order], [ids[row] for row in order], threads=3)
    assert _by_id(first, ids) == _by_id(second, [ids[row] for row in order])


def _by_id(found: NearDuplicates, ids: list[str]) -> dict:
    columns = zip(found.pairs.tolist(), found.scores.tolist(), found.turns.tolist(), strict=True)
    return {frozenset((ids[a], ids[b])): (score, turn) for (a, b), score, turn in columns}


def test_without_mirror_a_mirrored_copy_is_another_picture_but_a_turned_one_is_not(real):
    one = real[0]
    changed = [one, ImageOps.mirror(one), one.transpose(Turn.ROTATE_180)]
    both = _find(np.stack([_master(picture) for picture in changed]))
    upright = _find(np.stack([_master(picture) for picture in changed]), mirror=False)
    assert both.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert upright.pairs.tolist() == [[0, 2]]


def test_pictures_that_are_copies_of_one_are_checked_against_each_other(real, masters):
    """Ten copies: each has five nearest, so that the candidates alone leave pairs unchecked."""
    copies = [_master(_encoded(real[0], quality)) for quality in range(30, 80, 5)]
    found = _find(np.stack([*masters[:20], *copies]))
    of_one = [0, *range(20, 30)]
    everything = {(a, b) for a in of_one for b in of_one if a < b}
    assert set(map(tuple, found.pairs.tolist())) == everything


@pytest.fixture
def checked(monkeypatch) -> list[tuple[int, int]]:
    """The pairs that were laid over each other, as they come."""
    pairs: list[tuple[int, int]] = []
    lay = near_duplicates._lay

    def counting(pictures, batch, turns):
        pairs.extend(map(tuple, batch.tolist()))
        return lay(pictures, batch, turns)

    monkeypatch.setattr(near_duplicates, "_lay", counting)
    return pairs


def test_a_crowd_of_copies_is_not_checked_pair_by_pair(masters, checked, monkeypatch):
    monkeypatch.setattr(near_duplicates, "MOST_PARTNERS", 3)
    noise = np.random.default_rng(1)
    crowd = np.stack([masters[0]] * 40).astype(int) + noise.integers(-2, 3, (40, 128, 128))
    found = _find(np.clip(crowd, 0, 255).astype(np.uint8))
    assert 40 <= len(checked) < 40 * 39 / 2
    assert {row for pair in found.pairs.tolist() for row in pair} == set(range(40))


def test_a_plain_border_is_taken_off_and_a_plain_picture_left_alone(real):
    from tellapart.audits.margins import trimmed

    framed = ImageOps.expand(real[0], min(real[0].size) // 8, "black")
    plain, dark_third = np.full((128, 128), 200, np.uint8), _master(real[0]).copy()
    dark_third[:43] = 7
    got = trimmed(np.stack([_master(framed), plain, dark_third]))
    assert np.corrcoef(got[0].ravel(), _master(real[0]).ravel())[0, 1] > 0.97
    assert np.array_equal(got[1], plain)
    assert np.array_equal(got[2], dark_third)  # a third of the picture is no border


def test_pictures_without_texture_are_never_copies():
    shades = np.repeat(np.arange(20, 220, 20, dtype=np.uint8), 128 * 128).reshape(-1, 128, 128)
    assert len(_find(shades).pairs) == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_pictures(masters, checked, count):
    found = _find(masters[:count])
    assert found.pairs.shape == (0, 2)
    assert found.kinds == ()
    assert len(checked) == (1 if count == 2 else 0)


@pytest.mark.parametrize(
    "gate", ["LEAST_START", "LEAST_AT_32", "LEAST_AT_64", "COPY_SCORE", "LEAST_BLOCKS"]
)
def test_each_step_may_turn_down_every_pair(planted, monkeypatch, gate):
    everything, copies = planted
    module = alignment if gate == "LEAST_BLOCKS" else near_duplicates
    monkeypatch.setattr(module, gate, 65)
    found = _find(everything)
    assert "copy" not in found.kinds
    assert len(found.pairs) == (len(copies) if gate == "COPY_SCORE" else 0)


def test_chunks_of_the_search_do_not_change_the_candidates(masters, checked, monkeypatch):
    _find(masters)
    whole = sorted(checked)
    checked.clear()
    monkeypatch.setattr(candidates, "QUERIES", 7)
    monkeypatch.setattr(candidates, "AGAINST", 11)
    _find(masters)
    assert sorted(checked) == whole


def test_columns_that_do_not_match_and_exact_copies_are_refused(masters):
    with pytest.raises(ValueError, match="do not match"):
        find_near_duplicates(masters, _features(masters)[1:], ["a"] * len(masters))
    with pytest.raises(ValueError, match="ids repeat"):
        _find(masters, ["a"] * len(masters))
