"""Parts: a feature matrix is the vectors of one or more networks, bands and views, side by side.

A sum of backbones is two parts; three-band composites of a picture with more bands are several
parts of one network; the views of a part are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.engines import Engine
from tellapart.images import RGB, WHOLE, Shown


@dataclass(frozen=True)
class Part:
    """Some columns of a feature matrix: what one network says of some bands.

    bands  indices among the decoded bands, as many as the network takes
    views  keys of images.VIEWS; the part's vector is the mean of theirs
    """

    backbone: Backbone
    bands: tuple[int, ...] = RGB
    views: tuple[str, ...] = (WHOLE,)

    def shown(self) -> tuple[Shown, ...]:
        """Return what the network is shown, an input a view."""
        return tuple(Shown(self.backbone.transform, self.bands, view) for view in self.views)


Recipe = tuple[Part, ...]  # the parts in the order of their columns


@dataclass(frozen=True)
class Ready:
    """A part that can run: its inputs, and the engine that takes them."""

    shown: tuple[Shown, ...]
    engine: Engine


def width(recipe: Recipe) -> int:
    """Return the number of columns of a recipe's feature matrix."""
    return sum(part.backbone.features for part in recipe)


def joined(parts: Sequence[Sequence[NDArray[np.floating]]]) -> NDArray[np.floating]:
    """Return the matrix [n, sum of d] of parts, each a list of its views' vectors [n, d].

    Views are added one after the other in float32: the same sum for one picture and for many.
    """
    columns = [mean_of(views) for views in parts]
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=-1)


def mean_of(views: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Return the mean of arrays of one shape, added one after the other in float32."""
    if len(views) == 1:
        return views[0]
    total = views[0].astype(np.float32)
    for one in views[1:]:
        total += one
    total /= np.float32(len(views))
    return total
