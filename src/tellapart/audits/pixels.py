"""Checks on what one decode tells: turned, odd, tiny, dark, light, blurry, empty pictures.

A picture is named only where it fails twice: by itself (a cut-off that says "hardly anything can be
seen") and beside the others of its set (a robust z-score), so that a set of x-rays is not all dark
and a set that simply varies is not all odd. The cut-offs were set on the unaltered pictures of
eight sets (photos, food, aerial tiles, slides) and on copies of them that were darkened to 20 %,
blended with 70 % white or overexposed, or blurred by a Gaussian of 2 % of the short side.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.records import Finding
from tellapart.images.facts import Facts

Floats = NDArray[np.float64]

FEWEST = 20  # readable pictures below which "unlike the rest" means nothing
MASTER_SIDE = 128

DARK_END = 80.0  # the brightest 1 % of the picture: nothing in it is brighter, of 255
LIGHT_MIDDLE = 190.0  # mean of the whole picture and of the darkest quarter of its middle, of 255
SHARP_LEAST, SHARP_MOST = -0.3, 0.1  # log10 of sharpness / contrast, the cut-off lies between
LESS_DETAIL = 0.5  # in log10: a third of the usual
FLAT = 6.0  # standard deviation of luma, of 255
ONE_TONE = 2.0  # nothing there that could be sharp
FEWEST_IN_CLASS = 10
TINY_SIDE = 64  # pixels: networks see 224, so such a picture is blown up 3.5 times
TINY_RATIO = 2.5  # shorter than the set's usual short side by this
SIZE_RATIO = 4.0  # of the side's length, 16 times in area
LONG_SHAPE = 3.0  # long side over short side
RARE_MODE = 0.1  # share of the set below which a colour mode is odd
GRAY = 2.0  # mean of max - min over RGB, of 255: gray stored as colour


def exif_turned(data: AuditInput) -> list[Finding]:
    """Name pictures that EXIF says to turn or mirror (exif_rotated)."""
    return [
        make_finding(
            data,
            "exif_rotated",
            rows=[row],
            score=0.3,
            message=f"Its EXIF orientation is {data.facts[row].exif_turn}: tellapart turns it "
            "upright, other programs may show it lying on its side.",
            advice="Nothing to do here; save it upright where another program reads it too.",
        )
        for row in data.readable
        if data.facts[row].exif_turn > 1
    ]


def dark(data: AuditInput) -> list[Finding]:
    """Name pictures whose brightest part is dark, and far darker than the rest (dark)."""
    ends = data.measured(bright_end)
    logs = np.log(np.maximum(ends, 1.0))
    middle, spread = middle_and_spread(logs)
    far = (logs < middle - 3 * spread) & (logs < middle - np.log(2))
    return [
        make_finding(
            data,
            "dark",
            rows=[data.readable[one]],
            score=1 - ends[one] / 255,
            message=f"Nothing in it is brighter than {ends[one]:.0f} of 255 (usual here: "
            f"{np.exp(middle):.0f}): little can be seen.",
            advice="Brighten it if the original holds more, or remove it.",
        )
        for one in _named(data, (ends < DARK_END) & far)
    ]


def light(data: AuditInput) -> list[Finding]:
    """Name pictures that are washed out or overexposed, far beyond the rest (light)."""
    values = data.measured(washed_out)
    middle, spread = middle_and_spread(values)
    far = (values > middle + 2.5 * spread) & beside_own_class(data, values, 2.5)
    return [
        make_finding(
            data,
            "light",
            rows=[data.readable[one]],
            score=values[one] / 255,
            message=f"Washed out: its lightness is {values[one]:.0f} of 255 (usual here: "
            f"{middle:.0f}), in the middle as at the edges.",
            advice="Darken it if the original holds more, or remove it.",
        )
        for one in _named(data, (values > LIGHT_MIDDLE) & far)
    ]


def blurry(data: AuditInput) -> list[Finding]:
    """Name pictures without fine detail for their contrast, unlike the rest (blurry).

    The cut-off on log10(sharpness / contrast) follows the set (median - 3.5 spreads) between -0.3
    and 0.1, and stays 2 spreads and a factor of 3 below the median.
    """
    values = data.measured(detail)
    middle, spread = middle_and_spread(values)
    cut = np.clip(middle - 3.5 * spread, SHARP_LEAST, SHARP_MOST)
    contrast = data.measured(lambda one: one.contrast)
    found = (values < min(cut, middle - max(2 * spread, LESS_DETAIL))) & (contrast >= ONE_TONE)
    return [
        make_finding(
            data,
            "blurry",
            rows=[data.readable[one]],
            score=1 / (1 + 10 ** (values[one] - SHARP_LEAST)),
            message=f"Blurred: {10 ** (middle - values[one]):,.0f} times less fine detail than "
            "usual here for its contrast.",
            advice="Take a sharper original if there is one, or remove it.",
        )
        for one in _named(data, found)
    ]


def low_information(data: AuditInput) -> list[Finding]:
    """Name pictures of nearly one tone, unlike the rest (low_information)."""
    contrast = data.measured(lambda one: one.contrast)
    logs = np.log(contrast + 1)
    middle, spread = middle_and_spread(logs)
    found = (contrast < FLAT) & (logs < middle - max(3 * spread, np.log(2)))
    return [
        make_finding(
            data,
            "low_information",
            rows=[data.readable[one]],
            score=1 - contrast[one] / (2 * FLAT),
            message=f"Nearly one tone: its contrast is {contrast[one]:.1f} of 255 (usual here: "
            f"{np.exp(middle) - 1:.0f}).",
            advice="Look at it: remove it if it shows nothing.",
        )
        for one in _named(data, found)
    ]


def tiny(data: AuditInput) -> list[Finding]:
    """Name pictures that are small for a network and beside the rest (tiny)."""
    sides = data.measured(lambda one: min(one.width, one.height))
    usual = float(np.median(sides)) if len(sides) else 0.0
    return [
        make_finding(
            data,
            "tiny",
            rows=[data.readable[one]],
            score=1 - sides[one] / (2 * TINY_SIDE),
            message=f"Only {_size(data, one)} pixels; the short side is usually {usual:.0f} here.",
            advice="Find the original in full size, or remove it.",
        )
        for one in _named(data, (sides < TINY_SIDE) & (sides * TINY_RATIO < usual))
    ]


def odd_size(data: AuditInput) -> list[Finding]:
    """Name pictures of a size far outside of the set's own variation (odd_size).

    Far: a side more than 4 times longer or shorter than usual, and 5 robust spreads away.
    """
    logs = data.measured(lambda one: 0.5 * np.log(max(one.width * one.height, 1)))
    middle, spread = middle_and_spread(logs)
    away = np.abs(logs - middle)
    return [
        make_finding(
            data,
            "odd_size",
            rows=[data.readable[one]],
            score=1 - np.log(SIZE_RATIO) / (away[one] + np.log(SIZE_RATIO)),
            message=f"{_size(data, one)} pixels, a side {np.exp(away[one]):.1f} times "
            f"{'longer' if logs[one] > middle else 'shorter'} than usual here.",
            advice="Look where it comes from: another source often looks different too.",
        )
        for one in _named(data, away > max(np.log(SIZE_RATIO), 5 * spread))
    ]


def odd_aspect(data: AuditInput) -> list[Finding]:
    """Name pictures that are far longer than wide, or wider than long, than the rest (odd_aspect).

    Far: long side over short side above 3 and above the upper quartile by 3 interquartile ranges.
    """
    shapes = data.measured(lambda one: abs(np.log(max(one.width, 1) / max(one.height, 1))))
    low, high = np.quantile(shapes, (0.25, 0.75)) if len(shapes) else (0.0, 0.0)
    return [
        make_finding(
            data,
            "odd_aspect",
            rows=[data.readable[one]],
            score=1 - np.exp(-shapes[one]),
            message=f"{_size(data, one)} pixels: {np.exp(shapes[one]):.1f} times longer one way "
            "than the other; squeezing it into a square distorts it.",
            advice="Crop it to what it shows.",
        )
        for one in _named(data, shapes > max(np.log(LONG_SHAPE), high + 3 * (high - low)))
    ]


def odd_mode(data: AuditInput) -> list[Finding]:
    """Name pictures whose colour mode is rare in the set: gray or alpha among colour (odd_mode)."""
    modes = [mode_words(data.facts[row]) for row in data.readable]
    counts = Counter(modes)
    usual = counts.most_common(1)[0][0] if counts else ""
    rare = np.array([counts[mode] < RARE_MODE * len(modes) for mode in modes], dtype=bool)
    return [
        make_finding(
            data,
            "odd_mode",
            rows=[data.readable[one]],
            score=0.5 * (1 - counts[modes[one]] / len(modes)),
            message=f"It is {modes[one]} where {counts[usual]:,} of {len(modes):,} are {usual}.",
            advice="Nothing to do if it belongs here; else look where it comes from.",
        )
        for one in _named(data, rare)
    ]


MODE_WORDS = {
    "1": "black and white",
    "L": "gray",
    "LA": "gray with transparency",
    "RGBA": "colour with transparency",
    "PA": "colour with transparency",
    "CMYK": "CMYK",
    "I": "high-depth gray",
    "F": "high-depth gray",
}


def mode_words(facts: Facts) -> str:
    """Return a picture's colour mode in words; gray pixels stored as colour are gray."""
    mode = facts.mode.split(";")[0]
    words = MODE_WORDS.get(mode, "colour")
    return "gray" if words == "colour" and facts.saturation < GRAY else words


def bright_end(facts: Facts) -> float:
    """Return the luma that 99 % of the picture stays below, 0..255."""
    if not facts.master:
        return min(facts.brightness + 2 * facts.contrast, 255.0)
    return _quantile(np.frombuffer(facts.master, dtype=np.uint8), 0.99)


def washed_out(facts: Facts) -> float:
    """Return the mean of the brightness and of the middle's lower quartile of luma, 0..255.

    A white background is bright at the edges only; an overexposed picture in the middle too.
    """
    if not facts.master:
        return facts.brightness - 0.5 * facts.contrast
    gray = np.frombuffer(facts.master, dtype=np.uint8).reshape(MASTER_SIDE, MASTER_SIDE)
    inner = slice(MASTER_SIDE // 4, MASTER_SIDE - MASTER_SIDE // 4)
    return (facts.brightness + _quantile(gray[inner, inner].ravel(), 0.25)) / 2


def _quantile(gray: NDArray[np.uint8], share: float) -> float:
    """Return the least level that at least `share` of the pixels do not exceed."""
    counts = np.bincount(gray, minlength=256).cumsum()
    return float(np.searchsorted(counts, share * counts[-1]))


def detail(facts: Facts) -> float:
    """Return log10 of sharpness over contrast: fine detail for the contrast that there is."""
    return float(np.log10((facts.sharpness + 0.1) / (facts.contrast + 1)))


def middle_and_spread(values: Floats) -> tuple[float, float]:
    """Return the median and 1.4826 times the median absolute deviation (0, 0 of nothing)."""
    if not len(values):
        return 0.0, 0.0
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))


def beside_own_class(data: AuditInput, values: Floats, spreads: float) -> NDArray[np.bool_]:
    """Whether each value lies `spreads` above its class's median (True in classes below ten).

    Slides among photos are bright as slides are: that is the class, no fault of a picture.
    """
    codes = data.codes[data.readable]
    far = np.ones(len(values), dtype=bool)
    for code in np.unique(codes):
        own = codes == code
        if own.sum() >= FEWEST_IN_CLASS:
            middle, spread = middle_and_spread(values[own])
            far[own] = values[own] > middle + spreads * spread
    return far


def _named(data: AuditInput, found: NDArray[np.bool_]) -> list[int]:
    """Return the positions in `readable` of what is found, none in a set too small to compare."""
    return [int(one) for one in np.flatnonzero(found)] if len(data.readable) >= FEWEST else []


def _size(data: AuditInput, one: int) -> str:
    facts = data.facts[data.readable[one]]
    return f"{facts.width:,} x {facts.height:,}"
