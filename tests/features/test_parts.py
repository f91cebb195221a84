"""Parts side by side, views averaged, candidates from options."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.errors import BackboneError, OptionError
from tellapart.features.parts import joined, width
from tellapart.features.recipes import Asked, auto_sizes, candidates, parse_backbones, parse_sizes


def test_views_are_averaged_and_parts_stand_side_by_side() -> None:
    rng = np.random.default_rng(0)
    views = [rng.normal(size=(5, 4)).astype(np.float16) for _ in range(3)]
    alone = rng.normal(size=(5, 2)).astype(np.float16)
    found = joined([views, [alone]])
    np.testing.assert_allclose(found[:, :4], np.mean(views, axis=0, dtype=np.float64), atol=1e-6)
    assert np.array_equal(found[:, 4:], alone)
    rows = [joined([[one[row : row + 1] for one in views], [alone[row : row + 1]]])
            for row in range(5)]  # fmt: skip
    assert np.array_equal(np.concatenate(rows), found)  # to the bit: what predict relies on
    assert joined([[alone]]) is alone


def test_sizes() -> None:
    assert parse_sizes("224,96, 96") == (96, 224)
    assert parse_sizes("auto") == "auto"
    for text in ("", "-1", "96,", "1e3", "²"):
        with pytest.raises(OptionError, match="give pixels such as 160 or 96,160,224, or auto"):
            parse_sizes(text)
    with pytest.raises(OptionError, match="13 sizes are given, 12 at most"):
        parse_sizes(",".join(map(str, range(1, 14))))
    (lite0,) = parse_backbones("lite0")
    assert auto_sizes(lite0) == (96, 160, 224, 288)


def test_what_options_leave_open() -> None:
    (only,) = candidates(Asked("lite0"))
    assert (only.size, only.way, width(only.recipe)) == (None, "", 1_280)
    found = candidates(Asked("lite0+color", bands=4, sizes=(96, 160)))
    assert [(one.size, one.way, width(one.recipe)) for one in found] == [
        (96, "composites", 2 * 1_280 + 82),
        (96, "adapted", 1_280 + 82),
        (160, "composites", 2 * 1_280 + 82),
        (160, "adapted", 1_280 + 82),
    ]
    sizes = [[part.backbone.transform.size for part in one.recipe] for one in found]
    assert sizes == [[96, 96, 64], [96, 64], [160, 160, 64], [160, 64]]
    (classical,) = candidates(Asked("pca:9", bands=4, sizes=(16,)))
    assert (classical.recipe[0].bands, width(classical.recipe)) == ((0, 1, 2, 3), 1_024)
    assert [one.size for one in candidates(Asked("lite0", sizes="auto"))] == [96, 160, 224, 288]


def test_sums_that_cannot_be() -> None:
    with pytest.raises(BackboneError, match="9 are named, a sum has 8 at most"):
        parse_backbones("+".join(f"lite{one}" for one in range(9)))
