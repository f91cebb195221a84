"""A small network of its own and a folder of drawn pictures: trainings of a second or two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tellapart.backbones.records import Backbone
from tellapart.data.pictures import FileSource
from tellapart.finetuning.finetune import Question
from tellapart.finetuning.records import Examples
from tellapart.heads.linear import LinearHead
from tellapart.images import Transform, picture_id
from tellapart.settings import Decoding, FinetuneSettings

SIZE, FEATURES = 32, 24


def small_network() -> Any:
    """Return four blocks behind a stem, with random but fixed weights."""
    import torch
    from torch import nn

    def block(channels: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, channels, 1),
            nn.ReLU(),
            nn.Dropout(0.05),
        )

    torch.manual_seed(0)
    blocks = nn.Sequential(*(block(FEATURES) for _ in range(4)))
    stem = nn.Conv2d(3, FEATURES, 3, stride=4, padding=1)
    return nn.Sequential(stem, blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


@pytest.fixture(scope="session")
def small_backbone() -> Backbone:
    """A backbone of 32 px that torch alone runs."""
    middle = (127.5, 127.5, 127.5)
    return Backbone(
        name="small",
        features=FEATURES,
        transform=Transform(SIZE, "squash", 1.0, "bilinear", middle, middle),
        weights_digest="0" * 64,
        licence="Apache-2.0",
        parameters=1,
        source="tests",
        build=lambda: None,
        torch_module=small_network,
    )


@pytest.fixture(scope="session")
def drawn(
    tmp_path_factory: pytest.TempPathFactory, write_pictures: Callable[..., Path]
) -> list[Path]:
    """36 drawn pictures of three classes, by class."""
    folder = write_pictures(tmp_path_factory.mktemp("drawn"))
    return sorted(folder.rglob("*.png"))


@pytest.fixture
def question(
    drawn: list[Path], small_backbone: Backbone, tmp_path: Path
) -> Callable[..., Question]:
    """A function (**settings) -> a question about the drawn pictures."""
    files = [(picture_id(one.read_bytes()), one) for one in drawn]
    names = tuple(sorted({one.parent.name for one in drawn}))
    rng = np.random.default_rng(0)
    examples = Examples(
        sources=[FileSource(str(one)) for _, one in files],
        ids=[id_ for id_, _ in files],
        labels=np.array([names.index(one.parent.name) for _, one in files], np.intp),
        features=rng.normal(size=(len(files), FEATURES)).astype(np.float32),
        components=np.arange(len(files)),
        classes=names,
    ).sorted()
    head = LinearHead(
        "logistic",
        rng.normal(size=(FEATURES, 3)).astype(np.float32),
        np.zeros(3, np.float32),
    )

    def ask(folder: Path | None = None, **changes: Any) -> Question:
        settings = {"mode": "yes", "epochs": 2, "batch": 8, "size": 32, "alphas": (0.0, 0.5, 1.0)}
        return Question(
            settings=FinetuneSettings(**{**settings, **changes}),
            examples=examples,
            backbone=small_backbone,
            start=head,
            fit_head=lambda rows: head,
            decoding=Decoding(),
            mirror=True,
            seed=0,
            fast_half=False,
            folder=folder or tmp_path / "checkpoints",
        )

    return ask
