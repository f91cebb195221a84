"""A backbone: a pretrained network without its head, with transform, identity and licence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.images.transforms import Transform

if TYPE_CHECKING:
    import openvino

Compute = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

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
                    [batch, bands, size, size], scaled with transform.mean and transform.std, ->
                    float32 [batch, features]
    resize          makes the same backbone for pictures of another size, in pixels; None where
                    it takes its own only
    compute         of a classical backbone, which is no network: uint8 [batch, size, size, bands]
                    -> float32 [batch, features]; build and torch_module are then never called
    library         the distribution that computes then, whose version decides about results
    components      number of principal components to which the head reduces these features, fitted
                    on the pictures that it learns from; None: it takes them as they are
    rebuild         makes the OpenVINO model of other weights, given as arrays under torch_module's
                    names; None: by conversion of the torch module
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
    resize: Callable[[int], Backbone] | None = field(default=None, repr=False, compare=False)
    compute: Compute | None = field(default=None, repr=False, compare=False)
    library: str = ""
    components: int | None = None
    rebuild: Callable[[Mapping[str, NDArray[Any]]], openvino.Model] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def is_network(self) -> bool:
        """Whether it is a network, with files of its own in the model folder."""
        return self.compute is None


@dataclass(frozen=True)
class BackboneInfo:
    """One line of the list of backbones; `install` is the line that installs it where it is not.

    input_size, features, parameters  None where nobody has built it here
    """

    name: str
    input_size: int | None
    features: int | None
    parameters: int | None
    licence: str
    about: str
    installed: bool
    install: str
