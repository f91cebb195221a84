"""--head and --search on the command line: what they leave, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest


@pytest.mark.parametrize("words", [("--head", "knn"), ("--head", "ridge"), ("--search", "2")])
def test_the_model_predicts_what_the_run_judged(
    command: Callable[..., Any], shapes: Path, tmp_path: Path, load_json: Callable[..., Any],
    words: tuple[str, str],
) -> None:  # fmt: skip
    out = tmp_path / "run"
    code, _, err = command("run", shapes, "--out", out, "--no-advice", *words)
    assert code == 0, err
    stored = load_json(out / "run.json")
    head = load_json(out / "model" / "model.json")["head"]
    assert stored["choices"][0]["chosen"] == head
    assert head == words[1] or words[0] == "--search"
    judged = pl.read_parquet(out / "predictions.parquet")
    table = tmp_path / "again.parquet"
    pictures = [str(shapes / path) for path in judged["path"]]
    assert command("predict", out, *pictures, "--out", table)[0] == 0
    again = pl.read_parquet(table)
    for name in [one for one in judged.columns if one.startswith("p:")]:
        np.testing.assert_array_equal(again[name].to_numpy().astype(np.float32), judged[name])
    page = (out / "report.html").read_text(encoding="utf-8")
    numbers = [one["number"] for one in stored["search"]["trials"]]
    assert numbers == list(range(len(numbers)))
    assert stored["search"]["chosen"] in numbers
    assert "What the search tried" in page
    assert f"{stored['search']['chosen']} (chosen)" in page
    calibration = load_json(out / "metrics.json")["calibration"]
    assert calibration["split"] == "test"
    assert calibration["ece_after"] == load_json(out / "metrics.json")["metrics"]["ece"]["value"]
    assert 0 <= calibration["ece_before"] <= 1
    assert "both on the" in page


def test_a_second_search_fits_nothing(
    command: Callable[..., Any], shapes: Path, tmp_path: Path, load_json: Callable[..., Any]
) -> None:
    for name in ("a", "b"):
        assert command(
            "run", shapes, "--out", tmp_path / name, "--search", "2", "--seed", "7", "--no-advice"
        )[0] == 0  # fmt: skip
    first, second = (load_json(tmp_path / name / "run.json") for name in ("a", "b"))
    assert (first["computed"]["fitted"], second["computed"]["fitted"]) == (1, 0)
    assert first["search"] == second["search"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--head", "rigde"), "unknown head 'rigde'; did you mean 'ridge'? (known: logistic, "),
        (("--search", "0"), "--search takes a number of trials, 1 or more, got 0: leave it out"),
        (("--search", "-3"), "--search takes a number of trials, 1 or more, got -3"),
        (("--head", "mean", "--search", "4"), "--search has little to search in --head mean"),
    ],
)
def test_what_is_refused(
    refused: Callable[..., str], shapes: Path, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    assert line in refused("run", shapes, "--out", tmp_path / "run", *words)
    assert not (tmp_path / "run").exists()
