"""Bands: which of a file's bands are decoded, and how networks of three bands see more of them."""

from __future__ import annotations

from tellapart.errors import OptionError
from tellapart.images.problems import ImageProblem

# 0-based place of a named band; N is near infrared, the 4th band of aerial pictures, which formats
# that know no near infrared (PNG) call alpha.
NAMED_BANDS: dict[str, int] = {"R": 0, "G": 1, "B": 2, "A": 3, "N": 3}
MOST_BANDS = 64  # of one picture that are used
RGB = (0, 1, 2)


def parse_bands(text: str) -> tuple[str, ...]:
    """Return the bands of "R,G,B", "R,G,B,N" or 1-based numbers "4,1,2"; raises OptionError."""
    bands = tuple(part.strip().upper() for part in text.split(","))
    for band in bands:
        if band not in NAMED_BANDS and not _is_number(band):
            raise OptionError(
                f"--bands {text}: '{band}' is no band; use R, G, B, A, N (near infrared, the 4th)"
                " or numbers from 1, such as R,G,B or 4,1,2"
            )
    if len(bands) > MOST_BANDS:
        raise OptionError(f"--bands: {len(bands)} bands are given, {MOST_BANDS} at most are used")
    return bands


def band_indices(bands: tuple[str, ...], available: int) -> tuple[int, ...]:
    """Return 0-based indices of `bands` in a file of `available` bands; raises ImageProblem."""
    indices = tuple(NAMED_BANDS[band] if band in NAMED_BANDS else int(band) - 1 for band in bands)
    for band, index in zip(bands, indices, strict=True):
        if index >= available:
            have = f"{available} bands" if available > 1 else "one band"
            raise ImageProblem("bands", f"band {band} was asked for, but the file has {have}")
    return indices


def composites(count: int) -> tuple[tuple[int, ...], ...]:
    """Return three-band pictures, as indices, that together show every one of `count` bands.

    The first three bands stand alone; the others follow by threes, filled up with the first ones:
    red, green, blue and near infrared become RGB and the false colours NRG. One band is shown
    three times, of two the second twice.
    """
    if count < 3:
        return ((0, count - 1, count - 1),)
    groups = [tuple(range(start, min(start + 3, count))) for start in range(0, count, 3)]
    return tuple((*group, *RGB)[:3] for group in groups)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1
