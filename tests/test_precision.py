"""`run --precision int8`, from the command line to the model folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tellapart as ta
from tellapart.engines import quantise
from tellapart.optional import installed_version

INT8 = ("--precision", "int8", "--no-advice")
needs_nncf = pytest.mark.skipif(installed_version("nncf") is None, reason="needs [quantize]")


@needs_nncf
def test_a_run_in_int8(
    command: Callable[..., tuple[int, str, str]],
    load_json: Callable[[Path], dict[str, Any]],
    shapes: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    code, said, progress = command("run", shapes, *INT8, "--out", out)
    assert code == 0, progress
    train = pl.read_parquet(out / "split.parquet").filter(pl.col("split") == "train").height
    assert f"The network runs in int8, calibrated on {train} training pictures; on all" in said
    assert "% of the answers are the same." in said
    record = load_json(out / "run.json")
    assert record["engine"]["precision"] == "int8"
    assert record["choices"][-1]["what"] == "precision"
    assert record["computed"]["embedded"] >= record["pictures"]["usable"]
    assert "FakeQuantize" in (out / "model" / "network.xml").read_text(encoding="utf-8")
    # what the model folder answers is what was judged
    table = pl.read_parquet(out / "predictions.parquet")
    model = ta.load(out)
    assert model.checked_with["precision"] == "int8"
    found = model.predict_proba([shapes / path for path in table["path"]])
    assert found.tolist() == table.select("^p:.*$").to_numpy().astype("float32").tolist()
    # and a second run finds the network and every vector
    command("run", shapes, *INT8, "--out", out)
    assert set(load_json(out / "run.json")["computed"].values()) == {0}


def test_what_cannot_be_is_refused(
    refused: Callable[..., str], shapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused("run", shapes, "--precision", "int9") == (
        "tellapart: unknown precision 'int9'; did you mean 'int8'? (known: auto, int8)"
    )
    assert refused("run", shapes, "--precision", "int8", "--engine", "torch") == (
        "tellapart: --precision int8 is OpenVINO's: leave out --engine torch"
    )
    monkeypatch.setattr(quantise, "installed_version", lambda name: None)
    assert refused("run", shapes, "--precision", "int8").endswith(
        'needs nncf, which is not installed: pip install "tellapart[quantize]"'
    )
