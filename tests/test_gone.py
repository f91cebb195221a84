"""What a known split names and the set no longer holds: counted, and flattery named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tellapart.errors import DataError
from tellapart.gone import look_for_gone
from tellapart.splits import read_known_sides

Command = Callable[..., tuple[int, str, str]]

# path, id, side, label, predicted, counted, leaked
ROWS = [
    ("a.png", "1", "train", "cat", "", True, False),
    ("b.png", "2", "test", "cat", "cat", True, False),
    ("c.png", "3", "test", "cat", "dog", True, False),
    ("d.png", "4", "test", "dog", "dog", True, False),
    ("e.png", "5", "test", "dog", "cat", True, True),
    ("f.png", "6", "test", "dog", "cat", False, False),
    ("g.png", "7", "", "dog", "", True, False),
]


def write_run(folder: Path, findings: Sequence[tuple[str, str, str, list[str]]]) -> Path:
    """A run folder as far as it matters here; a finding is (kind, path, id, also)."""
    names = ["path", "id", "split", "label", "predicted", "counted", "leaked"]
    table = pl.DataFrame(ROWS, schema=names, orient="row")
    folder.mkdir()
    table.drop("predicted").write_parquet(folder / "split.parquet")
    judged = table.filter(pl.col("split") == "test")
    judged.drop("counted", "leaked").write_parquet(folder / "predictions.parquet")
    found = [
        {"kind": kind, "also": also, "pictures": [{"path": path, "id": id_, "split": "test"}]}
        for kind, path, id_, also in findings
    ]
    (folder / "audit.json").write_text(json.dumps({"format": 1, "findings": found}))
    return folder


def lines_for(run: Path, gone: Sequence[str]) -> tuple[str, ...]:
    here = [row for row in ROWS if row[0] not in gone]
    known = read_known_sides(run)
    return look_for_gone(
        str(run), known, [row[0] for row in here], [row[1] for row in here]
    ).lines()


def test_nothing_gone_is_nothing_said(tmp_path: Path) -> None:
    assert lines_for(write_run(tmp_path / "run", []), ["g.png"]) == ()  # g stood on no side


def test_pictures_that_are_gone_are_counted_by_side(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [])
    assert lines_for(run, ["a.png"]) == (f"1 picture is gone that {run} names: 1 of train.",)
    assert lines_for(run, ["a.png", "b.png", "c.png"]) == (
        f"3 pictures are gone that {run} names: 1 of train and 2 of test.",
    )


def test_flagged_ones_that_are_gone_are_said_with_what_that_does_to_the_number(
    tmp_path: Path,
) -> None:
    run = write_run(tmp_path / "run", [("mislabeled", "c.png", "3", ["outlier"])])
    assert lines_for(run, ["c.png"])[1] == (
        "1 of the 5 test pictures was flagged there (1 mislabeled) and is left out now, which makes"
        " the number too good for pictures as they come: on those that are left that run reaches"
        " 1.000, not 0.750."
    )
    found = look_for_gone(str(run), read_known_sides(run), ["a.png"], ["1"])
    assert found.to_json()["flagged"] == {"mislabeled": 1}


def test_a_number_that_did_not_rise_is_not_called_too_good(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("dark", "b.png", "2", [])])
    (_, line) = lines_for(run, ["b.png"])
    assert "(1 dark) and is left out now, which makes it no easier: on those that are left" in line
    assert "reaches 0.500, not 0.750" in line


@pytest.mark.parametrize(
    ("kind", "also"), [("leak_duplicate", []), ("mislabeled", ["duplicate_exact"])]
)
def test_copies_and_files_of_no_use_may_go(tmp_path: Path, kind: str, also: list[str]) -> None:
    run = write_run(tmp_path / "run", [(kind, "c.png", "3", also)])
    assert len(lines_for(run, ["c.png"])) == 1


def test_flagged_training_pictures_may_go(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [("mislabeled", "a.png", "1", [])])
    assert len(lines_for(run, ["a.png"])) == 1


def test_a_picture_that_moved_or_has_a_copy_is_not_gone(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [])
    ids = [row[1] for row in ROWS]
    found = look_for_gone(str(run), read_known_sides(run), [f"new/{id_}" for id_ in ids], ids)
    assert found.lines() == ()


def test_a_table_has_no_audit_and_is_counted_by_path(tmp_path: Path) -> None:
    table = tmp_path / "frozen.csv"
    table.write_text("path,split\na.png,train\nb.png,test\nc.png,test\n")
    found = look_for_gone(str(table), read_known_sides(table), ["a.png", "c.png"], ["1", "3"])
    assert found.lines() == (f"1 picture is gone that {table} names: 1 of test.",)


def test_a_damaged_audit_is_one_line(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [])
    (run / "audit.json").write_text("{")
    with pytest.raises(DataError, match=r"audit\.json is damaged"):
        lines_for(run, ["c.png"])


def test_a_run_says_it_and_keeps_it(
    command: Command,
    finished: Path,
    shapes: Path,
    tmp_path: Path,
    load_json: Callable[[Path], dict[str, Any]],
) -> None:
    earlier = Path(shutil.copytree(finished, tmp_path / "earlier"))
    split = pl.read_parquet(earlier / "split.parquet")
    tested = split.filter(pl.col("split") == "test").head(2)
    audit = load_json(earlier / "audit.json")
    audit["findings"] = [
        {"kind": "outlier", "also": [], "pictures": [{"path": path, "id": id_, "split": "test"}]}
        for path, id_ in tested.select("path", "id").iter_rows()
    ]
    (earlier / "audit.json").write_text(json.dumps(audit))
    pictures = Path(shutil.copytree(shapes, tmp_path / "pictures"))
    for path in tested["path"]:
        (pictures / path).unlink()
    out = tmp_path / "out"
    code, said, _ = command("run", pictures, "--split-from", earlier, "--out", out)
    assert code == 0
    assert f"2 pictures are gone that {earlier} names: 2 of test." in said
    assert "test pictures were flagged there (2 outlier) and are left out now" in said
    gone = load_json(out / "run.json")["split"]["proof"]["gone"]
    assert gone["pictures"] == {"test": 2}
    assert gone["flagged"] == {"outlier": 2}
    before = load_json(finished / "metrics.json")["headline"]["value"]
    assert gone["balanced_accuracy_before"] == pytest.approx(before)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "are left out now" in page


def test_a_protected_file_that_names_nothing_here_is_refused(
    refused: Callable[..., str], shapes: Path, tmp_path: Path
) -> None:
    table = tmp_path / "frozen.csv"
    table.write_text("path,split\nelsewhere/a.png,train\nelsewhere/b.png,test\n")
    line = refused("run", shapes, "--split-from", table, "--out", tmp_path / "out")
    assert f"--split-from {table} names none of these 36 pictures" in line
