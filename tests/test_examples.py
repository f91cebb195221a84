"""The scripts of examples/, on small pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

import tellapart as ta

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def land_cover() -> Any:
    spec = importlib.util.spec_from_file_location("land_cover", EXAMPLES / "land_cover.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("cache")
def test_land_cover(
    land_cover: Any, shapes: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(land_cover, "SETS", {shapes.name: (ta.ReadSettings(), None)})
    monkeypatch.setattr(land_cover, "BACKBONES", ("lite0", "color"))
    monkeypatch.setattr(land_cover, "TRIALS", 0)
    monkeypatch.setattr(land_cover, "FOLDS", StratifiedGroupKFold(2))
    land_cover.main(shapes.parent)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "shapes: 36 pictures of 3 classes as vectors of 1280 numbers"
    (first,) = (line for line in lines if line.startswith("boxes"))
    assert sum(map(int, first.split()[1:])) == 12
    assert lines[-1].startswith("color ")


def test_the_interval_of_the_lost_points(land_cover: Any) -> None:
    truth = np.array(["a"] * 40 + ["b"] * 10)
    groups = np.arange(50)
    nothing = land_cover.class_mean(np.zeros(50), truth, groups)
    assert nothing == (0, 0, 0)
    values = np.array([1.0] * 20 + [0.0] * 20 + [0.0] * 10)  # half of a, nothing of b
    lost, low, high = land_cover.class_mean(values, truth, groups)
    assert lost == 25
    assert 15 < low < 20 < 30 < high < 35  # 25 +- 2 x 50 x sqrt(.25 / 40)
    wide = land_cover.class_mean(values, truth, groups // 5)
    assert wide[2] - wide[1] > high - low
