"""Which pictures an int8 network is calibrated on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.backbones import get_backbone
from tellapart.data import FileSource, MemorySource
from tellapart.errors import DataError
from tellapart.features.calibration import MOST_PICTURES, chosen, int8_backbone
from tellapart.images import Shown
from tellapart.settings import Decoding


def test_the_same_pictures_whatever_the_order_of_rows() -> None:
    ids = [f"{number % 700:04}" for number in range(1_000)]  # with copies
    rows = chosen(ids, seed=0)
    taken = [ids[row] for row in rows]
    assert len(set(taken)) == len(taken) == MOST_PICTURES
    turned = ids[::-1]
    assert [turned[row] for row in chosen(turned, seed=0)] == taken
    assert [ids[row] for row in chosen(ids, seed=1)] != taken


def test_all_of_a_small_set() -> None:
    assert sorted(chosen(["a", "b", "a"], seed=0)) == [0, 1]


def test_a_picture_that_has_gone_is_refused(tmp_path: Path) -> None:
    lite0 = get_backbone("lite0")
    shown = [Shown(lite0.transform)]
    for source, reason in (
        (FileSource(str(tmp_path / "gone.jpg")), "No such file"),
        (MemorySource(b"no picture"), "format"),
    ):
        inside, count = int8_backbone(lite0, shown, [source], ["a"], Decoding(), 0)  # type: ignore[list-item]
        assert count == 1
        with pytest.raises(DataError, match=f"cannot be read any more .*{reason}"):
            inside.build()
