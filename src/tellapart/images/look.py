"""One decode of a picture for all who need its pixels: the network's input and the facts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.budget import Budget
from tellapart.images.decode import Decoded, ImageProblem, decode
from tellapart.images.facts import REFERENCE_SIDE, Facts, measure
from tellapart.images.transforms import FILTERS, Transform, apply, scaled_size
from tellapart.settings import Decoding

MOST_ELONGATED = 4  # a longer picture's reference has a short side below REFERENCE_SIDE


@dataclass(frozen=True)
class Seen:
    """What was seen of one picture: uint8 [size, size, 3] or None, and its facts."""

    pixels: NDArray[np.uint8] | None
    facts: Facts


def look_at(
    data: bytes,
    *,
    transform: Transform,
    decoding: Decoding,
    facts: bool = True,
    budget: Budget | None = None,
) -> Seen:
    """Decode once; return the network's input and the facts; never raises for a bad picture.

    With facts=False only id, file_bytes and problem of the facts are filled; the pixels are the
    same. `budget` is for threads to share.
    """
    identity = picture_id(data)
    short_side = max(REFERENCE_SIDE, transform.short_side)
    try:
        decoded = decode(data, short_side=short_side, decoding=decoding, budget=budget)
    except ImageProblem as problem:
        return Seen(None, _of_problem(identity, len(data), problem))
    if not facts:
        return Seen(apply(transform, decoded.image), Facts(id=identity, file_bytes=len(data)))
    reference = reference_image(decoded.image)
    pixels = apply(transform, _input_for(transform, decoded, reference))
    return Seen(pixels, measure(decoded, reference, identity=identity, file_bytes=len(data)))


def picture_id(data: bytes) -> str:
    """Return the picture's id: BLAKE2b-128 of the file's bytes, hex."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def reference_image(image: Image.Image) -> Image.Image:
    """Return the picture that facts are measured on: short side 256 px or less, never enlarged.

    The long side is at most four times that; a longer picture becomes smaller as a whole.
    """
    short, long = min(image.size), max(image.size)
    side = min(REFERENCE_SIDE, short, max(1, MOST_ELONGATED * REFERENCE_SIDE * short // long))
    if side == short:
        return image
    return image.resize(scaled_size(image.size, side), FILTERS["bicubic"])


def _input_for(transform: Transform, decoded: Decoded, reference: Image.Image) -> Image.Image:
    """Return the reference where it is the transform's own first step already."""
    same_resize = (
        transform.fit == "crop"
        and transform.interpolation == "bicubic"
        and transform.short_side == min(reference.size) == REFERENCE_SIDE
    )
    return reference if same_resize else decoded.image


def _of_problem(identity: str, file_bytes: int, problem: ImageProblem) -> Facts:
    return Facts(
        id=identity, file_bytes=file_bytes, problem=problem.reason, problem_kind=problem.kind
    )
