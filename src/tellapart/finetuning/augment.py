"""Augmented training pictures: random crops, mirrored where that is harmless, and colours.

Every view hangs on the picture, the view's number and the seed alone, whatever threads draw it.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

AREA = (0.5, 1.0)  # share of the picture that a crop keeps (METHODS: stronger crops gain nothing)
SHAPE = (3 / 4, 4 / 3)  # width to height of a crop, as GoogLeNet (arXiv:1409.4842) has it
TRIES = 10  # for a crop that fits inside the picture
COLOUR = 0.2  # light: brightness, contrast and saturation change by so much at most
RAND_OPERATIONS, RAND_STRENGTH = 2, 9 / 30  # RandAugment (arXiv:1909.13719): N and M of 30
GRAY = (128, 128, 128)

Draw = np.random.Generator
Operation = Callable[[Image.Image, float], Image.Image]  # strength -1..1


def rng_for(seed: int, picture_id: str, view: int) -> Draw:
    """Return the generator of one view of one picture."""
    text = f"{seed}/{picture_id}/{view}".encode()
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def training_view(
    image: Image.Image,
    size: int,
    policy: str,
    *,
    mirror: bool,
    rng: Draw,
    extra: Sequence[Image.Image] = (),
) -> NDArray[np.uint8]:
    """Return uint8 [size, size, 3 + e] of an RGB picture; `policy` is a key of POLICIES.

    extra  e further bands, each of mode L and as large as the picture: the same draws change them
    """
    further = [_drawn(one.convert("RGB"), size, policy, mirror, copy.deepcopy(rng))
               for one in extra]  # fmt: skip
    seen = np.asarray(_drawn(image, size, policy, mirror, rng))
    if not further:
        return seen
    return np.dstack([seen, *(np.asarray(one.getchannel(0)) for one in further)])


def _drawn(image: Image.Image, size: int, policy: str, mirror: bool, rng: Draw) -> Image.Image:
    view = image.resize((size, size), Image.Resampling.BICUBIC, box=crop_box(image.size, rng))
    if mirror and rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return POLICIES[policy](view, rng)


def crop_box(size: tuple[int, int], rng: Draw) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) of a random crop, the whole picture where none fits."""
    width, height = size
    for _ in range(TRIES):
        area = width * height * rng.uniform(*AREA)
        shape = math.exp(rng.uniform(math.log(SHAPE[0]), math.log(SHAPE[1])))
        w, h = math.sqrt(area * shape), math.sqrt(area / shape)
        if w <= width and h <= height:
            left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return left, top, left + w, top + h
    return 0.0, 0.0, float(width), float(height)


def _none(image: Image.Image, rng: Draw) -> Image.Image:
    return image


def _light(image: Image.Image, rng: Draw) -> Image.Image:
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(1 + rng.uniform(-COLOUR, COLOUR))
    return image


def _trivial(image: Image.Image, rng: Draw) -> Image.Image:
    """One operation of random strength (TrivialAugment, arXiv:2103.10158)."""
    operation = OPERATIONS[rng.integers(len(OPERATIONS))]
    return operation(image, rng.uniform(-1, 1))


def _rand(image: Image.Image, rng: Draw) -> Image.Image:
    for _ in range(RAND_OPERATIONS):
        operation = OPERATIONS[rng.integers(len(OPERATIONS))]
        image = operation(image, RAND_STRENGTH * (1 if rng.random() < 0.5 else -1))
    return image


def _turned(image: Image.Image, strength: float) -> Image.Image:
    return image.rotate(135 * strength, Image.Resampling.BILINEAR, fillcolor=GRAY)


def _moved(image: Image.Image, values: tuple[float, ...]) -> Image.Image:
    return image.transform(
        image.size, Image.Transform.AFFINE, values, Image.Resampling.BILINEAR, fillcolor=GRAY
    )


def _enhanced(kind: Any) -> Operation:
    return lambda image, strength: kind(image).enhance(1 + 0.99 * strength)


OPERATIONS: tuple[Operation, ...] = (  # with TrivialAugment's "wide" ranges
    lambda image, _: image,
    _turned,
    lambda image, strength: _moved(image, (1, 0.99 * strength, 0, 0, 1, 0)),
    lambda image, strength: _moved(image, (1, 0, 0, 0.99 * strength, 1, 0)),
    lambda image, strength: _moved(image, (1, 0, 32 / 224 * image.width * strength, 0, 1, 0)),
    lambda image, strength: _moved(image, (1, 0, 0, 0, 1, 32 / 224 * image.height * strength)),
    _enhanced(ImageEnhance.Brightness),
    _enhanced(ImageEnhance.Color),
    _enhanced(ImageEnhance.Contrast),
    _enhanced(ImageEnhance.Sharpness),
    lambda image, strength: ImageOps.posterize(image, 8 - round(6 * abs(strength))),
    lambda image, strength: ImageOps.solarize(image, round(255 * (1 - abs(strength)))),
    lambda image, _: ImageOps.autocontrast(image),
    lambda image, _: ImageOps.equalize(image),
)

POLICIES: dict[str, Callable[[Image.Image, Draw], Image.Image]] = {
    "light": _light,
    "none": _none,
    "trivial": _trivial,
    "rand": _rand,
}
