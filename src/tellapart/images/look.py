"""One decode of a picture for all who need its pixels: the networks' inputs and the facts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tellapart.images.budget import Budget
from tellapart.images.decode import Decoded, ImageProblem, decode
from tellapart.images.facts import REFERENCE_SIDE, Facts, measure
from tellapart.images.transforms import FILTERS, scaled_size
from tellapart.images.views import Shown, show, side_needed
from tellapart.settings import Decoding

MOST_ELONGATED = 4  # a longer picture's reference has a short side below REFERENCE_SIDE


@dataclass(frozen=True)
class Seen:
    """What was seen of one picture: the inputs wanted, uint8 [size, size, bands], and its facts.

    pixels  one for each input wanted; none where the facts name a problem
    """

    pixels: tuple[NDArray[np.uint8], ...]
    facts: Facts


def look_at(
    data: bytes,
    wanted: Sequence[Shown],
    *,
    decoding: Decoding,
    facts: bool = True,
    budget: Budget | None = None,
) -> Seen:
    """Decode once; return the networks' inputs and the facts; never raises for a bad picture.

    An input does not depend on what else is wanted: one that needs a larger decode than the facts
    (see `decode_side`) gets one of its own, unless the picture is so small that both are the same.
    With facts=False only id, file_bytes and problem of the facts are filled; the pixels are the
    same. `budget` is for threads to share.
    """
    identity = picture_id(data)
    sides = [decode_side(one) for one in wanted]
    pixels: dict[int, NDArray[np.uint8]] = {}
    measured = Facts(id=identity, file_bytes=len(data))
    decoded: Decoded | None = None
    try:
        for side in sorted({*sides, *([REFERENCE_SIDE] if facts else [])}):
            if decoded is None or decoded.is_reduced:
                decoded = decode(data, short_side=side, decoding=decoding, budget=budget)
            reference = None
            if facts and side == REFERENCE_SIDE:
                reference = reference_image(decoded.image)
                measured = measure(decoded, reference, identity=identity, file_bytes=len(data))
            rows = [row for row, own in enumerate(sides) if own == side]
            shown = show([wanted[row] for row in rows], decoded.image, decoded.extra, reference)
            pixels.update(zip(rows, shown, strict=True))
    except ImageProblem as problem:
        return Seen((), _of_problem(identity, len(data), problem))
    return Seen(tuple(pixels[row] for row in range(len(wanted))), measured)


def decode_side(shown: Shown) -> int:
    """Return the short side, in pixels, at which a picture is decoded for an input.

    REFERENCE_SIDE, or as often twice that as the input needs: so that inputs share their decodes.
    """
    side = REFERENCE_SIDE
    while side < side_needed(shown):
        side *= 2
    return side


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


def _of_problem(identity: str, file_bytes: int, problem: ImageProblem) -> Facts:
    return Facts(
        id=identity, file_bytes=file_bytes, problem=problem.reason, problem_kind=problem.kind
    )
