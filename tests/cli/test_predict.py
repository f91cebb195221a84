import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tellapart as ta

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
CLASSES = ("boxes", "dots", "lines")


@pytest.fixture
def pictures(shapes: Path, tmp_path: Path) -> Path:
    """Four pictures and one that is none, in folders."""
    folder = tmp_path / "new"
    for i, source in enumerate(sorted(shapes.glob("*/*.png"))[::10]):
        place = folder / ("deep/er" if i == 3 else "") / f"{i}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place)
    (folder / "broken.png").write_text("no picture")
    return folder


def test_csv_goes_to_stdout_and_problems_are_listed_and_counted(
    command: Command, finished: Path, pictures: Path
) -> None:
    code, said, err = command("predict", finished, pictures)
    rows = list(csv.DictReader(io.StringIO(said)))
    assert code == 0
    assert list(rows[0]) == [
        "path", "predicted", "probability", "p:boxes", "p:dots", "p:lines", "problem",
    ]  # fmt: skip
    names = ["0.png", "1.png", "2.png", "broken.png", "deep/er/3.png"]
    assert [row["path"] for row in rows] == [f"{pictures.as_posix()}/{name}" for name in names]
    broken = rows.pop(3)
    assert "no picture format is known" in broken["problem"]
    assert broken["predicted"] == broken["probability"] == broken["p:dots"] == ""
    expected = ta.load(finished).predict_proba([row["path"] for row in rows])
    found = np.array([[float(row[f"p:{name}"]) for name in CLASSES] for row in rows])
    assert np.allclose(found, expected, rtol=1e-5)
    assert [row["predicted"] for row in rows] == [CLASSES[i] for i in expected.argmax(axis=1)]
    assert "tellapart: 1 of 5 pictures could not be read; the output says why" in err


@pytest.mark.parametrize("words", [["--json"], ["--format", "jsonl"]])
def test_jsonl(command: Command, finished: Path, pictures: Path, words: list[str]) -> None:
    code, said, _ = command("predict", finished, pictures, *words)
    records = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert len(records) == 5
    for one in records:
        assert list(one) == ["path", "predicted", "probability", "probabilities", "problem"]
    good, broken = records[0], records[3]
    assert list(good["probabilities"]) == list(CLASSES)
    assert good["probability"] == max(good["probabilities"].values())
    assert (broken["predicted"], broken["probabilities"]) == (None, {})


def test_parquet_holds_the_bits(
    command: Command, finished: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    code, said, err = command("predict", finished, pictures, "--out", out)
    assert (code, said) == (0, "")
    assert f"5 predictions in {out}" in err
    table = pl.read_parquet(out).filter(pl.col("problem").is_null())
    found = table.select([f"p:{name}" for name in CLASSES]).to_numpy().astype(np.float32)
    assert np.array_equal(found, ta.load(finished).predict_proba(table["path"].to_list()))


def test_txt_names_one_class_a_picture(
    command: Command, finished: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.txt"
    assert command("predict", finished, pictures, "--out", out, "--quiet")[0] == 0
    lines = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 5
    assert lines[0][1] in CLASSES
    assert lines[3][1].startswith("! ")


def test_top_k_gives_the_likeliest_first(command: Command, finished: Path, pictures: Path) -> None:
    _, said, _ = command("predict", finished, pictures, "--top-k", "2", "--quiet")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert list(rows[0]) == [
        "path", "predicted", "probability", "class_1", "p_1", "class_2", "p_2", "problem",
    ]  # fmt: skip
    assert rows[0]["class_1"] == rows[0]["predicted"]
    assert float(rows[0]["p_1"]) >= float(rows[0]["p_2"])
    assert rows[3]["class_1"] == ""
    _, said, _ = command("predict", finished, pictures, "--top-k", "9", "--quiet")
    assert "class_3,p_3,problem" in said  # as many as there are
    _, said, _ = command("predict", finished, pictures, "--top-k", "2", "--json")
    first = json.loads(said.splitlines()[0])
    values = list(first["probabilities"].values())
    assert len(values) == 2
    assert values == sorted(values, reverse=True)


def test_files_globs_and_folders_each_once(
    command: Command, finished: Path, pictures: Path
) -> None:
    deep = (pictures / "**" / "*.png").as_posix()
    _, said, _ = command("predict", finished, pictures / "2.png", deep, pictures, "--quiet")
    paths = [row["path"] for row in csv.DictReader(io.StringIO(said))]
    assert paths[0] == (pictures / "2.png").as_posix()
    assert len(paths) == len(set(paths)) == 5


def test_a_list_on_stdin(
    command: Command, finished: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = f"{pictures / '1.png'}\n{pictures / 'gone.png'}\n\n{pictures / '0.png'}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(names))
    code, said, _ = command("predict", finished, "-")
    rows = list(csv.DictReader(io.StringIO(said)))
    assert code == 0
    assert [Path(row["path"]).name for row in rows] == ["1.png", "gone.png", "0.png"]
    assert rows[1]["problem"].startswith("no such file")


def test_nothing_that_could_be_read_exits_2(
    command: Command, finished: Path, pictures: Path
) -> None:
    for words in ([pictures / "broken.png"], [pictures / "gone.png"], [pictures / "*.tif"]):
        code, said, err = command("predict", finished, *words)
        assert code == 2
        assert len(said.splitlines()) == 2
        assert "tellapart: nothing could be read; the first: " in err


def test_an_empty_folder_is_listed_as_a_problem(
    command: Command, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    code, said, _ = command("predict", finished, tmp_path / "empty")
    assert code == 2
    assert "no pictures in this folder" in said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--format", "cvs"], "cannot write 'cvs'; did you mean 'csv'? (known: csv, jsonl,"),
        (["--out", "x.xlsx"], "cannot write 'xlsx'"),
        (["--format", "parquet"], "parquet cannot go to the terminal: name a file with --out"),
        (["--format", "txt", "--top-k", "2"], "--top-k has no effect on txt"),
        (["--json", "--format", "csv"], "--json means --format jsonl, and --format says csv"),
    ],
)
def test_options_that_cannot_be_meant(
    refused: Refused, finished: Path, pictures: Path, words: list[str], line: str
) -> None:
    assert line in refused("predict", finished, pictures / "0.png", *words)


def test_a_wrong_model_is_refused(refused: Refused, pictures: Path, tmp_path: Path) -> None:
    line = refused("predict", tmp_path / "nowhere", pictures)
    assert "no such model: " in line
    line = refused("predict", pictures, pictures)
    assert "holds no model (model.json is missing): give a run folder or its model folder" in line


def test_a_place_that_cannot_be_written(
    refused: Refused, finished: Path, pictures: Path, tmp_path: Path
) -> None:
    line = refused("predict", finished, pictures, "--out", tmp_path / "no" / "folder.csv")
    assert "cannot write" in line
    assert "No such file or directory" in line


def test_the_evaluation_pictures_again_in_a_process_of_its_own(
    process: Callable[..., subprocess.Popen[str]], finished: Path, shapes: Path, tmp_path: Path
) -> None:
    stored = pl.read_parquet(finished / "predictions.parquet").sort("path")
    moved = shutil.copytree(finished / "model", tmp_path / "somewhere else")
    out = tmp_path / "again.parquet"
    asked = process(
        "predict", moved, "-", "--out", out, TELLAPART_CACHE=str(tmp_path / "fresh"),
        OMP_NUM_THREADS="1",
    )  # fmt: skip
    _, err = asked.communicate("".join(f"{shapes / path}\n" for path in stored["path"]))
    assert asked.returncode == 0, err
    columns = [f"p:{name}" for name in CLASSES]
    again = pl.read_parquet(out).sort("path").select(columns).to_numpy().astype(np.float32)
    assert np.array_equal(again, stored.select(columns).to_numpy().astype(np.float32))
    assert not (tmp_path / "fresh").exists()


def test_cells_that_a_spreadsheet_would_run_are_quoted(
    command: Command, model: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = json.loads((model / "model.json").read_text(encoding="utf-8"))
    stored["classes"] = ["=1+1", "@SUM(A1)", "-2"]
    (model / "model.json").write_text(json.dumps(stored), encoding="utf-8")
    shutil.move(pictures / "0.png", pictures / "=cmd().png")
    monkeypatch.chdir(pictures)
    _, said, _ = command("predict", model, "=cmd().png", "--quiet")
    header, row = list(csv.reader(io.StringIO(said)))
    assert header[3:6] == ["p:=1+1", "p:@SUM(A1)", "p:-2"]
    assert row[0] == "'=cmd().png"
    assert row[1] in ("'=1+1", "'@SUM(A1)", "'-2")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow only Unicode in names")
def test_a_name_that_is_no_text(command: Command, finished: Path, pictures: Path) -> None:
    (pictures / "0.png").rename(os.fsdecode(bytes(pictures) + b"/\xff\xfe.png"))
    for form in ("csv", "jsonl", "txt"):
        code, said, _ = command("predict", finished, pictures, "--format", form, "--quiet")
        assert code == 0
        assert "%FF%FE.png" in said


def test_a_table_is_predicted_like_the_files_it_names(
    command: Command, finished: Path, pictures: Path
) -> None:
    names = ["1.png", "deep/er/3.png", "gone.png"]
    pl.DataFrame({"file": names, "label": ["boxes"] * 3}).write_csv(pictures / "list.csv")
    code, said, err = command("predict", finished, pictures / "list.csv", "--json")
    rows = [json.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [row["path"] for row in rows] == [f"{pictures.as_posix()}/{name}" for name in names]
    assert rows[2]["problem"] == "no such file"
    assert "1 of 3 pictures could not be read" in err
    packed = pictures / "packed.parquet"
    content = [(pictures / name).read_bytes() for name in names[:2]]
    pl.DataFrame({"image": content}).write_parquet(packed)
    code, said, _ = command("predict", finished, packed, "--json")
    again = [json.loads(line) for line in said.splitlines()]
    assert [row["path"] for row in again] == [f"{packed.as_posix()}#{row}" for row in (0, 1)]
    assert [one["probabilities"] for one in again] == [one["probabilities"] for one in rows[:2]]


def test_polars_is_imported_for_tables_only(finished: Path, pictures: Path) -> None:
    script = (
        "import sys; from tellapart.cli.main import run_verb\n"
        "assert run_verb(['predict', *sys.argv[1:]]) == 0\n"
        "print([m for m in ('polars', 'sklearn', 'scipy', 'torch') if m in sys.modules])"
    )
    pl.DataFrame({"file": ["1.png"]}).write_csv(pictures / "list.csv")
    for place, loaded in ((pictures / "1.png", "[]"), (pictures / "list.csv", "['polars']")):
        words = [sys.executable, "-c", script, str(finished), str(place), "--quiet"]
        done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == loaded
