"""One converted network and a few real photographs, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from numpy.typing import NDArray
from PIL import Image

from tellapart.backbones import Backbone, get_backbone
from tellapart.engines.openvino import write_network
from tellapart.images.transforms import apply

PHOTOGRAPHS = Path(sklearn.datasets.__file__).parent / "images"  # two JPEG files it ships


@pytest.fixture(scope="session")
def lite0() -> Backbone:
    return get_backbone("lite0")


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory, lite0: Backbone) -> Path:
    folder = tmp_path_factory.mktemp("network")
    write_network(lite0, folder)
    return folder / "network.xml"


@pytest.fixture(scope="session")
def pixels(lite0: Backbone) -> NDArray[np.uint8]:
    """uint8 [20, 224, 224, 3]: windows of two photographs."""
    images = [Image.open(PHOTOGRAPHS / name) for name in ("china.jpg", "flower.jpg")]
    places = [(x, y) for x in range(0, 400, 80) for y in (0, 180)]
    return np.stack(
        [apply(lite0.transform, one.crop((x, y, x + 240, y + 240))) for one in images
         for x, y in places]
    )  # fmt: skip
