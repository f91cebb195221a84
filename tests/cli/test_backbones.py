import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
NETWORK = "timm:test_efficientnet"


def test_what_can_be_had_is_listed(command: Command) -> None:
    code, said, _ = command("backbones")
    assert code == 0
    assert said.startswith("here, offline\n")
    assert "recommended, one download each" in said
    assert "Apache-2.0" in said
    code, said, _ = command("backbones", "lite0", "--json")
    found = json.loads(said)
    assert [one["name"] for one in found["here"]] == ["lite0"]
    assert found["here"][0]["features"] == 1280
    code, said, _ = command("backbones", "no such network")
    assert (code, said) == (0, "no backbone's name holds or matches 'no such network'\n")


def test_a_pattern_searches_timm_too(command: Command) -> None:
    pytest.importorskip("torch")
    code, said, _ = command("backbones", "convnext_tiny*")
    assert code == 0
    assert "timm:convnext_tiny.fb_in1k " in said
    assert "torchvision:convnext_tiny.IMAGENET1K_V1 " in said


def test_a_backbone_s_layers(command: Command) -> None:
    pytest.importorskip("torchinfo")
    code, said, _ = command("summary", "lite0")
    assert code == 0
    assert "features     1,280" in said
    assert "trains 3,117,024 parameters: blocks.4 to conv_head; conv_stem to blocks.3 stay" in said
    assert "Trainable params: 3,117,024" in said
    assert re.search(r"Sequential \(3\).*False\n", said)
    assert re.search(r"Sequential \(4\).*True\n", said)
    assert "[1, 32, 112, 112]" in said


def test_layers_without_torchinfo(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchinfo", None)
    code, said, _ = command("summary", "lite0")
    assert code == 0
    assert "For its layers: this needs torchinfo" in said
    assert 'pip install "tellapart[torch]"' in said


def test_a_model_s_summary_needs_no_torch(
    command: Command, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    code, said, _ = command("summary", finished, "--json")
    found = json.loads(said)["found"]
    assert code == 0
    assert found["classes"] == "3"
    assert "trained" in found["head"]
    assert "lite0, 1,280 features; licence Apache-2.0" in found["backbone"]


def test_neither_a_folder_nor_a_backbone(refused: Refused) -> None:
    line = refused("summary", "lite00")
    assert "unknown backbone 'lite00'; did you mean 'lite0'?" in line


def test_a_run_on_another_library_s_network_predicts_without_it(
    command: Command, shapes: Path, tmp_path: Path, load_json: Callable[[Path], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("timm")
    out = tmp_path / "run"
    words = ("--backbone", NETWORK, "--weights", "none", "--resize", "squash", "--image-size", "64")
    code, _, err = command("run", shapes, *words, "--out", out, "--quiet", "--no-advice")
    assert (code, err) == (0, "")
    stored = load_json(out / "run.json")
    assert stored["settings"]["network"]["weights"] == "none"
    part = load_json(out / "model" / "model.json")["parts"][0]
    assert (part["transform"]["size"], part["transform"]["fit"]) == (64, "squash")
    for name in ("torch", "timm"):
        monkeypatch.setitem(sys.modules, name, None)
    code, said, _ = command("predict", out, shapes / "dots", "--quiet", "--json")
    assert code == 0
    assert json.loads(said.splitlines()[0])["problem"] is None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("--backbone", "lite0", "--weights", "none"),
            "have no effect on lite0: they are for timm:",
        ),
        (("--weights", "nun"), "--weights 'nun' is none of pretrained, none"),
        (("--mean", "a,b"), "--mean a,b: give numbers such as 0.5,0.5,0.5"),
        (("--backbone", "file:x.pth"), "write file:WEIGHTS@ARCHITECTURE"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(
    refused: Refused, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    assert line in refused("run", tmp_path, *words)
