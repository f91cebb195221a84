"""Near-duplicates planted in real pictures: recall by alteration, precision, seconds.

For every seed and set half of the pictures get one altered copy each (saved as JPEG, quality 88).
tellapart looks at originals and copies, Lite0, no cache, and names pairs; one threshold for all
sets. Every pair that was not planted counts as false, but for pairs of unaltered pictures that
TRUE_COPIES lists: they were looked at. cleanvision gets the same files (pairs within its exact and
near duplicate sets). Times are of the search for near-duplicates alone, after decoding and
embedding; cleanvision's are of its two duplicate checks.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from audit_parts.common import NoPeer, Options, ask_peer, looked_at, pictures, print_table

SETS = ("ants_bees", "cats_dogs", "land_cover")
TRUE_COPIES = {frozenset(("industrial_203.jpg", "industrial_205.jpg"))}
SHARE = 0.5
TWO = "two of these"
TWO_IN = 5  # copies with two alterations for every round through all single ones

Alteration = Callable[[Image.Image, np.random.Generator], Image.Image]
Turn = Image.Transpose


class Planted(NamedTuple):
    """Files of a set and of its copies; copy -> (its original, what was done)."""

    files: list[Path]
    copies: dict[Path, tuple[Path, str]]


class Found(NamedTuple):
    pairs: set[frozenset[Path]]
    seconds: float


def report(options: Options) -> None:
    recall: dict[str, Counter[str]] = {}
    totals = []
    for name in SETS:
        for seed in options.seeds:
            with tempfile.TemporaryDirectory() as folder:
                planted = plant(options.sets / name, Path(folder), seed)
                ways = {"tellapart": ours(planted.files)}
                try:
                    ways["cleanvision"] = cleanvision(options.peer, planted.files)
                except NoPeer as problem:
                    print(f"cleanvision did not run: {problem}")
            for way, found in ways.items():
                count(recall, f"{name}, {way}", planted, found)
                totals.append((name, seed, way, *judge(planted, found), f"{found.seconds:.1f}"))
    print("### Altered copies: recall by alteration (number planted)\n")
    rows = [
        (
            name,
            *(
                f"{told['found ' + name] / told[name]:.3f} ({told[name]})"
                for told in recall.values()
            ),
        )
        for name in [*ALTERATIONS, TWO]
    ]
    print_table(("alteration", *recall), rows)
    print_table(("set", "seed", "way", "recall", "precision", "seconds"), totals)


# -- planting


def plant(source: Path, folder: Path, seed: int) -> Planted:
    """Write altered copies of some pictures of `source` to `folder`, alterations in even parts."""
    draw = np.random.default_rng(seed)
    files = pictures(source)
    rows = draw.permutation(len(files))[: round(len(files) * SHARE)]
    names = [*ALTERATIONS, *[TWO] * TWO_IN]
    chosen = draw.permutation([names[place % len(names)] for place in range(len(rows))])
    copies = {}
    for row, name in zip(rows, chosen, strict=True):
        with Image.open(files[row]) as image:
            picture = ImageOps.exif_transpose(image).convert("RGB")
        copy = folder / f"{row:05d}.jpg"
        altered(picture, str(name), draw).save(copy, quality=88)
        copies[copy] = (files[row], str(name))
    return Planted([*files, *copies], copies)


def altered(picture: Image.Image, name: str, draw: np.random.Generator) -> Image.Image:
    if name != TWO:
        return ALTERATIONS[name](picture, draw)
    for one in draw.choice(list(ALTERATIONS), 2, replace=False):
        picture = ALTERATIONS[one](picture, draw)
    return picture


def re_encoded(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=int(draw.integers(30, 76)))
    return Image.open(stream).convert("RGB")


def half_size(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    size = (max(8, picture.width // 2), max(8, picture.height // 2))
    return picture.resize(size, Image.Resampling.LANCZOS)


def cropped(share: float) -> Alteration:
    """Take a share of width and height away, anywhere."""

    def crop(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
        width, height = (round(length * (1 - share)) for length in picture.size)
        left = int(draw.integers(picture.width - width + 1))
        top = int(draw.integers(picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

    return crop


def turned(how: Turn) -> Alteration:
    return lambda picture, draw: picture.transpose(how)


def lit(low: float, high: float) -> Alteration:
    return lambda picture, draw: ImageEnhance.Brightness(picture).enhance(draw.uniform(low, high))


def boxed(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    changed, side = picture.copy(), round(draw.uniform(0.12, 0.20) * min(picture.size))
    left, top = (int(draw.integers(length - side)) for length in picture.size)
    colour = tuple(int(value) for value in draw.integers(0, 256, 3))
    ImageDraw.Draw(changed).rectangle((left, top, left + side, top + side), fill=colour)
    return changed


def written_on(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
    changed = picture.copy()
    place = (draw.uniform(0.02, 0.2) * picture.width, draw.uniform(0.05, 0.85) * picture.height)
    size = max(10, round(0.1 * min(picture.size)))
    ImageDraw.Draw(changed).text(place, "sample 2024", fill=(255, 255, 255), font_size=size)
    return changed


def framed(share: float) -> Alteration:
    """Put a plain border round the picture, a share of the shorter side wide."""

    def frame(picture: Image.Image, draw: np.random.Generator) -> Image.Image:
        gray = int(draw.choice([0, 128, 255]))
        return ImageOps.expand(picture, max(1, round(share * min(picture.size))), (gray,) * 3)

    return frame


ALTERATIONS: dict[str, Alteration] = {
    "re-encoded": re_encoded,
    "half size": half_size,
    "cropped 5 %": cropped(0.05),
    "cropped 10 %": cropped(0.10),
    "cropped 15 %": cropped(0.15),
    "mirrored": turned(Turn.FLIP_LEFT_RIGHT),
    "turned 90": turned(Turn.ROTATE_90),
    "turned 180": turned(Turn.ROTATE_180),
    "turned 270": turned(Turn.ROTATE_270),
    "brighter": lit(1.25, 1.6),
    "darker": lit(0.45, 0.75),
    "box": boxed,
    "text": written_on,
    "border 5 %": framed(0.05),
    "border 10 %": framed(0.10),
}


# -- finding


def ours(files: Sequence[Path]) -> Found:
    """Return the pairs of copies that tellapart names, exact copies included."""
    from tellapart.audits.near_duplicates import find_near_duplicates

    kept, ids, features, masters = looked_at(files)
    files_of: dict[str, list[Path]] = {}
    for file, id_ in zip(kept, ids, strict=True):
        files_of.setdefault(id_, []).append(file)
    rows = [ids.index(id_) for id_ in files_of]
    start = time.perf_counter()
    near = find_near_duplicates(masters[rows], features[rows], list(files_of))
    seconds = time.perf_counter() - start
    groups = list(files_of.values())
    pairs = {frozenset(two) for same in groups for two in combinations(same, 2)}
    for (one, other), kind in zip(near.pairs.tolist(), near.kinds, strict=True):
        if kind == "copy":
            pairs |= {frozenset((a, b)) for a in groups[one] for b in groups[other]}
    return Found(pairs, seconds)


PEER = """
import json, sys, time
from itertools import combinations
from cleanvision import Imagelab
kinds = {"exact_duplicates": {}, "near_duplicates": {}}
lab = Imagelab(filepaths=json.load(sys.stdin))
start = time.perf_counter()
lab.find_issues(kinds, n_jobs=2, verbose=False)
seconds = time.perf_counter() - start
sets = [one for kind in kinds for one in lab.info[kind]["sets"]]
pairs = [two for one in sets for two in combinations(one, 2)]
print("\\n" + json.dumps({"seconds": seconds, "pairs": pairs}))
"""


def cleanvision(python: str, files: Sequence[Path]) -> Found:
    """Return the pairs that cleanvision names."""
    told = ask_peer(python, PEER, [str(file) for file in files])
    return Found({frozenset(map(Path, two)) for two in told["pairs"]}, told["seconds"])


# -- judging


def judge(planted: Planted, found: Found) -> tuple[float, float]:
    """Return recall and precision."""
    wanted = {frozenset((copy, original)) for copy, (original, _) in planted.copies.items()}
    right = len(wanted & found.pairs)
    false = sum(not is_true_copy(pair, planted) for pair in found.pairs - wanted)
    return right / len(wanted), right / max(1, right + false)


def is_true_copy(pair: frozenset[Path], planted: Planted) -> bool:
    """Say whether the originals behind a pair are copies that stand in the set itself."""
    roots = {planted.copies[file][0] if file in planted.copies else file for file in pair}
    return frozenset(file.name for file in roots) in TRUE_COPIES


def count(recall: dict[str, Counter[str]], column: str, planted: Planted, found: Found) -> None:
    told = recall.setdefault(column, Counter())
    for copy, (original, name) in planted.copies.items():
        told[name] += 1
        told["found " + name] += frozenset((copy, original)) in found.pairs
