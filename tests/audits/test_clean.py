"""The clean table, read again by the reader that every verb uses."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from tellapart.audits.clean import write_clean
from tellapart.audits.plan import PlanRow, apply_plan
from tellapart.data import RowSource, read, read_bytes
from tellapart.errors import DataError, OutputError
from tellapart.settings import ReadSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes on two sides, one picture each of its own colour."""
    root = tmp_path / "photos"
    for number, place in enumerate(
        f"{side}/{name}/{one}.png"
        for side in ("train", "test")
        for name in ("cat", "dög")
        for one in "abc"
    ):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number * 9, 40, 60)).save(root / place)
    return root


def test_a_folder_becomes_a_table_that_reads_alike(folder: Path, tmp_path: Path):
    pictures = read(str(folder))
    ids = [f"{row:032x}" for row in range(len(pictures))]
    at = pictures.paths.index("train/cat/a.png")
    plan = [
        PlanRow("train/cat/a.png", ids[at], "cat", "relabel to", "dög"),
        PlanRow("gone/b.png", ids[pictures.paths.index("train/cat/b.png")], "cat", "drop"),
        PlanRow(
            "test/dög/c.png", ids[pictures.paths.index("test/dög/c.png")], "dög", "group with", "g"
        ),
    ]
    target = tmp_path / "out" / "clean.parquet"
    write_clean(apply_plan(plan, pictures, ids), pictures, target)
    again = read(str(target), ReadSettings(group_column="group"))
    files = {
        Path(one.file).relative_to(folder).as_posix(): i for i, one in enumerate(again.sources)
    }
    assert len(again) == 11 and "train/cat/b.png" not in files
    assert again.labels[files["train/cat/a.png"]] == "dög"
    assert again.labels[files["train/cat/c.png"]] == "cat"
    assert again.splits[files["test/cat/a.png"]] == "test"
    assert again.groups[files["test/dög/c.png"]] == "g"
    assert not list(target.parent.glob(".*partial"))


def test_pictures_inside_parquet_keep_their_bytes(folder: Path, tmp_path: Path):
    files = sorted(folder.rglob("*.png"))
    table = pl.DataFrame(
        {
            "img": [{"bytes": one.read_bytes(), "path": one.name} for one in files],
            "label": [one.parent.name for one in files],
            "source": [f"=from {one.name}" for one in files],
            "row": [str(len(files) - at) for at in range(len(files))],  # names that we use as well
            "image": ["theirs"] * len(files),
        }
    )
    (tmp_path / "packed").mkdir()
    table.write_parquet(tmp_path / "packed" / "data.parquet")
    pictures = read(str(tmp_path / "packed"))
    assert isinstance(pictures.sources[0], RowSource)
    ids = [f"{row:032x}" for row in range(len(pictures))]
    plan = [PlanRow(pictures.paths[3], ids[3], pictures.labels[3], "drop")]
    clean = apply_plan(plan, pictures, ids)
    write_clean(clean, pictures, tmp_path / "clean.parquet")
    again = read(str(tmp_path / "clean.parquet"))
    assert [read_bytes(one) for one in again.sources] == [
        read_bytes(pictures.sources[row]) for row in clean.rows
    ]
    assert again.labels == clean.labels
    assert again.columns["source"][0] == pictures.columns["source"][0]
    assert again.columns["row"][0] == pictures.columns["row"][0]
    assert set(again.columns["image (before)"]) == {"theirs"}


def test_the_table_that_the_pictures_came_from_is_not_overwritten(folder: Path, tmp_path: Path):
    files = sorted(folder.rglob("*.png"))
    content = {"image": [one.read_bytes() for one in files], "label": [one.stem for one in files]}
    original = tmp_path / "data.parquet"
    pl.DataFrame(content).write_parquet(original)
    before = original.read_bytes()
    pictures = read(str(original))
    clean = apply_plan([], pictures, [""] * len(pictures))
    with pytest.raises(OutputError, match="exists and is not overwritten: name a new .* --to"):
        write_clean(clean, pictures, original)
    assert original.read_bytes() == before


def test_the_table_must_be_parquet(folder: Path, tmp_path: Path):
    pictures = read(str(folder))
    clean = apply_plan([], pictures, [""] * len(pictures))
    with pytest.raises(DataError, match=r"clean\.csv: the table is parquet"):
        write_clean(clean, pictures, tmp_path / "clean.csv")
