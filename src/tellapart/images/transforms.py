"""From a decoded picture to the pixels a network takes: resize, crop, nothing else.

Normalisation is not done here: it stands inside the network's graph, which takes uint8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.bands import MOST_BANDS

Fit = Literal["crop", "squash"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]

FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}

# Bounds for what somebody else's model asks for: a picture is resized to size / crop_share.
MOST_SIDE = 4_096
LEAST_CROP_SHARE = 0.1
MOST_ELONGATED = 8  # resized before the crop, a picture is at most this many times longer than wide


@dataclass(frozen=True)
class Transform:
    """How a backbone wants its pictures.

    size           side of the square input, 1 to MOST_SIDE pixels
    fit            "crop": short side to `short_side`, then the centre; "squash": both to `size`
    crop_share     what the crop keeps of the short side, 0.1 to 1 (timm's `crop_pct`)
    interpolation  a key of FILTERS
    mean, std      of each band that the network takes, in 0..255 units: it sees
                   (pixel - mean) / std
    """

    size: int
    fit: Fit
    crop_share: float
    interpolation: Interpolation
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_SIDE:
            raise ValueError(f"size is {self.size}: 1 to {MOST_SIDE:,} pixels are allowed")
        if self.fit not in ("crop", "squash"):
            raise ValueError(f"fit is {self.fit!r}: 'crop' or 'squash' is needed")
        if not LEAST_CROP_SHARE <= self.crop_share <= 1:
            raise ValueError(
                f"crop_share is {self.crop_share}: {LEAST_CROP_SHARE} to 1 are allowed"
            )
        if self.interpolation not in FILTERS:
            raise ValueError(
                f"interpolation is {self.interpolation!r}: one of {', '.join(FILTERS)}"
            )
        values = (*self.mean, *self.std)
        if not 1 <= len(self.mean) == len(self.std) <= MOST_BANDS:
            raise ValueError(f"mean and std need as many numbers, 1 to {MOST_BANDS}")
        if not all(map(math.isfinite, values)):
            raise ValueError("mean and std need finite numbers")
        if min(self.std) <= 0:
            raise ValueError(f"std is {self.std}: numbers above 0 are needed")

    @property
    def bands(self) -> int:
        """Number of bands that the network takes."""
        return len(self.mean)

    @property
    def short_side(self) -> int:
        """Short side after resizing, pixels: floor(size / crop_share), as timm takes it."""
        return math.floor(self.size / self.crop_share) if self.fit == "crop" else self.size

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values that `from_json` takes back."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Transform:
        """Build from `to_json`'s value; raises ValueError where a field is missing or wrong."""
        try:
            return cls(
                size=int(value["size"]),
                fit=value["fit"],
                crop_share=float(value["crop_share"]),
                interpolation=value["interpolation"],
                mean=tuple(float(one) for one in value["mean"]),
                std=tuple(float(one) for one in value["std"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the transform lacks or damages a field: {error}") from error


def apply(transform: Transform, image: Image.Image) -> NDArray[np.uint8]:
    """Return the network's input from a picture of any size: uint8 [size, size, 3] from RGB,
    uint8 [size, size] from one band.
    """
    method = FILTERS[transform.interpolation]
    if transform.fit == "squash":
        return np.asarray(_resized(image, (transform.size, transform.size), method))
    image = _without_far_ends(image)
    resized = _resized(image, scaled_size(image.size, transform.short_side), method)
    left = round((resized.width - transform.size) / 2)
    top = round((resized.height - transform.size) / 2)
    centre = (left, top, left + transform.size, top + transform.size)
    return np.asarray(resized.crop(centre))


def scaled_size(size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Return (width, height) with the short side at `short_side` and the shape kept.

    The long side is rounded down, as torchvision's Resize does it.
    """
    width, height = size
    if width <= height:
        return short_side, max(short_side, int(short_side * height / width))
    return max(short_side, int(short_side * width / height)), short_side


def _resized(image: Image.Image, size: tuple[int, int], method: Image.Resampling) -> Image.Image:
    return image if image.size == size else image.resize(size, method)


def _without_far_ends(image: Image.Image) -> Image.Image:
    """Cut the ends of a very long picture, which the centre crop would drop, before resizing it."""
    short, long = min(image.size), max(image.size)
    keep = short * MOST_ELONGATED
    if long <= keep:
        return image
    start = (long - keep) // 2
    if image.width > image.height:
        return image.crop((start, 0, start + keep, short))
    return image.crop((0, start, short, start + keep))
