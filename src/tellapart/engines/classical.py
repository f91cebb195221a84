"""Running classical features: no network, only numpy or scikit-image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.errors import BackboneError
from tellapart.optional import installed_version


class ClassicalEngine:
    """Calls a classical backbone's function; safe for threads, one picture at a time.

    One at a time, because a picture's features may not depend on those beside it.
    """

    batch = 1
    precision = "f32"

    def __init__(self, backbone: Backbone) -> None:
        if backbone.compute is None:
            raise BackboneError(f"{backbone.name} is a network: it needs an engine of networks")
        self._compute = backbone.compute
        self.name = backbone.library
        self.version = installed_version(backbone.library) or "0"
        self.features = backbone.features

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [b, features] for uint8 [b, size, size, bands]; b may be any number."""
        out = np.empty((len(pixels), self.features), np.float32)
        for row in range(len(pixels)):
            out[row] = self._compute(pixels[row : row + 1])[0]
        return out
