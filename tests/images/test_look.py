"""One decode for the network and the facts; a bad picture is a fact too."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tellapart.images import look as module
from tellapart.images.look import look_at, picture_id, reference_image
from tellapart.images.transforms import Transform, apply
from tellapart.images.views import Shown
from tellapart.settings import Decoding

PLAIN = Decoding()
SMALL = Transform(96, "squash", 1.0, "bilinear", (0, 0, 0), (1, 1, 1))
LITE1 = Transform(240, "crop", 0.875, "bicubic", (127.5,) * 3, (127.5,) * 3)
NEARLY = Transform(224, "crop", 0.875, "bilinear", (127.5,) * 3, (127.5,) * 3)
SIZES = [(500, 375), (375, 500), (800, 601), (257, 300), (256, 256), (120, 90), (32, 32)]
LONG = [(1700, 200), (40, 900), (260, 1101), (3, 1000)]


@pytest.mark.parametrize("size", SIZES + LONG)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("transform", [None, LITE1, SMALL, NEARLY], ids=lambda t: str(t)[:40])
def test_pixels_do_not_depend_on_facts(make, size, file_format, transform):
    """predict looks without facts, run with them: they must see the same picture."""
    transform = transform or make.lite0
    data = make.encoded(make.photo(*size), file_format)
    seen = look_at(data, [Shown(transform)], decoding=PLAIN)
    bare = look_at(data, [Shown(transform)], decoding=PLAIN, facts=False)
    assert seen.pixels[0].shape == (transform.size, transform.size, 3)
    assert np.array_equal(seen.pixels[0], bare.pixels[0])
    assert bare.facts.id == seen.facts.id
    assert bare.facts.file_bytes == len(data)
    assert (bare.facts.master, bare.facts.thumbnail, bare.facts.width) == (b"", b"", 0)
    assert (seen.facts.width, seen.facts.height) == size


def test_pixels_are_the_transforms(make):
    photo = make.photo(400, 330)
    seen = look_at(make.encoded(photo, "PNG"), [Shown(make.lite0)], decoding=PLAIN)
    assert np.array_equal(seen.pixels[0], apply(make.lite0, photo))


def test_reference(make):
    assert reference_image(make.photo(500, 375)).size == (341, 256)
    assert reference_image(make.photo(375, 500)).size == (256, 341)
    assert reference_image(make.photo(100, 80)).size == (100, 80)
    assert reference_image(make.photo(3000, 300)).size == (1020, 102)
    assert max(reference_image(make.photo(9000, 2)).size) <= 9000


def test_facts_do_not_depend_on_the_networks_size(make):
    data = make.encoded(make.photo(900, 700), "JPEG")
    one = look_at(data, [Shown(make.lite0)], decoding=PLAIN).facts
    other = look_at(data, [Shown(LITE1)], decoding=PLAIN).facts
    assert one == other


def test_id_is_of_the_bytes(make):
    data = make.encoded(make.photo(), "PNG")
    assert picture_id(data) == hashlib.blake2b(data, digest_size=16).hexdigest()
    assert len(picture_id(b"")) == 32
    assert look_at(data, [Shown(make.lite0)], decoding=PLAIN).facts.id == picture_id(data)
    assert picture_id(data) != picture_id(data + b"\x00")


def test_header_facts(make):
    data = make.encoded(make.photo(120, 90).quantize(8), "GIF")
    facts = look_at(data, [Shown(make.lite0)], decoding=PLAIN).facts
    assert (facts.file_format, facts.mode, facts.bands, facts.frames) == ("GIF", "P", 1, 1)
    assert (facts.problem, facts.problem_kind, facts.note) == (None, "", "")


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda data: b"", "empty_file"),
        (lambda data: b"<html>", "not_an_image"),
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: data[:100] + bytes(100) + data[200:], "unreadable"),
    ],
)
@pytest.mark.parametrize("facts", [True, False])
def test_a_bad_picture_raises_nothing(make, spoil, kind, facts):
    data = spoil(make.encoded(make.photo(), "PNG"))
    seen = look_at(data, [Shown(make.lite0)], decoding=PLAIN, facts=facts)
    assert seen.pixels == ()
    assert seen.facts.problem
    assert seen.facts.problem_kind == kind
    assert seen.facts.id == picture_id(data)
    assert seen.facts.file_bytes == len(data)


def test_bands_reach_the_network(make, test_data):
    data = (test_data / "naip_4band" / "images" / "bishop_2020_0.png").read_bytes()
    plain = look_at(data, [Shown(make.lite0)], decoding=PLAIN)
    picked = look_at(data, [Shown(make.lite0)], decoding=Decoding(bands=("R", "G", "B")))
    assert picked.facts.bands == plain.facts.bands == 4
    assert not np.array_equal(picked.pixels[0], plain.pixels[0])
    missing = look_at(data, [Shown(make.lite0)], decoding=Decoding(bands=("5", "1", "1")))
    assert missing.facts.problem_kind == "bands"


def test_one_decode_serves_both(make, monkeypatch):
    calls = []
    decode = module.decode

    def counted(*args, **kwargs):
        calls.append(1)
        return decode(*args, **kwargs)

    monkeypatch.setattr(module, "decode", counted)
    look_at(make.encoded(make.photo(), "JPEG"), [Shown(make.lite0)], decoding=PLAIN)
    assert calls == [1]


def test_threads_see_the_same(make, test_data):
    files = sorted((test_data / "ants_bees" / "train" / "ants").iterdir())[:24]
    pictures = [file.read_bytes() for file in files]

    def look(data: bytes):
        seen = look_at(data, [Shown(make.lite0)], decoding=PLAIN)
        return seen.facts, seen.pixels[0].tobytes()

    alone = [look(data) for data in pictures]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, pictures)) == alone
