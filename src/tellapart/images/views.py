"""What a network is shown of a picture: which bands, the whole or a corner, mirrored or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.errors import OptionError
from tellapart.images.bands import RGB
from tellapart.images.transforms import Transform, apply

CORNER = 0.75  # of each side that a corner keeps
MIDDLE = 0.875  # of each side that the middle keeps


class View(NamedTuple):
    """A part of the upright picture, in shares of its sides from the top left, mirrored or not."""

    left: float
    top: float
    right: float
    bottom: float
    mirrored: bool

    @property
    def region(self) -> tuple[float, float, float, float]:
        return self[:4]


_REST, _EDGE = 1 - CORNER, (1 - MIDDLE) / 2
# The whole and four corners, each with its mirror image: the ten crops of Krizhevsky et al. (2012),
# with the whole in the place of the centre; and the middle, as the whole at a larger scale.
VIEWS: dict[str, View] = {
    "whole": View(0, 0, 1, 1, False),
    "whole, mirrored": View(0, 0, 1, 1, True),
    "middle": View(_EDGE, _EDGE, 1 - _EDGE, 1 - _EDGE, False),
    "middle, mirrored": View(_EDGE, _EDGE, 1 - _EDGE, 1 - _EDGE, True),
    "top left": View(0, 0, CORNER, CORNER, False),
    "top left, mirrored": View(0, 0, CORNER, CORNER, True),
    "bottom right": View(_REST, _REST, 1, 1, False),
    "bottom right, mirrored": View(_REST, _REST, 1, 1, True),
    "top right": View(_REST, 0, 1, CORNER, False),
    "top right, mirrored": View(_REST, 0, 1, CORNER, True),
    "bottom left": View(0, _REST, CORNER, 1, False),
    "bottom left, mirrored": View(0, _REST, CORNER, 1, True),
}
WHOLE = "whole"


@dataclass(frozen=True)
class Shown:
    """One input of a network: uint8 [size, size, len(bands)].

    bands  indices among the bands that were decoded
    view   a key of VIEWS
    """

    transform: Transform
    bands: tuple[int, ...] = RGB
    view: str = WHOLE


def first_views(count: int, *, mirror: bool, option: str = "--views") -> tuple[str, ...]:
    """Return the names of the first `count` views; raises OptionError where there are fewer.

    mirror  False where a mirrored picture is another one: then none is mirrored
    option  which asked for them
    """
    usable = tuple(name for name, view in VIEWS.items() if mirror or not view.mirrored)
    if not 1 <= count <= len(usable):
        why = "" if mirror else " without mirrored ones (--no-mirror)"
        raise OptionError(f"{option} {count}: 1 to {len(usable)} views are there{why}")
    return usable[:count]


def side_needed(shown: Shown) -> int:
    """Return the short side, in pixels, that a whole picture needs for this input."""
    left, _, right, _ = VIEWS[shown.view].region
    return round(shown.transform.short_side / (right - left))


def show(
    wanted: Sequence[Shown],
    image: Image.Image,
    extra: Sequence[Image.Image] = (),
    resized: Image.Image | None = None,
) -> tuple[NDArray[np.uint8], ...]:
    """Return every input wanted, made from a decoded picture; equal steps are done once.

    image    RGB, the first three bands
    extra    the others, each of mode L and of the same size
    resized  `image` with its sides at `scaled_size`, bicubic: what some inputs need too
    """
    stacks: dict[tuple[Transform, tuple[float, ...]], NDArray[np.uint8]] = {}
    out = []
    for one in wanted:
        view = VIEWS[one.view]
        key = (one.transform, view.region)
        if key not in stacks:
            first = resized if _is_first_step(resized, one) else None
            stacks[key] = _stacked(one.transform, view, [first or image, *extra])
        stack = stacks[key]
        if one.bands != tuple(range(stack.shape[2])):
            stack = stack[:, :, list(one.bands)]
        out.append(np.ascontiguousarray(stack[:, ::-1] if view.mirrored else stack))
    return tuple(out)


def _is_first_step(resized: Image.Image | None, shown: Shown) -> bool:
    transform = shown.transform
    return (
        resized is not None
        and transform.fit == "crop"
        and transform.interpolation == "bicubic"
        and transform.short_side == min(resized.size)
        and VIEWS[shown.view].region == VIEWS[WHOLE].region
    )


def _stacked(transform: Transform, view: View, images: list[Image.Image]) -> NDArray[np.uint8]:
    parts = [apply(transform, _cut(image, view)) for image in images]
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)


def _cut(image: Image.Image, view: View) -> Image.Image:
    width, height = image.size
    left, top = int(view.left * width), int(view.top * height)
    right = max(left + 1, round(view.right * width))
    bottom = max(top + 1, round(view.bottom * height))
    box = (left, top, right, bottom)
    return image if box == (0, 0, width, height) else image.crop(box)
