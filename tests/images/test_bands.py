"""Bands by name and number."""

from __future__ import annotations

import pytest

from tellapart.errors import OptionError
from tellapart.images.bands import band_indices, composites
from tellapart.images.decode import parse_bands
from tellapart.images.problems import ImageProblem


def test_names_and_numbers():
    assert parse_bands("R,G,B") == ("R", "G", "B")
    assert parse_bands(" n, r ,g") == ("N", "R", "G")
    assert parse_bands("12,1,3") == ("12", "1", "3")


def test_any_number_of_them():
    assert parse_bands("R,G,B,N") == ("R", "G", "B", "N")
    assert parse_bands("7") == ("7",)
    with pytest.raises(OptionError, match="--bands: 65 bands are given, 64 at most are used"):
        parse_bands(",".join(["1"] * 65))


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, [(0, 0, 0)]),
        (2, [(0, 1, 1)]),
        (3, [(0, 1, 2)]),
        (4, [(0, 1, 2), (3, 0, 1)]),
        (5, [(0, 1, 2), (3, 4, 0)]),
        (6, [(0, 1, 2), (3, 4, 5)]),
        (7, [(0, 1, 2), (3, 4, 5), (6, 0, 1)]),
    ],
)
def test_composites_show_every_band(count, shown):
    assert composites(count) == tuple(shown)
    assert {band for one in composites(count) for band in one} == set(range(count))


@pytest.mark.parametrize("text", ["R,G,X", "0,1,2", "-1,2,3", "", "R,,B", "1.5,2,3", "²,1,1"])
def test_what_is_no_band_is_named(text):
    with pytest.raises(OptionError, match=r"is no band; use R, G, B, A, N .* or numbers from 1"):
        parse_bands(text)


def test_indices():
    assert band_indices(("N", "R", "G"), 4) == (3, 0, 1)
    assert band_indices(("A", "1", "2"), 4) == (3, 0, 1)
    assert band_indices(("8", "4", "3"), 8) == (7, 3, 2)


@pytest.mark.parametrize(
    ("available", "words"), [(3, "band N was .* the file has 3 bands"), (1, "one band")]
)
def test_a_band_that_is_not_there(available, words):
    with pytest.raises(ImageProblem, match=words) as caught:
        band_indices(("N", "1", "1"), available)
    assert caught.value.kind == "bands"
