"""Features of real pictures, embedded once, with causes planted into them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tellapart.progress import Progress


@dataclass(frozen=True)
class Known:
    """Training pictures as `advise` takes them."""

    features: NDArray[np.float32]
    labels: NDArray[np.intp]
    names: tuple[str, ...]
    components: NDArray[np.intp]
    ids: list[str]

    def take(self, rows: NDArray[Any]) -> Known:
        ids = [self.ids[row] for row in rows.tolist()]
        return replace(
            self, features=self.features[rows], labels=self.labels[rows],
            components=self.components[rows], ids=ids,
        )  # fmt: skip


@pytest.fixture(scope="session")
def real_set(kept_cache: Path) -> Callable[[str], Known]:
    """A function name -> the features of a real set; skips without TELLAPART_TEST_DATA."""
    known: dict[str, Known] = {}

    def load(name: str) -> Known:
        if "TELLAPART_TEST_DATA" not in os.environ:
            pytest.skip("TELLAPART_TEST_DATA is not set: this test needs the real picture sets")
        if name not in known:
            known[name] = _embedded(Path(os.environ["TELLAPART_TEST_DATA"]) / name, kept_cache)
        return known[name]

    return load


def _embedded(place: Path, cache_folder: Path) -> Known:
    from tellapart.auditing import look_at
    from tellapart.backbones import get_backbone
    from tellapart.data import read
    from tellapart.features import open_cache
    from tellapart.settings import Decoding
    from tellapart.splits import components

    with open_cache(cache_folder) as cache:
        pictures = read(place)
        seen = look_at(
            pictures, get_backbone("lite0"), "openvino", Decoding(), cache, Progress(), rehash=False
        )
    usable = pictures.take(seen.usable.tolist())
    ids = [seen.ids[row] for row in seen.usable]
    return Known(
        seen.features.astype(np.float32), usable.codes(), usable.classes,
        components(len(ids), ids, usable.groups), ids,
    )  # fmt: skip


@pytest.fixture
def small_set() -> Callable[..., Known]:
    """A function (counts, apart, seed) -> drawn features: classes of so many pictures each."""

    def make(counts: tuple[int, ...] = (30, 30, 30), apart: float = 1.0, seed: int = 0) -> Known:
        random = np.random.default_rng(seed)
        labels = np.repeat(np.arange(len(counts)), counts)
        middles = apart * random.normal(size=(len(counts), 24))
        features = random.normal(size=(len(labels), 24)) + middles[labels]
        names = tuple(f"class {code}" for code in range(len(counts)))
        ids = [f"{random.integers(2**62):032x}" for _ in labels]
        return Known(features.astype(np.float32), labels, names, np.arange(len(labels)), ids)

    return make
