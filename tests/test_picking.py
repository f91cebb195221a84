"""Operating points from a run folder: what chooses the threshold does not measure it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import tellapart as ta
from tellapart import picking
from tellapart.errors import DataError


@pytest.fixture
def dealt(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Which pictures choose, and their components, of every operating point that is made."""
    seen = []
    make = picking.operating_point

    def noted(chances: Any, is_class: Any, choosing: Any, components: Any, **rest: Any) -> Any:
        seen.append((choosing, components))
        return make(chances, is_class, choosing, components, **rest)

    monkeypatch.setattr(picking, "operating_point", noted)
    return seen


def test_altered_copies_do_not_choose_and_measure(
    write_pictures: Callable[..., Path], tmp_path: Path, kept_cache: Path,
    dealt: list[tuple[Any, Any]],
) -> None:  # fmt: skip
    data = write_pictures(tmp_path / "data" / "train", count=8).parent
    for one in write_pictures(data / "test", count=4, start=8).rglob("*.png"):
        with Image.open(one) as picture:
            picture.resize((120, 120)).save(one.with_suffix(".jpg"), quality=85)
    settings = ta.RunSettings(head="ridge", advice=False)
    run = ta.run(data, tmp_path / "run", settings=settings, cache=kept_cache)
    table = pl.read_parquet(run.out / "split.parquet").filter(pl.col("split") == "test")
    of = dict(zip(table["path"], table["component"], strict=True))
    pairs = [(path, path.replace(".png", ".jpg")) for path in of if path.endswith(".png")]
    assert len(pairs) == 12
    assert all(of[first] == of[second] for first, second in pairs)
    point = ta.pick(run.out, "recall=0.01:boxes")
    ((choosing, components),) = dealt
    assert point.chosen_on == point.measured_on == 12
    assert len(np.unique(components)) == 12
    assert not set(components[choosing]) & set(components[~choosing])


def test_a_run_that_does_not_tell_its_copies_is_refused(finished: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    place = run / "split.parquet"
    table = pl.read_parquet(place)
    table.drop("component").write_parquet(place)
    line = f"{place} does not say which pictures are copies: run it again"
    with pytest.raises(DataError, match=re.escape(line)):
        ta.pick(run, "recall=0.5:boxes")
    table.with_columns(component=pl.lit(0)).write_parquet(place)
    with pytest.raises(DataError, match="was judged on too few pictures to choose a threshold"):
        ta.pick(run, "recall=0.5:boxes")
