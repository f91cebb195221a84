"""Checks on the files themselves: what cannot be read, and what is not what it says."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.pixels import FEWEST, GRAY, middle_and_spread
from tellapart.audits.records import Finding
from tellapart.data.pictures import FileSource

# kind of problem (images.problems.KINDS) -> kind of finding; every other one is "unreadable"
PROBLEM_KINDS = {"truncated": "truncated", "not_an_image": "not_an_image"}
PROBLEM_ADVICE = {
    "unreadable": "Open it in another program, save it anew, or remove it.",
    "truncated": "Copy or download it again: the rest of the file is missing.",
    "not_an_image": "Look into the file (it may be a web page or a text) and get the real picture.",
}

SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif"),
    "MPO": (".jpg", ".jpeg", ".mpo"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf", ".j2c"),
    "HEIF": (".heic", ".heif", ".hif"),
    "AVIF": (".avif",),
    "ICO": (".ico",),
    "TGA": (".tga",),
}
ALL_SUFFIXES = frozenset(suffix for own in SUFFIXES.values() for suffix in own)

EMPTY_ENTROPY = 3.0  # bits of the luma histogram; the photos of eight sets have 2.2 to 7.9
FAR = 6.0  # robust spreads below both the set's and the class's median
FLAT_BORDER = 2.0  # standard deviation of luma in the outer ring, of 255
RARE_FORMAT = 0.05  # share of the set
SIGNS_NEEDED = 2
CLASSES_WITH_THE_SAME_FILE = 3
FEWEST_IN_CLASS = 8


def problems(data: AuditInput) -> list[Finding]:
    """Name each picture that cannot be used: unreadable, truncated or not_an_image."""
    found = []
    for row, facts in enumerate(data.facts):
        if facts.problem is not None:
            kind = PROBLEM_KINDS.get(facts.problem_kind, "unreadable")
            found.append(
                make_finding(
                    data,
                    kind,
                    rows=[row],
                    message=f"It cannot be used: {facts.problem}.",
                    advice=PROBLEM_ADVICE[kind],
                )
            )
    return found


def wrong_extensions(data: AuditInput) -> list[Finding]:
    """Name files whose name ends as another format than they hold (wrong_extension)."""
    found = []
    for row in data.readable:
        suffix = PurePosixPath(data.pictures.paths[row]).suffix.lower()
        held = data.facts[row].file_format
        known = held in SUFFIXES and suffix in ALL_SUFFIXES
        if not isinstance(data.pictures.sources[row], FileSource) or not known:
            continue
        if suffix not in SUFFIXES[held]:
            found.append(
                make_finding(
                    data,
                    "wrong_extension",
                    rows=[row],
                    score=0.3,
                    message=f"It is named {suffix} but holds {held}; tellapart reads it all the "
                    "same, other programs may not.",
                    advice=f"Rename it to {SUFFIXES[held][0]}.",
                )
            )
    return found


def dropped_bands(data: AuditInput) -> list[Finding]:
    """Name files with a band that a reader drops without a word (dropped_band).

    Decoding notes it where the user did not choose the bands.
    """
    return [
        make_finding(
            data,
            "dropped_band",
            rows=[row],
            score=0.5,
            message=f"The file has {data.facts[row].bands} bands; the first three are used.",
            advice="Say which three bands to use, such as --bands 4,1,2 with near infrared first.",
        )
        for row in data.readable
        if f"of {data.facts[row].bands} bands" in data.facts[row].note
    ]


def placeholders(data: AuditInput) -> list[Finding]:
    """Name "not found" pictures that a web server sent instead of a photo (placeholder).

    Named is a picture of few tones (entropy below 3 bits and 6 spreads below the median of both its
    set and its class) with two of these signs: a flat border, no colour, a file format that is rare
    in the set, the same file more than once. And a file that stands under three or more classes.
    """
    entropy = data.measured(lambda one: one.entropy)
    few = (entropy < EMPTY_ENTROPY) & (entropy < _far_below(entropy))
    codes = data.codes[data.readable]
    for code in np.unique(codes):
        own = codes == code
        if own.sum() >= FEWEST_IN_CLASS:
            few[own] &= entropy[own] < _far_below(entropy[own])
    if len(few) < FEWEST:
        few[:] = False
    signs = _signs(data)
    found = [
        make_finding(
            data,
            "placeholder",
            rows=[data.readable[one]],
            score=0.5 + 0.1 * len(signs[one]),
            message=f"Hardly a photo: {entropy[one]:.1f} bits of tones (usual here: "
            f"{np.median(entropy):.1f}), {', '.join(signs[one])}. Perhaps a web server's "
            '"not found" picture.',
            advice="Look at it, and remove it or get the real picture.",
        )
        for one in np.flatnonzero(few)
        if len(signs[one]) >= SIGNS_NEEDED
    ]
    return found + _same_file_in_many_classes(data)


def _far_below(values: NDArray[np.float64]) -> float:
    middle, spread = middle_and_spread(values)
    return middle - FAR * spread


def _signs(data: AuditInput) -> list[list[str]]:
    """Return what speaks for a placeholder, for each readable picture."""
    formats: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    for row in data.readable:
        formats[data.facts[row].file_format] += 1
        ids[data.ids[row]] += 1
    signs = []
    for row in data.readable:
        facts, key = data.facts[row], data.ids[row]
        own = [
            (facts.border_spread < FLAT_BORDER, "a flat border"),
            (facts.saturation < GRAY, "no colour"),
            (
                formats[facts.file_format] < RARE_FORMAT * len(data.readable),
                f"{facts.file_format} among other formats",
            ),
            (ids[key] > 1, f"the same file {ids[key]} times"),
        ]
        signs.append([words for holds, words in own if holds])
    return signs


def _same_file_in_many_classes(data: AuditInput) -> list[Finding]:
    by_id: dict[str, list[int]] = defaultdict(list)
    for row in data.readable:
        by_id[data.ids[row]].append(int(row))
    found = []
    for rows in by_id.values():
        labels = data.labels_of(rows)
        if len(labels) >= CLASSES_WITH_THE_SAME_FILE:
            found.append(
                make_finding(
                    data,
                    "placeholder",
                    rows=rows,
                    message=f"The same file stands under {len(labels)} classes: it shows none of "
                    "them, or all.",
                    advice="Look at it, and remove it where it does not belong.",
                )
            )
    return found
