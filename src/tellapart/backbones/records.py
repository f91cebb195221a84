"""A backbone: a pretrained network without its head, with transform, identity and licence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tellapart.images.transforms import Transform

if TYPE_CHECKING:
    import openvino

GRAPH_VERSION = (
    1  # raise it whenever the same weights become another network: what is kept is stale
)


@dataclass(frozen=True)
class Backbone:
    """A network that turns a picture into a vector.

    name            what the user calls it ("lite0")
    features        length of the vector
    transform       how a decoded picture becomes the network's input, uint8 [size, size, 3]
    weights_digest  SHA-256 of the weights, hex: what makes two networks the same
    licence         of the weights, as an SPDX name
    parameters      number of weights of the network as built here, its own head left out
    source          where the weights come from: distribution and file
    build           makes the OpenVINO model, uint8 [batch, size, size, 3] -> float32
                    [batch, features], scaling included, so that nobody normalises twice
    torch_module    makes the same network for torch (extra [torch]), float32
                    [batch, 3, size, size], scaled with transform.mean and transform.std, ->
                    float32 [batch, features]
    """

    name: str
    features: int
    transform: Transform
    weights_digest: str
    licence: str
    parameters: int
    source: str
    build: Callable[[], openvino.Model] = field(repr=False, compare=False)
    torch_module: Callable[[], Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class BackboneInfo:
    """One line of the list of backbones; `install` is the line that installs it where it is not."""

    name: str
    input_size: int
    features: int
    parameters: int
    licence: str
    about: str
    installed: bool
    install: str
