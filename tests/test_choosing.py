"""What the features are made of, from the command line to the model folder that predicts alike."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import tellapart as ta
from tellapart.choosing import best_of
from tellapart.settings import FinetuneSettings

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
needs_skimage = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None, reason="needs [classical]"
)

needs_lightning = pytest.mark.skipif(
    importlib.util.find_spec("lightning") is None, reason="needs [finetune]"
)


@pytest.fixture(scope="session")
def four_bands(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shapes with a fourth band (as RGBA files), which tells the classes apart by itself."""
    folder = tmp_path_factory.mktemp("data") / "chips"
    for file in sorted(shapes.glob("*/*.png")):
        image = Image.open(file)
        level = {"boxes": 60, "dots": 130, "lines": 200}[file.parent.name]
        noise = np.random.default_rng(int(file.stem)).integers(-25, 26, (96, 96))
        image.putalpha(Image.fromarray((level + noise).astype(np.uint8)))
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        image.save(folder / file.parent.name / file.name)
    return folder


def run_and_predict(command: Command, data: Path, out: Path, *options: str) -> dict[str, Any]:
    """Run, check that the model folder gives predictions.parquet again, return run.json."""
    code, _, progress = command("run", data, "--out", out, "--no-advice", *options)
    assert code == 0, progress
    table = pl.read_parquet(out / "predictions.parquet")
    model = ta.load(out)
    expected = table.select("^p:.*$").to_numpy().astype(np.float32)
    paths = [data / path for path in table["path"]]
    assert np.array_equal(model.predict_proba(paths), expected)
    assert np.array_equal(model.predict_proba(paths[:1]), expected[:1])
    record: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return record


def files_of(out: Path) -> set[str]:
    return {one.name for one in (out / "model").iterdir()} - {"README.md", "model.json"}


# ---- sums, classical features, views


def test_a_sum(command: Command, shapes: Path, tmp_path: Path) -> None:
    record = run_and_predict(command, shapes, tmp_path / "run", "--backbone", "color+lite0")
    assert [one["backbone"] for one in record["parts"]] == ["color", "lite0"]
    assert record["backbone"]["name"] == "color+lite0"
    assert files_of(tmp_path / "run") == {"head.safetensors", "network.xml", "network.bin"}
    stored = json.loads((tmp_path / "run" / "model" / "model.json").read_text(encoding="utf-8"))
    assert [one["network"] for one in stored["parts"]] == [None, "network.xml"]
    card = (tmp_path / "run" / "model" / "README.md").read_text(encoding="utf-8")
    assert "- Backbone: color, 60 features at 64 px, licence none needed: no weights." in card


def test_two_networks_are_two_files(command: Command, shapes: Path, tmp_path: Path) -> None:
    """As the backbone at two sizes: any two networks would do, and one is what an install has."""
    out = tmp_path / "run"
    run_and_predict(command, shapes, out, "--image-size", "64")
    model = ta.load(out)
    first = ta.load(out).parts[0]
    both = model.__class__(
        **{
            **{name: getattr(model, name) for name in model.__dataclass_fields__},
            "parts": (first, first.__class__(**{**vars(first), "network": "network2.xml"})),
            "networks": {
                "network.xml": model.networks["network.xml"],
                "network2.xml": model.networks["network.xml"],
            },
            "head": type(model.head)(
                model.head.kind, np.concatenate([model.head.weights / 2] * 2), model.head.bias
            ),
        }
    )
    saved = both.save(tmp_path / "both")
    assert {one.name for one in saved.iterdir()} >= {"network2.xml", "network2.bin"}
    pictures = sorted(shapes.glob("*/*.png"))[:4]
    again = ta.load(saved)
    np.testing.assert_allclose(
        again.predict_proba(pictures), model.predict_proba(pictures), atol=1e-5
    )
    model.save(saved)  # what is not needed any more goes
    assert not (saved / "network2.xml").exists()


@pytest.mark.parametrize(
    ("name", "features"), [("pca:20", 3_072), pytest.param("hog", 1_764, marks=needs_skimage)]
)
def test_classical_features_alone(
    command: Command, shapes: Path, tmp_path: Path, name: str, features: int
) -> None:
    record = run_and_predict(command, shapes, tmp_path / "run", "--backbone", name)
    assert files_of(tmp_path / "run") == {"head.safetensors"}
    assert record["parts"][0]["features"] == features
    assert record["engine"]["name"] in ("numpy", "scikit-image")
    chosen = {one["what"]: one["chosen"] for one in record["choices"]}
    assert chosen.get("principal components") == ("20" if name == "pca:20" else None)


def test_prediction_with_numpy_alone(
    command: Command,
    process: Callable[..., subprocess.Popen[str]],
    shapes: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    run_and_predict(command, shapes, out, "--backbone", "pca:20")
    code = (
        "import sys; from tellapart.cli.main import run_verb; run_verb(sys.argv[1:]);"
        "print([x for x in ('torch', 'openvino', 'polars', 'sklearn', 'scipy', 'skimage')"
        " if x in sys.modules], file=sys.stderr)"
    )
    picture = next(shapes.glob("*/*.png"))
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code, "predict", str(out), str(picture), "--quiet"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.strip() == "[]"


def test_views_are_averaged(command: Command, shapes: Path, tmp_path: Path) -> None:
    record = run_and_predict(command, shapes, tmp_path / "run", "--views", "3")
    assert record["parts"][0]["views"] == ["whole", "whole, mirrored", "middle"]
    assert record["parts"][0]["features"] == 1_280
    record = run_and_predict(
        command, shapes, tmp_path / "run", "--views", "2", "--no-mirror", "--backbone", "color"
    )
    assert record["parts"][0]["views"] == ["whole", "middle"]


# ---- what cross-validation chooses


def test_the_input_size_is_chosen(command: Command, shapes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    record = run_and_predict(command, shapes, out, "--image-size", "64, 32,96")
    choice = record["choices"][0]
    assert choice["what"] == "input size"
    sizes = [one["image_size"] for one in choice["candidates"]]
    assert sizes == [32, 64, 96]
    assert choice["chosen"] == f"{record['parts'][0]['image_size']} px"
    best = max(choice["candidates"], key=lambda one: one["balanced_accuracy"])
    mine = choice["candidates"][sizes.index(record["parts"][0]["image_size"])]
    assert best["balanced_accuracy"] - mine["balanced_accuracy"] <= best["standard_error"] + 1e-9
    assert record["computed"]["fitted"] >= 1
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "standard error" in page
    code, said, _ = command("run", shapes, "--out", out, "--image-size", "64,32,96", "--no-advice")
    assert (code, "Input size " in said) == (0, True)
    again = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (again["computed"]["embedded"], again["computed"]["fitted"]) == (0, 0)


def test_ties_go_to_the_least_loss_then_to_the_first() -> None:
    def tried(score: float, error: float, loss: float) -> SimpleNamespace:
        return SimpleNamespace(score=score, error=error, loss=loss)

    far, near, best = tried(0.80, 0.02, 0.1), tried(0.89, 0.02, 0.4), tried(0.90, 0.02, 0.5)
    assert best_of([far, near, best]) == 1
    assert best_of([far, best, near]) == 2
    assert best_of([best, best]) == 0
    assert best_of([far, best]) == 1


@pytest.mark.parametrize("way", ["composites", "adapted"])
def test_four_bands(
    command: Command, four_bands: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ways are tried; each of them predicts from the model folder as it was judged."""
    from tellapart import choosing

    ways = ("composites", "adapted")
    monkeypatch.setattr(choosing, "best_of", lambda tried: ways.index(way))
    out = tmp_path / "run"
    record = run_and_predict(command, four_bands, out, "--bands", "R,G,B,N")
    choice = record["choices"][0]
    assert (choice["what"], choice["chosen"]) == ("bands", choosing.WAYS[way])
    assert [(one["bands"], one["features"]) for one in choice["candidates"]] == [
        ("composites", 2_560),
        ("adapted", 1_280),
    ]
    seen = [one["bands"] for one in record["parts"]]
    assert seen == ([[0, 1, 2], [3, 0, 1]] if way == "composites" else [[0, 1, 2, 3]])
    assert files_of(out) == {"head.safetensors", "network.xml", "network.bin"}


def test_a_band_more_tells_more(command: Command, four_bands: Path, tmp_path: Path) -> None:
    """Here the fourth band gives the class away: whoever sees it must be right."""
    values = []
    for bands in ("R,G,B", "R,G,B,N"):
        options = ("--bands", bands, "--backbone", "color")
        record = run_and_predict(command, four_bands, tmp_path / "run", *options)
        assert record["parts"][0]["bands"] == list(range(len(bands.split(","))))
        metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
        values.append(metrics["headline"]["value"])
    assert values[0] < values[1] == 1.0


def test_two_bands_and_one(command: Command, four_bands: Path, tmp_path: Path) -> None:
    record = run_and_predict(command, four_bands, tmp_path / "two", "--bands", "N,R")
    assert record["choices"][0]["what"] == "bands"
    record = run_and_predict(command, four_bands, tmp_path / "one", "--bands", "4")
    assert [one["bands"] for one in record["parts"]] == [[0, 0, 0]]


def test_statistics_of_bands_come_from_training_pictures_alone(
    command: Command, four_bands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tellapart import choosing
    from tellapart.backbones.adapted import BandStatistics

    taken = []
    real = BandStatistics.of_colours

    def spy(features: np.ndarray, bands: int) -> BandStatistics:
        taken.append(real(features, bands))
        return taken[-1]

    monkeypatch.setattr(choosing.BandStatistics, "of_colours", spy)
    out = tmp_path / "run"
    run_and_predict(command, four_bands, out, "--bands", "R,G,B,N")
    train = pl.read_parquet(out / "split.parquet").filter(pl.col("split") == "train")["path"]
    levels = [np.asarray(Image.open(four_bands / path))[:, :, 3] for path in train]
    assert taken[0].mean[3] == pytest.approx(np.mean(levels), abs=0.3)


@needs_lightning
def test_fine_tuning_trains_one_network_on_all_bands(
    kept_cache: Path, four_bands: Path, tmp_path: Path
) -> None:
    """Composites would be two networks' answers: they are left out; and the model predicts what was
    judged."""
    settings = ta.RunSettings(
        decoding=ta.Decoding(bands=("R", "G", "B", "N")),
        image_sizes=(64,),
        advice=False,
        finetune=FinetuneSettings(mode="yes", epochs=1, size=32, alphas=(1.0,)),
    )
    run = ta.run(four_bands, tmp_path / "run", settings=settings, cache=kept_cache)
    out = run.out
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["finetune"]["kept"] == "network"
    (part,) = record["parts"]
    assert part["bands"] == [0, 1, 2, 3]
    assert any("The saved network agrees with torch: 2" in one for one in run.words)
    table = pl.read_parquet(out / "predictions.parquet")
    found = ta.load(out).predict_proba([four_bands / path for path in table["path"]])
    assert np.array_equal(found, table.select("^p:.*$").to_numpy().astype(np.float32))


@needs_lightning
@pytest.mark.parametrize(
    ("backbone", "words"),
    [
        ("color", "color is no network that could be trained on: choose one for --backbone, such"),
        ("lite0+color", "--backbone lite0+color cannot go with fine-tuning, which trains one"
         " network: name one of the sum"),
    ],
)  # fmt: skip
def test_what_cannot_be_fine_tuned(
    refused: Refused, shapes: Path, tmp_path: Path, backbone: str, words: str
) -> None:
    asked = ("run", shapes, "--out", tmp_path / "run", "--finetune", "yes")
    assert words in refused(*asked, "--backbone", backbone)


@needs_lightning
def test_more_bands_for_a_network_that_cannot_take_them(
    refused: Refused, four_bands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With composites left out, nothing is left: that is said."""
    from tellapart import choosing
    from tellapart.backbones.adapted import CannotAdapt

    def cannot(*_: Any, **__: Any) -> None:
        raise CannotAdapt("the first layer of lite0 is no convolution")

    monkeypatch.setattr(choosing, "look", cannot)
    line = refused(
        "run", four_bands, "--bands", "R,G,B,N", "--finetune", "yes", "--out", tmp_path / "run"
    )
    assert line.endswith(
        "the first layer of lite0 is no convolution, and fine-tuning trains one network: choose"
        " another --backbone, or three bands, such as --bands R,G,B"
    )


# ---- what is refused


def test_pictures_without_a_band_are_counted_and_named(
    refused: Refused, four_bands: Path, shapes: Path, tmp_path: Path
) -> None:
    for file in sorted(four_bands.glob("*/*.png")):
        (tmp_path / "mixed" / file.parent.name).mkdir(parents=True, exist_ok=True)
        source = shapes if file.name < "002" else four_bands
        target = tmp_path / "mixed" / file.parent.name / file.name
        target.write_bytes((source / file.parent.name / file.name).read_bytes())
    line = refused("run", tmp_path / "mixed", "--bands", "R,G,B,N", "--out", tmp_path / "run")
    assert line == (
        "tellapart: --bands R,G,B,N: 6 of 36 pictures do not have them (boxes/000.png: band N was"
        " asked for, but the file has 3 bands; boxes/001.png: band N was asked for, but the file"
        " has 3 bands; dots/000.png: band N was asked for, but the file has 3 bands; ...; 30 have 4"
        " bands): ask for bands that every picture has, or leave those pictures out"
    )
    line = refused("run", shapes, "--bands", "R,G,B,N", "--out", tmp_path / "run")
    assert "none of the 36 pictures can be used; boxes/000.png: band N was asked for, but" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--backbone", "lite0+lite0"], "the same backbone twice adds nothing; name it once"),
        (["--backbone", "lite0+pca:9"], "pca:9 cannot stand in a sum, for its components are"),
        (["--backbone", "lite0+hgo"], "unknown backbone 'hgo'; did you mean 'hog'?"),
        (["--backbone", "pca"], "needs a number of components: write pca:100"),
        (["--backbone", "pca:99999"], "asks for more components than pictures of 64 x 64 pixels"),
        (["--backbone", "color:3"], "color takes no number: write color"),
        (["--backbone", "color", "--image-size", "32"], "--image-size has no effect on color"),
        (["--backbone", "color", "--precision", "int8"], "int8 has no effect on color"),
        (["--image-size", "big"], "give pixels such as 160 or 96,160,224, or auto"),
        (["--image-size", "0"], "give pixels such as 160 or 96,160,224, or auto"),
        (["--image-size", "5000"], "--image-size 5000: 4,096 pixels at most are taken"),
        (["--views", "0"], "--views 0: 1 to 12 views are there"),
        (["--views", "13"], "--views 13: 1 to 12 views are there"),
        (["--views", "7", "--no-mirror"], "1 to 6 views are there without mirrored ones"),
    ],
)  # fmt: skip
def test_options_that_cannot_be(
    refused: Refused, shapes: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    assert words in refused("run", shapes, "--out", tmp_path / "run", *options)


def test_hog_without_its_library(
    refused: Refused, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "skimage", None)
    line = refused("run", shapes, "--backbone", "hog", "--out", tmp_path / "run")
    assert line.startswith("tellapart: this needs skimage, which is not installed")
    assert line.endswith('pip install "tellapart[classical]"')


def test_an_audit_looks_at_three_bands(
    refused: Refused, command: Command, four_bands: Path
) -> None:
    line = refused("audit", four_bands, "--bands", "R,G,B,N")
    assert line == (
        "tellapart: --bands R,G,B,N: an audit looks at three bands at most; name those that show"
        " most"
    )
    code, _, progress = command("audit", four_bands, "--bands", "N,R,G", "--quiet")
    assert code == 0, progress


def test_estimators_take_classical_features(cache: Path, shapes: Path) -> None:
    paths = sorted(shapes.glob("*/*.png"))
    labels = [one.parent.name for one in paths]
    fitted = ta.ImageClassifier(backbone="pca:5").fit(paths, labels)
    chosen = {one["what"]: one["chosen"] for one in fitted.choices_}
    assert chosen["principal components"] == "5"
    assert ta.ImageEmbedder(backbone="color").transform(paths[:2]).shape == (2, 60)
