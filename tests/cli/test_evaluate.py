import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
WritePictures = Callable[..., Path]


@pytest.fixture
def unseen(write_pictures: WritePictures, tmp_path: Path) -> Path:
    """Five new pictures of each class."""
    return write_pictures(tmp_path / "unseen", count=5, start=50)


def test_new_pictures_are_judged(
    command: Command, finished: Path, unseen: Path, tmp_path: Path,
    load_json: Callable[[Path], dict[str, Any]],
) -> None:  # fmt: skip
    out = tmp_path / "judged"
    code, said, _ = command("evaluate", finished, unseen, "--out", out)
    assert code == 0
    assert "judged on 15 pictures it never saw" in said
    assert f"written to {out}" in said
    assert sorted(one.name for one in out.iterdir()) == [
        "metrics.json", "predictions.parquet", "predictions.txt",
    ]  # fmt: skip
    found = load_json(out / "metrics.json")
    assert found["headline"]["pictures"] == 15
    assert found["headline_split"] is None
    assert found["left_out"] == {"trained_on": 0, "unreadable": 0, "unknown_class": 0, "copies": 0}
    assert len(pl.read_parquet(out / "predictions.parquet")) == 15


def test_new_pictures_of_one_class_are_judged(
    command: Command, finished: Path, unseen: Path
) -> None:
    shutil.rmtree(unseen / "dots")
    shutil.rmtree(unseen / "lines")
    code, said, _ = command("evaluate", finished, unseen)
    assert code == 0
    assert "judged on 5 pictures it never saw" in said
    assert "Not judged, for want of pictures: 'dots', 'lines'" in said


def test_pictures_it_was_fitted_on_are_left_out_and_counted(
    command: Command, finished: Path, shapes: Path, tmp_path: Path
) -> None:
    sides = pl.read_parquet(finished / "split.parquet")["split"].to_list()
    code, said, err = command("evaluate", finished, shapes, "--json", "--quiet")
    assert (code, err) == (0, "")
    found = json.loads(said)
    assert found["left_out"]["trained_on"] == sides.count("train")
    assert found["headline"]["pictures"] == sides.count("test")
    stored = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))
    assert found["headline"] == stored["headline"]
    assert found["confusion"] == stored["confusion"]
    _, said, _ = command("evaluate", finished, shapes)
    assert f"{sides.count('train')} pictures left out: the model was fitted on them." in said


def test_what_else_does_not_count_is_said(command: Command, finished: Path, unseen: Path) -> None:
    (unseen / "dots" / "broken.png").write_text("no picture")
    shutil.copy(unseen / "dots" / "050.png", unseen / "dots" / "copy.png")
    (unseen / "stars").mkdir()
    shutil.copy(unseen / "dots" / "051.png", unseen / "stars" / "1.png")
    code, said, _ = command("evaluate", finished, unseen)
    assert code == 0
    assert "judged on 15 pictures" in said
    assert "1 picture left out: it cannot be read." in said
    assert "1 picture left out: it is an exact copy of another." in said
    assert "1 picture left out: its class is none of the model's." in said


def test_only_pictures_it_was_fitted_on(
    refused: Refused, finished: Path, shapes: Path, tmp_path: Path
) -> None:
    table = pl.read_parquet(finished / "split.parquet").filter(pl.col("split") == "train")
    for path in table["path"]:
        (tmp_path / "seen" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shapes / path, tmp_path / "seen" / path)
    line = refused("evaluate", finished, tmp_path / "seen")
    assert f"the model was fitted on all {len(table)} pictures: a number on them would say" in line


def test_classes_it_does_not_know(
    refused: Refused, command: Command, finished: Path, write_pictures: WritePictures,
    tmp_path: Path,
) -> None:  # fmt: skip
    data = write_pictures(tmp_path / "other", ("kisten", "punkte"), count=4, start=50)
    line = refused("evaluate", finished, data)
    assert "kisten, punkte is no class of the model, which knows boxes, dots, lines" in line
    assert "--label-map OLD=NEW" in line
    words = ["--label-map", "kisten=boxes", "--label-map", "punkte=dots"]
    code, said, _ = command("evaluate", finished, data, *words)
    assert code == 0
    assert "judged on 8 pictures" in said


def test_a_folder_that_holds_something_else(
    refused: Refused, finished: Path, unseen: Path, tmp_path: Path
) -> None:
    line = refused("evaluate", finished, unseen, "--out", unseen)
    assert f"{unseen} exists and is not empty: name a new folder with --out" in line


def test_no_pictures_and_no_model(refused: Refused, finished: Path, tmp_path: Path) -> None:
    assert "no such path: " in refused("evaluate", finished, tmp_path / "gone")
    assert "no such model: " in refused("evaluate", tmp_path / "gone", tmp_path)


@pytest.fixture
def own_run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to change."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_an_operating_point_is_chosen_and_predictions_follow_it(
    command: Command, own_run: Path, shapes: Path
) -> None:
    code, said, err = command("evaluate", own_run, "--pick", "recall=0.01:boxes", "--json")
    assert code == 0, err
    point = json.loads(said)
    assert point["chosen_on"] + point["measured_on"] == len(
        pl.read_parquet(own_run / "predictions.parquet")
    )
    code, said, err = command("predict", own_run, shapes, "--json")
    assert code == 0, err
    answers = [json.loads(line) for line in said.splitlines()]
    for one in answers:
        reached = one["probabilities"]["boxes"] >= point["threshold"]
        assert (one["predicted"] == "boxes") == reached
    assert command("evaluate", own_run, "--pick", "recall=0.01:boxes")[0] == 0


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("precision=0.9", "--pick takes precision=0.95:CLASS"),
        ("accuracy=0.9:boxes", "--pick takes precision=0.95:CLASS"),
        ("recall=1.5:boxes", "--pick takes precision=0.95:CLASS"),
        ("recall=0.5:boxen", "the model knows no class 'boxen'; did you mean 'boxes'?"),
    ],
)
def test_targets_that_cannot_be_are_refused(
    refused: Refused, own_run: Path, target: str, line: str
) -> None:
    assert line in refused("evaluate", own_run, "--pick", target)


@pytest.mark.parametrize(
    "words",
    [
        ("--tta", "2"),
        ("--path-column", "path"),
        ("--label-column", "label"),
        ("--group-column", "place"),
        ("--label-regex", "(.)"),
        ("--label-map", "a=b"),
        ("--max-missing", "0.5"),
    ],
)
@pytest.mark.parametrize("stored", [("--pick", "recall=0.5:boxes"), ("--checkpoint", "all")])
def test_what_has_no_effect_on_stored_answers_is_refused(
    refused: Refused, finished: Path, stored: tuple[str, str], words: tuple[str, str]
) -> None:
    line = refused("evaluate", finished, *stored, *words)
    assert f"{words[0]} has no effect with {stored[0]}, which uses stored answers" in line


def test_pick_writes_no_folder(refused: Refused, finished: Path, tmp_path: Path) -> None:
    line = refused("evaluate", finished, "--pick", "recall=0.5:boxes", "--out", tmp_path / "new")
    assert "--out has no effect with --pick, which changes the run's model alone" in line


def test_pick_needs_a_run_and_no_data(refused: Refused, own_run: Path, shapes: Path) -> None:
    line = refused("evaluate", own_run / "model", "--pick", "recall=0.5:boxes")
    assert "--pick needs a run folder" in line
    line = refused("evaluate", own_run, shapes, "--pick", "recall=0.5:boxes")
    assert "leave out DATA" in line
    assert "name the labelled pictures to judge on" in refused("evaluate", own_run)
