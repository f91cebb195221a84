import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tellapart as ta
from tellapart.backbones import get_backbone
from tellapart.errors import ModelError, OptionError, OutputError
from tellapart.models import folder as folder_module
from tellapart.models.folder import file_digest
from tellapart.places import FORMAT

FILES = ("model.json", "head.safetensors", "network.xml", "network.bin", "README.md")


def edit(model: Path, **changes: Any) -> None:
    """Change fields of model.json; the digests are made to fit, as somebody with intent would."""
    stored = json.loads((model / "model.json").read_text(encoding="utf-8"))
    stored.update(changes)
    stored["files"] = {name: file_digest(model / name) for name in stored["files"]}
    (model / "model.json").write_text(json.dumps(stored), encoding="utf-8")


def edit_head(model: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    head = change(load_file(model / "head.safetensors"))
    save_file(head, model / "head.safetensors")
    edit(model)


def test_a_model_folder_holds_these_files_and_no_more(model: Path) -> None:
    assert sorted(one.name for one in model.iterdir()) == sorted(FILES)


def test_model_json_says_what_the_model_is(model: Path, shapes: Path) -> None:
    stored = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert stored["format"] == FORMAT
    assert stored["classes"] == ["boxes", "dots", "lines"]
    (part,) = stored["parts"]
    assert (part["name"], part["network"], part["licence"]) == (
        "lite0",
        "network.xml",
        "Apache-2.0",
    )
    assert (part["bands"], part["views"], part["features"]) == ([0, 1, 2], ["whole"], 1280)
    assert len(part["weights_digest"]) >= 32
    assert stored["head"] == "logistic"
    assert {"name", "value", "low", "high", "pictures", "split"} <= set(stored["headline"])
    assert len(stored["trained_on"]) == 36 - stored["headline"]["pictures"]
    assert set(stored["files"]) == {"head.safetensors", "network.xml", "network.bin"}


def test_what_is_saved_again_predicts_the_same(model: Path, shapes: Path, tmp_path: Path) -> None:
    pictures = sorted(shapes.glob("*/*.png"))[::5]
    loaded = ta.load(model)
    again = ta.load(loaded.save(tmp_path / "again"))
    assert again.classes == loaded.classes
    assert np.array_equal(again.predict_proba(pictures), loaded.predict_proba(pictures))
    assert loaded.save(tmp_path / "again")  # over a model of ours


def test_a_run_folder_and_its_model_folder_load_alike(finished: Path) -> None:
    assert ta.load(finished).networks == ta.load(finished / "model").networks


def test_an_operating_point_is_saved_again(model: Path, tmp_path: Path) -> None:
    point = {"name": "boxes", "threshold": 0.25, "measure": "precision", "target": 0.9}
    edit(model, operating=point)
    again = ta.load(ta.load(model).save(tmp_path / "again"))
    assert again.operating == point


def test_a_model_is_not_saved_over_something_else(model: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.doc").write_text("years of work")
    with pytest.raises(OutputError, match="holds something that is no model"):
        ta.load(model).save(tmp_path / "thesis")
    with pytest.raises(OutputError, match="is a file: choose a folder"):
        ta.load(model).save(tmp_path / "thesis" / "thesis.doc")


def test_no_such_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model: .*nowhere; give a run folder"):
        ta.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds no model \(model.json is missing\)"):
        ta.load(tmp_path)


@pytest.mark.parametrize("name", FILES[1:4])
def test_a_missing_file(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelError, match=f"the model in .* is incomplete: {name} is missing"):
        ta.load(model)


@pytest.mark.parametrize("name", FILES[1:4])
def test_a_damaged_file(model: Path, name: str) -> None:
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is damaged: its content is not what model.json"):
        ta.load(model)


@pytest.mark.parametrize("name", FILES[:4])
@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link(model: Path, tmp_path: Path, name: str) -> None:
    (model / name).rename(tmp_path / name)
    (model / name).symlink_to(tmp_path / name)
    with pytest.raises(ModelError, match=f"{name} is a link: a model folder holds its own files"):
        ta.load(model)


def test_a_file_that_is_too_large(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(folder_module.MOST_BYTES, "head.safetensors", 100)
    with pytest.raises(ModelError, match=r"head.safetensors is larger than 100 bytes: this is no"):
        ta.load(model)


def test_a_newer_format(model: Path) -> None:
    edit(model, format=FORMAT + 1, tellapart="99.0")
    with pytest.raises(ModelError, match=r"has format 2, written by tellapart 99.0; .* update"):
        ta.load(model)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "1"}', "\x00"])
def test_damaged_json(model: Path, text: str) -> None:
    (model / "model.json").write_text(text)
    with pytest.raises(ModelError, match="model.json (is damaged|was not written by tellapart)"):
        ta.load(model)


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["dots"]},
        {"classes": "boxesdots"},
        {"classes": ["dots", "lines", "lines"]},
        {"classes": ["dots", "lines", 3]},
        {"parts": []},
        {"parts": None},
        {"decoding": None},
        {"parts": [{"name": "lite0"}]},
        {"headline": {"name": "balanced_accuracy", "value": "much"}},
        {"decoding": {"bands": None, "max_pixels": 10**15, "max_file_bytes": 1}},
        {"trained_on": [[]]},
        {"card": None},
        {"head": None},
        {"tta": ["whole", "whole"]},
        {"tta": ["inside out"]},
        {"tta": 3},
    ],
)
def test_a_wrong_field_of_model_json(model: Path, changes: dict[str, Any]) -> None:
    edit(model, **changes)
    with pytest.raises(ModelError, match="model.json is damaged"):
        ta.load(model)


def edit_part(model: Path, **changes: Any) -> None:
    stored = json.loads((model / "model.json").read_text(encoding="utf-8"))
    edit(model, parts=[{**stored["parts"][0], **changes}])


@pytest.mark.parametrize(
    "changes", [{"interpolation": "psychic"}, {"fit": "psychic"}, {"size": -1}, {"crop_share": 0}]
)
def test_a_transform_that_cannot_be(model: Path, changes: dict[str, Any]) -> None:
    stored = json.loads((model / "model.json").read_text(encoding="utf-8"))
    edit_part(model, transform={**stored["parts"][0]["transform"], **changes})
    with pytest.raises(ModelError, match="model.json is damaged"):
        ta.load(model)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "network2.xml"},
        {"network": "../network.xml"},
        {"network": None},
        {"network": None, "name": "pca:x"},
        {"bands": [0, 1]},
        {"bands": [0, 1, 3]},
        {"bands": [0, 1, -1]},
        {"views": []},
        {"views": ["whole", "whole"]},
        {"views": ["inside out"]},
        {"features": 10**9},
    ],
)
def test_a_part_that_cannot_be(model: Path, changes: dict[str, Any]) -> None:
    edit_part(model, **changes)
    with pytest.raises(ModelError, match="model.json is damaged|no network of tellapart"):
        ta.load(model)


def test_views_are_averaged_in_one_way_only(model: Path) -> None:
    loaded = ta.load(model)
    assert ta.load(loaded.with_views(2).save(model)).tta == ("whole", "whole, mirrored")
    (part,) = loaded.parts
    doubled = replace(loaded, parts=(replace(part, views=("whole", "middle")),))
    with pytest.raises(OptionError, match="--tta cannot go with this model, which averages"):
        doubled.with_views(2)
    edit_part(model, views=["whole", "middle"])
    with pytest.raises(ModelError, match="both the features and the probabilities of views"):
        ta.load(model)


def test_classical_features_computed_otherwise_by_another_version(model: Path) -> None:
    color = get_backbone("color")
    edit_part(
        model,
        network=None,
        name="color",
        features=color.features,
        transform=color.transform.to_json(),
        weights_digest="0" * 64,
    )
    with pytest.raises(ModelError, match="color features are computed otherwise by this version"):
        ta.load(model)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_number_that_is_none(model: Path, number: float) -> None:
    def spoil(head: dict[str, Any]) -> dict[str, Any]:
        head["weights"][7, 1] = number
        return head

    edit_head(model, spoil)
    with pytest.raises(ModelError, match=r"head.safetensors is damaged: .* not finite \(NaN\)"):
        ta.load(model)


@pytest.mark.parametrize(
    "change",
    [
        lambda head: {**head, "weights": head["weights"][:-1]},
        lambda head: {**head, "bias": head["bias"][:-1]},
        lambda head: {"weights": head["weights"]},
        lambda head: {**head, "more": head["bias"]},
    ],
)
def test_a_head_that_does_not_fit(
    model: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    edit_head(model, change)
    with pytest.raises(ModelError, match="head.safetensors does not fit this model: it holds"):
        ta.load(model)


def test_a_head_of_another_type(model: Path) -> None:
    edit_head(model, lambda head: {**head, "bias": head["bias"].astype(np.int64)})
    with pytest.raises(ModelError, match="does not fit this model: it holds .*int64"):
        ta.load(model)


def test_a_head_that_is_no_safetensors(model: Path) -> None:
    (model / "head.safetensors").write_bytes(b"\x80\x04K\x01.")  # a pickle
    edit(model)
    with pytest.raises(ModelError, match="head.safetensors is damaged"):
        ta.load(model)


def test_a_network_with_another_operation(model: Path) -> None:
    text = (model / "network.xml").read_text(encoding="utf-8")
    (model / "network.xml").write_text(
        text.replace('type="Clamp"', 'type="ReadFile"'), encoding="utf-8"
    )
    edit(model)
    with pytest.raises(ModelError, match="the operation 'ReadFile' is not among those it may use"):
        ta.load(model)


def test_a_model_works_without_the_folder_that_made_it(
    finished: Path, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = sorted(shapes.glob("*/*.png"))[::7]
    expected = ta.load(finished).predict_proba(pictures)
    away = Path(shutil.copytree(finished / "model", tmp_path / "elsewhere" / "m"))
    monkeypatch.setenv("TELLAPART_CACHE", os.devnull)  # no cache is needed either
    assert np.array_equal(ta.load(away).predict_proba(pictures), expected)
