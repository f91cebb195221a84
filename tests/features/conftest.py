"""Real photographs in small, and a cache whose network is converted already."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sklearn.datasets
from PIL import Image

from tellapart.backbones import get_backbone
from tellapart.data import PictureSet
from tellapart.engines import network_folder
from tellapart.features import Look, look, open_cache
from tellapart.features import store as store_module
from tellapart.progress import Progress
from tellapart.settings import Decoding

PHOTOGRAPHS = Path(sklearn.datasets.__file__).parent / "images"  # two JPEG files it ships
NAMES = ("china", "flower")


@pytest.fixture(scope="session")
def add_photos() -> Callable[..., None]:
    """Write windows of two photographs, 120 x 90, as JPEG files of two class folders."""
    photographs = [Image.open(PHOTOGRAPHS / f"{name}.jpg").convert("RGB") for name in NAMES]

    def add(folder: Path, count: int, start: int = 0) -> None:
        for i in range(start, start + count):
            x, y = 37 * i % 500, 53 * i % 300
            place = folder / NAMES[i % 2] / f"{i:03}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            photographs[i % 2].crop((x, y, x + 120, y + 90)).save(place, quality=90)

    return add


@pytest.fixture
def photos(tmp_path: Path, add_photos: Callable[..., None]) -> Path:
    """A folder with 12 pictures of two classes."""
    add_photos(tmp_path / "photos", 12)
    return tmp_path / "photos"


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `networks` folder of a cache, with the embedded network."""
    folder = tmp_path_factory.mktemp("cache")
    with open_cache(folder) as cache:
        network_folder(get_backbone("lite0"), cache)
    return folder / "networks"


@pytest.fixture
def cache_folder(tmp_path: Path, networks: Path) -> Path:
    shutil.copytree(networks, tmp_path / "cache" / "networks")
    return tmp_path / "cache"


@pytest.fixture
def old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files at once, as if they had been written long ago."""
    monkeypatch.setattr(store_module, "SETTLED_NS", -(10**18))


@pytest.fixture
def look_at_set(cache_folder: Path, old_files: None) -> Callable[..., Look]:
    """Look at a picture set with a cache that is opened for it, as every run does."""

    def once(pictures: PictureSet, **options: object) -> Look:
        with open_cache(cache_folder) as cache:
            given = {"decoding": Decoding(), "cache": cache, "progress": Progress(), **options}
            return look(pictures, get_backbone("lite0"), "openvino", **given)  # type: ignore[arg-type]

    return once
