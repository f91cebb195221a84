"""The sides of an earlier split are read, matched by path and id, and wrong tables refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tellapart.errors import DataError
from tellapart.splits import read_known_sides


def test_a_run_folder(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "path": ["a.png", "b.png", "c.png", "d.png", "e.png"],
            "id": ["1", "2", "2", "3", "4"],
            "split": ["train", "train", "test", "", None],
        }
    ).write_parquet(tmp_path / "split.parquet")
    known = read_known_sides(tmp_path)
    # As it was; moved; a copy that stood on two sides, at its path and elsewhere; left out; new.
    paths = ["a.png", "x.png", "c.png", "y.png", "d.png", "z.png"]
    assert known.sides_of(paths, ["1", "1", "2", "2", "3", "9"]) == [
        "train", "train", "test", None, None, None
    ]  # fmt: skip


def test_a_changed_file_is_new_though_its_path_is_known(tmp_path: Path) -> None:
    table = tmp_path / "split.csv"
    table.write_text("path,id,split\na.png,1,test\n")
    assert read_known_sides(table).sides_of(["a.png"], ["2"]) == [None]


def test_a_table_of_paths_alone(tmp_path: Path) -> None:
    table = tmp_path / "split.csv"
    table.write_text("path,split\na.png,test\nb.png,val\n")
    assert read_known_sides(table).sides_of(["b.png", "c.png"], ["1", "2"]) == ["val", None]


def test_a_table_of_ids_alone(tmp_path: Path) -> None:
    table = tmp_path / "split.csv"
    table.write_text("id,split\n007,test\n")
    assert read_known_sides(table).sides_of(["b.png"], ["007"]) == ["test"]


def test_wrong_places_and_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such run folder or table"):
        read_known_sides(tmp_path / "none")
    with pytest.raises(DataError, match=r"this folder is no run \(no split.parquet\)"):
        read_known_sides(tmp_path)
    table = tmp_path / "split.csv"
    table.write_text("file,split\na.png,test\n")
    with pytest.raises(DataError, match=r"needs the columns path or id, and split; it has file, s"):
        read_known_sides(table)
    table.write_text("path,split\na.png,train\nb.png,tset\n")
    with pytest.raises(DataError, match=r"row 2: unknown side 'tset'; did you mean 'test'\?"):
        read_known_sides(table)
    damaged = tmp_path / "split.parquet"
    damaged.write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_known_sides(damaged)
