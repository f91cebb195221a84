"""A network of three bands made to take more (or two): its first convolution is adapted.

The weights of a further band are the mean of those of red, green and blue, and all weights are
scaled so that the sum of the responses is kept (as timm does for gray, and for more bands by
repeating). A further band is normalised so that over the training pictures it has the mean and the
spread that the network's own bands have there: that much of every band reaches the network alike.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.classical import LEVELS
from tellapart.backbones.records import Backbone
from tellapart.errors import BackboneError
from tellapart.optional import import_openvino

if TYPE_CHECKING:
    import openvino

ADAPT_VERSION = 1  # raise it whenever the same bands become other features
LEAST_STD = 1.0  # of a band, in 0..255 units: one that hardly varies is not blown up
_AFFINE = ("Convert", "Subtract", "Add", "Multiply", "Divide", "Transpose")

Floats = NDArray[np.float64]


class CannotAdapt(BackboneError):
    """A network whose first layer is not such that it could take other bands."""


@dataclass(frozen=True)
class BandStatistics:
    """Mean and standard deviation of each band over pictures, in 0..255 units."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of_colours(cls, features: NDArray[np.floating[Any]], bands: int) -> BandStatistics:
        """Return those of pictures from their features [n, d] of the backbone `color`."""
        moments = features[:, bands * LEVELS :].astype(np.float64)
        mean, spread = moments[:, :bands], moments[:, bands : 2 * bands]
        whole = mean.mean(axis=0)
        variance = np.maximum((spread**2 + mean**2).mean(axis=0) - whole**2, 0.0)
        return cls(tuple((255 * whole).tolist()), tuple((255 * np.sqrt(variance)).tolist()))


def adapted(backbone: Backbone, bands: int, statistics: BandStatistics) -> Backbone:
    """Return the backbone for pictures of `bands` bands, the first three of which are its own.

    statistics  of the training pictures, and of no others: what normalises is fitted
    """
    transform = _transform_for(backbone, bands, statistics)
    mixing = mixing_matrix(bands)
    description = (backbone.weights_digest, ADAPT_VERSION, bands, transform.mean, transform.std)
    return replace(
        backbone,
        transform=transform,
        weights_digest=hashlib.sha256(repr(description).encode()).hexdigest(),
        build=partial(_build, backbone, transform.mean, transform.std, mixing),
        torch_module=partial(_torch_module, backbone, mixing),
        resize=None,
        rebuild=None,
    )


def mixing_matrix(bands: int) -> Floats:
    """Return float64 [3, bands]: the weights of a band are so much of those of R, G and B."""
    mixing = np.full((3, bands), 1 / 3)
    if bands >= 3:
        mixing[:, :3] = np.eye(3)
    return mixing * (3 / bands)


def _transform_for(backbone: Backbone, bands: int, statistics: BandStatistics) -> Any:
    """Return the transform with a mean and a deviation for every band."""
    own = min(3, bands)
    means, stds = np.array(backbone.transform.mean), np.array(backbone.transform.std)
    known = np.array(statistics.mean)[:own], np.array(statistics.std)[:own]
    seen_mean = (known[0] - means[:own]) / stds[:own]
    middle = float(seen_mean.mean())
    squares = (known[1] / stds[:own]) ** 2 + seen_mean**2
    spread = math.sqrt(max(float(squares.mean()) - middle**2, 1e-6))
    extra_std = [max(one, LEAST_STD) / spread for one in statistics.std[own:]]
    extra_mean = [
        # half integers stay exact in bf16
        round(2 * (mean - middle * std)) / 2
        for mean, std in zip(statistics.mean[own:], extra_std, strict=True)
    ]
    return replace(
        backbone.transform,
        mean=(*means[:own].tolist(), *extra_mean),
        std=(*stds[:own].tolist(), *extra_std),
    )


def _torch_module(backbone: Backbone, mixing: Floats) -> Any:
    """Return the network for torch with its first convolution adapted in place."""
    from tellapart.optional import need_torch

    torch = need_torch()
    module = backbone.torch_module()
    first = next((one for one in module.modules() if isinstance(one, torch.nn.Conv2d)), None)
    if first is None or first.in_channels != 3:
        raise _cannot(backbone)
    weight = torch.einsum("ochw,cb->obhw", first.weight.double(), torch.from_numpy(mixing))
    first.weight = torch.nn.Parameter(weight.to(first.weight.dtype), requires_grad=False)
    first.in_channels = mixing.shape[1]
    for one in module.modules():
        if getattr(one, "num_channels", None) == 3:  # what networks of transformers check
            one.num_channels = mixing.shape[1]
    return module


def _build(
    backbone: Backbone, mean: Sequence[float], std: Sequence[float], mixing: Floats
) -> openvino.Model:
    """Build the OpenVINO model, uint8 [?, size, size, bands] -> float32 [?, features]."""
    openvino = import_openvino()
    ops = openvino.opset13
    model = backbone.build()
    chain, convolution = _first_convolution(backbone, model)
    kernel = _constant(convolution.input_value(1))
    if kernel is None or kernel.shape[1] != 3:
        raise _cannot(backbone)
    # What the network's own chain makes of a pixel that is one deviation above its mean: the
    # kernel is for such inputs, ours are (pixel - mean) / power of two, exact in bf16.
    unit = _gain(backbone, chain) * np.array(backbone.transform.std)
    powers = 2.0 ** np.ceil(np.log2(np.array(std)))
    wide = np.einsum("ochw,c,cb->obhw", kernel.astype(np.float64), unit, mixing)
    wide *= (powers / np.array(std))[None, :, None, None]
    size = backbone.transform.size
    pixels = ops.parameter([-1, size, size, len(mean)], np.uint8, name="pixels")
    centred = ops.subtract(ops.convert(pixels, "f32"), np.array(mean, np.float32))
    scaled = ops.multiply(centred, (1 / powers).astype(np.float32))
    convolution.input(0).replace_source_output(
        ops.transpose(scaled, np.array([0, 3, 1, 2])).output(0)
    )
    convolution.input(1).replace_source_output(ops.constant(wide.astype(np.float32)).output(0))
    return openvino.Model(model.outputs, [pixels], model.get_friendly_name())


def _first_convolution(backbone: Backbone, model: Any) -> tuple[list[Any], Any]:
    """Return the steps from the input to the first convolution, each one of _AFFINE, and it."""
    chain: list[Any] = []
    node = model.inputs[0].get_node()
    while True:
        users = list(node.output(0).get_target_inputs())
        if len(users) != 1:
            raise _cannot(backbone)
        node = users[0].get_node()
        if node.get_type_name() == "Convolution":
            return chain, node
        if node.get_type_name() not in _AFFINE:
            raise _cannot(backbone)
        chain.append(node)


def _gain(backbone: Backbone, chain: list[Any]) -> Floats:
    """Return by how much the chain multiplies each of the three bands, float64 [3]."""
    gain = np.ones(3)
    for node in chain:
        kind = node.get_type_name()
        if kind not in ("Multiply", "Divide"):
            continue
        sides = [_constant(node.input_value(side)) for side in (0, 1)]
        factor = next((one for one in sides if one is not None), None)
        if factor is None or factor.size not in (1, 3) or (kind == "Divide" and sides[1] is None):
            raise _cannot(backbone)
        values = np.broadcast_to(factor.astype(np.float64).ravel(), 3)
        gain = gain * values if kind == "Multiply" else gain / values
    return gain


def _constant(output: Any) -> NDArray[Any] | None:
    """Return the numbers of a constant, also behind a conversion; None where it is none."""
    node = output.get_node()
    if node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def _cannot(backbone: Backbone) -> CannotAdapt:
    return CannotAdapt(
        f"the first layer of {backbone.name} is no convolution that more bands could be added to"
    )
