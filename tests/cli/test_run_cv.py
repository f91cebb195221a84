"""`tellapart run --evaluate cv`, from the command line to every file that speaks of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tellapart.progress import Progress
from tellapart.settings import Decoding

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
LoadJson = Callable[[Path], dict[str, Any]]

CROSSED = ("--evaluate", "cv", "--head", "ridge", "--no-advice")  # ridge fits in no time


@pytest.fixture(scope="session")
def crossed(tmp_path_factory: pytest.TempPathFactory, shapes: Path, kept_cache: Path) -> Path:
    """The run folder of a cross-validated run on `shapes`; tests only read it."""
    from tellapart.pipeline import run
    from tellapart.settings import RunSettings

    settings = RunSettings(evaluate="cv", head="ridge", advice=False)
    out = tmp_path_factory.mktemp("runs") / "crossed"
    return run(shapes, out, settings=settings, cache=kept_cache).out


def test_every_picture_judges_once(crossed: Path, load_json: LoadJson) -> None:
    metrics = load_json(crossed / "metrics.json")
    assert metrics["headline_split"] == "cv"
    assert metrics["headline"]["pictures"] == metrics["pictures"] == 36
    assert np.sum(metrics["confusion"]["counts"]) == 36
    told = pl.read_parquet(crossed / "predictions.parquet")
    assert told["path"].n_unique() == told.height == 36
    assert set(told["split"]) == {"cv"}
    right = told.filter(pl.col("label") == pl.col("predicted")).group_by("label").len()["len"].sum()
    assert right / 36 == pytest.approx(metrics["metrics"]["accuracy"]["value"])
    split = pl.read_parquet(crossed / "split.parquet")
    assert set(split["split"]) == {"cv"}
    assert sorted(set(split["fold"])) == list(range(10))


def test_answers_are_those_of_a_probe_made_from_the_other_folds(
    crossed: Path, shapes: Path, kept_cache: Path
) -> None:
    from tellapart.auditing import look_at
    from tellapart.backbones import get_backbone
    from tellapart.data import read
    from tellapart.features import open_cache
    from tellapart.heads import fit_probe

    quiet = Progress()
    with open_cache(kept_cache, quiet) as cache:
        pictures = read(shapes)
        backbone = get_backbone("lite0")
        seen = look_at(pictures, backbone, "auto", Decoding(), cache, quiet, rehash=False)
    split = pl.read_parquet(crossed / "split.parquet")
    assert split["path"].to_list() == list(pictures.paths)
    folds, codes = split["fold"].to_numpy(), pictures.codes()
    told = pl.read_parquet(crossed / "predictions.parquet").select("^p:.*$").to_numpy()
    with open_cache(kept_cache.with_name("another-cache"), quiet) as cache:
        for fold in (0, 7):
            train, judged = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            probe, computed = fit_probe(
                seen.features[train], codes[train], 3, train, [seen.ids[row] for row in train],
                seed=0, cache=cache, progress=quiet, head="ridge",
            )  # fmt: skip
            assert computed == 1
            assert np.array_equal(probe.head.probabilities(seen.features[judged]), told[judged])


def test_run_json_says_what_each_fold_chose(crossed: Path, load_json: LoadJson) -> None:
    run = load_json(crossed / "run.json")
    assert run["settings"]["evaluate"] == "cv"
    proof = run["split"]["proof"]
    assert proof["holds"]
    assert sum(proof["judged"]) == 36
    assert [one["trained"] for one in run["folds"]] == proof["trained"]
    assert all(one["choices"]["head"] == "ridge" for one in run["folds"])


def test_words_say_who_judged(
    crossed: Path, command: Command, shapes: Path, tmp_path: Path
) -> None:
    words = ("run", shapes, *CROSSED, "--out", tmp_path / "again")
    code, said, _ = command(*words)
    assert code == 0
    assert "judged on 36 pictures, each by a model that never saw it" in said.splitlines()[1]
    assert "The model that is kept learned from all 36 pictures" in said
    page = (tmp_path / "again" / "report.html").read_text(encoding="utf-8")
    assert "balanced accuracy on 36 pictures, each judged by a model that never saw it" in page
    assert "36 pictures in 10 folds that judge in turn" in page
    assert "Every fold has a temperature of its own" in page
    card = (tmp_path / "again" / "model" / "README.md").read_text(encoding="utf-8")
    assert "36 pictures in cross-validation" in card
    assert "This one learned from all of them." in card
    run = json.loads((tmp_path / "again" / "run.json").read_text(encoding="utf-8"))
    assert run["computed"] == {"decoded": 0, "embedded": 0, "fitted": 0, "advised": 0}


def test_findings_name_no_side(crossed: Path, load_json: LoadJson) -> None:
    findings = load_json(crossed / "audit.json")["findings"]
    assert {one["split"] for finding in findings for one in finding["pictures"]} <= {None}


def test_names_and_order_of_files_change_nothing(
    crossed: Path, command: Command, shapes: Path, tmp_path: Path
) -> None:
    place = Path(shutil.copytree(shapes, tmp_path / "renamed"))
    for one in place.glob("*/*.png"):
        one.rename(one.with_name(f"{99 - int(one.stem)}.png"))
    words = ("run", place, *CROSSED, "--out", tmp_path / "run", "--json")
    code, said, _ = command(*words)
    assert code == 0
    first = json.loads((crossed / "metrics.json").read_text(encoding="utf-8"))
    assert json.loads(said)["headline"] == first["headline"]
    one, other = (
        pl.read_parquet(folder / "predictions.parquet").drop("path").sort("id")
        for folder in (crossed, tmp_path / "run")
    )
    assert one.equals(other)


def test_evaluate_leaves_out_all_that_it_was_fitted_on(
    crossed: Path, refused: Refused, shapes: Path
) -> None:
    assert "the model was fitted on all 36 pictures" in refused("evaluate", crossed, shapes)


def test_new_pictures_are_judged(
    crossed: Path, command: Command, write_pictures: Callable[..., Path], tmp_path: Path
) -> None:
    new = write_pictures(tmp_path / "new", count=2, start=50)
    code, said, _ = command("evaluate", crossed, new, "--json")
    assert code == 0
    assert json.loads(said)["pictures"] == 6


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--evaluate", "vc"), "--evaluate vc: unknown; did you mean 'cv'? (known: holdout, cv)"),
        (("--evaluate", "cv", "--refit"), "--refit has no effect with --evaluate cv"),
        (("--evaluate", "cv", "--finetune", "yes"), "--evaluate cv cannot go with fine-tuning"),
        (("--evaluate", "cv", "--test", "0.3"), "have no effect with --evaluate cv"),
        (("--evaluate", "cv", "--test", "0.2"), "have no effect with --evaluate cv"),
        (("--evaluate", "cv", "--val", "0.1"), "have no effect with --evaluate cv"),
        (("--evaluate", "cv", "--split-from", "x"), "have no effect with --evaluate cv"),
        (("--evaluate", "cv", "--order-column", "x"), "have no effect with --evaluate cv"),
    ],
)
def test_options_without_effect_are_refused(
    refused: Refused, shapes: Path, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    assert line in refused("run", shapes, "--out", tmp_path / "run", *words)


def test_a_given_split_is_refused(
    refused: Refused, write_pictures: Callable[..., Path], tmp_path: Path
) -> None:
    for side in ("train", "test"):
        write_pictures(tmp_path / "data" / side, count=2, start=0 if side == "train" else 5)
    line = refused("run", tmp_path / "data", "--evaluate", "cv")
    assert "--evaluate cv has no effect here: the data gives its own split" in line


def test_a_class_with_fewer_pictures_than_folds(
    command: Command, write_pictures: Callable[..., Path], tmp_path: Path
) -> None:
    data = write_pictures(tmp_path / "data", names=("boxes",), count=2)
    shutil.copytree(write_pictures(tmp_path / "more") / "dots", data / "dots")
    quick = ("--backbone", "color", "--head", "mean", "--no-advice", "--quiet", "--json")
    code, said, _ = command("run", data, "--evaluate", "cv", *quick, "--out", tmp_path / "run")
    found = json.loads(said)
    assert code == 0
    assert [one["pictures"] for one in found["per_class"]] == [2, 12]
    text = (tmp_path / "run" / "audit.json").read_text(encoding="utf-8")
    (small,) = [one for one in json.loads(text)["findings"] if one["kind"] == "small_class"]
    assert "'boxes'" in small["message"]


def test_its_folds_are_no_sides_to_keep(
    crossed: Path, refused: Refused, shapes: Path, tmp_path: Path
) -> None:
    line = refused("run", shapes, "--split-from", crossed, "--out", tmp_path / "run")
    assert "it was judged by cross-validation and has no sides to keep" in line
