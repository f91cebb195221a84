"""What answers on held-out pictures are measured against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tellapart.data.pictures import FileSource, PictureSet
from tellapart.evaluating import Answers, judge
from tellapart.evaluation.pretraining import pretraining_words
from tellapart.results import Fitted
from tellapart.settings import FinetuneSettings, RunSettings
from tellapart.splits import Split

SURE, WRONG = [0.9, 0.1], [0.1, 0.9]
N = 12


@pytest.fixture
def pictures() -> PictureSet:
    labels = ("a", "b") * (N // 2)
    paths = tuple(f"{row}.png" for row in range(N))
    nothing: tuple[None, ...] = (None,) * N
    return PictureSet(
        root="", paths=paths, sources=tuple(FileSource(path) for path in paths), labels=labels,
        groups=nothing, splits=nothing, classes=("a", "b"), columns={}, notes=(),
    )  # fmt: skip


def test_pretraining_is_measured_without_views_on_both_sides(pictures: PictureSet) -> None:
    """The probe has no test-time views, so what they bring is no part of the difference."""
    split = Split(
        sides=np.array(["test"] * N), counted=np.ones(N, bool), leaked=np.zeros(N, bool),
        components=np.arange(N), given=True, headline="test", proof={},
    )  # fmt: skip
    probe: Any = None  # nothing here asks for it
    fitted = Fitted(probe, probe, ("a", "b"), np.arange(N), 0)
    right = np.array([SURE, WRONG] * (N // 2), np.float32)
    half = np.array([SURE] * N, np.float32)
    answers = Answers(
        rows=np.arange(N), probabilities=right, untempered=None, whole=half, seconds=(1.0, 2.0),
        pretrained=right,
    )  # fmt: skip
    settings = RunSettings(finetune=FinetuneSettings(mode="scratch", tta=2))
    found = judge(pictures, split, fitted, answers, settings)
    assert found.evaluation.headline.value == 1.0
    assert found.pretraining is not None
    assert found.pretraining.scratch.headline.value == 0.5
    assert found.pretraining.difference.value == 0.5
    assert "trained from random weights 0.500" in pretraining_words(found.pretraining)
    alone = replace(answers, whole=None)
    found = judge(pictures, split, fitted, alone, settings)
    assert found.pretraining is not None
    assert found.pretraining.difference.value == 0.0
