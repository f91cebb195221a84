"""`tellapart probe`: backbones compared on training pictures, the best one measured once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tellapart as ta

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
WritePictures = Callable[..., Path]

QUICK = ("--head", "ridge")  # fits in no time


def probed(command: Command, *words: str | Path) -> dict[str, Any]:
    code, said, err = command("probe", *words, *QUICK, "--json", "--quiet")
    assert code == 0, err
    found: dict[str, Any] = json.loads(said)
    return found


def test_a_table_best_first_then_the_number_of_the_best(
    command: Command, shapes: Path, tmp_path: Path
) -> None:
    names = "color,lite0,lite0+color"
    words = ("probe", shapes, "--backbone", names, *QUICK, "--seed", 5, "--out", tmp_path / "out")
    code, said, _ = command(*words)
    assert code == 0
    lines = said.strip().splitlines()
    assert lines[0].split()[:3] == ["backbone", "balanced", "accuracy"]
    table = [line.split() for line in lines[1:4]]
    assert {row[0] for row in table} == set(names.split(","))
    scores = [float(row[1]) for row in table]
    assert scores == sorted(scores, reverse=True)
    assert table[0][5] == "best"
    best = table[0][0]
    assert f"Only {best} was then measured on the pictures that judge, once:" in lines
    assert sum("test pictures it never saw" in line for line in lines) == 1
    record = json.loads((tmp_path / "out" / "probe.json").read_text(encoding="utf-8"))
    assert record["best"] == best
    page = (tmp_path / "out" / "probe.html").read_text(encoding="utf-8")
    asked = ("--seed", "5", *QUICK, "--backbone", best)  # what to try next: on the same split
    assert f"{' '.join(f'<span>{word}</span>' for word in asked)}</code>" in page
    names = [one.relative_to(shapes).as_posix() for one in shapes.rglob("*.*")]
    mapped = [name for name in names if f'"{name}"' in page]
    assert len(mapped) == record["compared_on"]  # no picture that judges stands on the maps
    assert record["headline_split"] == "test"
    first, *others = record["backbones"]
    assert first["difference"] is None
    for one in others:
        score = one["balanced_accuracy"]["value"] - first["balanced_accuracy"]["value"]
        assert one["difference"]["value"] == pytest.approx(score)
        assert one["tie"] == (one["difference"]["low"] <= 0 <= one["difference"]["high"])
        assert one["pictures_a_second"] > 0


def test_the_best_is_measured_as_a_run_measures_it(
    command: Command, shapes: Path, tmp_path: Path, load_json: Callable[[Path], dict[str, Any]]
) -> None:
    found = probed(command, shapes, "--backbone", "lite0")
    code, _, err = command("run", shapes, *QUICK, "--no-advice", "--out", tmp_path / "run")
    assert code == 0, err
    metrics = load_json(tmp_path / "run" / "metrics.json")
    assert {key: found[key] for key in ("headline", "confusion", "headline_split")} == {
        key: metrics[key] for key in ("headline", "confusion", "headline_split")
    }
    assert found["backbones"][0]["features"] == 1_280
    assert found["backbones"][0]["licence"] == "Apache-2.0"


def test_the_pictures_that_judge_take_no_part_in_the_comparison(
    command: Command, write_pictures: WritePictures, tmp_path: Path
) -> None:
    tables = []
    for name, start in (("one", 20), ("other", 40)):
        write_pictures(tmp_path / name / "train", count=8)
        write_pictures(tmp_path / name / "test", count=4, start=start)
        found = probed(command, tmp_path / name, "--backbone", "lite0,color")
        assert found["compared_on"] == found["training_pictures"] == 24
        tables.append([(one["backbone"], one["balanced_accuracy"]) for one in found["backbones"]])
    assert tables[0] == tables[1]


def test_the_order_of_names_and_files_changes_nothing(
    command: Command, shapes: Path, write_pictures: WritePictures, tmp_path: Path
) -> None:
    def told(found: dict[str, Any]) -> list[tuple[Any, ...]]:
        keys = ("backbone", "balanced_accuracy", "difference")
        return [tuple(one[key] for key in keys) for one in found["backbones"]]

    renamed = write_pictures(tmp_path / "renamed")
    for one in renamed.glob("*/*.png"):
        one.rename(one.with_name(f"{99 - int(one.stem)}.png"))
    first = told(probed(command, shapes, "--backbone", "lite0,color"))
    assert told(probed(command, renamed, "--backbone", "color,lite0")) == first


def test_from_python(shapes: Path, kept_cache: Path) -> None:
    settings = ta.RunSettings(head="ridge", image_sizes=(64, 96))
    found = ta.compare_backbones(shapes, ["lite0"], settings=settings, cache=kept_cache)
    assert isinstance(found, ta.BackboneComparison)
    assert [one.name for one in found.scores] == ["lite0"]
    assert found.scores[0].choices[0]["what"] == "input size"
    assert np.isfinite(found.evaluation.headline.value or np.nan)
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("lite0,lite0", "--backbone: lite0 is named twice; name it once"),
        ("lite0, lite0", "--backbone: lite0 is named twice; name it once"),
        ("lite0,,color", "name the backbones with a comma between, such as lite0,color"),
        (",".join(f"pca:{n}" for n in range(1, 15)), "14 are named, 12 at most are compared"),
        ("lite0,colour", "unknown backbone 'colour'; did you mean 'color'?"),
    ],
)
def test_names_that_cannot_be_compared(
    refused: Refused, shapes: Path, names: str, line: str
) -> None:
    assert line in refused("probe", shapes, "--backbone", names)


def test_a_folder_that_is_taken(refused: Refused, shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    line = refused("probe", shapes, "--backbone", "lite0", "--out", tmp_path)
    assert "exists and is not empty: name a new folder with --out" in line


def test_backbones_must_be_named(refused: Refused, shapes: Path) -> None:
    assert "Missing option '--backbone'" in refused("probe", shapes)
