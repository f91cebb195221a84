"""Commands to try next say the settings again that they were made with."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from tellapart.cli.main import run_verb
from tellapart.command_lines import quoted, run_options
from tellapart.settings import Decoding, ReadSettings, RunSettings, SplitSettings

ALL = RunSettings(
    read=ReadSettings(
        path_column="the file", label_column="what", group_column="place", split_column="side",
        label_regex=r"(\w+)/", group_regex="^(.)", label_map={"a": "b c", "d": "e"},
        classes=("b c", "e"), max_missing=0.5,
    ),
    decoding=Decoding(bands=("B", "G", "4"), max_pixels=1_000_000),
    split=SplitSettings(test=0.3, val=0.1, seed=5, split_from="my runs/a", order_column="day"),
    image_sizes=(96, 160),
    views=2,
    engine="openvino",
    head="ridge",
    search=3,
    mirror=False,
    seed=5,
)  # fmt: skip


def test_usual_settings_need_no_options() -> None:
    assert run_options(RunSettings()) == ""


@pytest.mark.parametrize("sizes", [(96, 160), "auto", ()])
def test_a_run_with_these_options_has_these_settings(
    monkeypatch: pytest.MonkeyPatch, sizes: Any
) -> None:
    told = []
    monkeypatch.setattr("tellapart.pipeline.run", lambda *_, settings, **__: told.append(settings))
    monkeypatch.setattr("tellapart.cli.run.print_run", lambda _: None)
    wanted = replace(ALL, image_sizes=sizes)
    assert run_verb(["run", "data", *shlex.split(run_options(wanted))]) == 0
    assert told == [wanted]


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("timm:resnet18", "timm:resnet18"),
        ("file:weights.pth@resnet18", "file:weights.pth@resnet18"),
        ("lite0+color", "lite0+color"),
        ("hf:my models/vit", '"hf:my models/vit"'),
        ("a&b", '"a&b"'),
    ],
)
def test_what_a_shell_would_change_is_quoted(value: str, typed: str) -> None:
    assert quoted(value) == typed
