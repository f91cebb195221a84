"""Near-duplicates planted in real pictures: recall by alteration, precision, seconds.

    python benchmarks/duplicates.py SETS [--seeds 101 102 103] [--peer .venv-peers/bin/python]

SETS is the folder of real picture sets. For every seed and set half of the pictures get one altered
copy each (saved as JPEG, quality 88). tellapart looks at originals and copies, Lite0, no cache, and
names pairs; one threshold for all sets. Every pair that was not planted counts as false, but for
pairs of unaltered pictures that TRUE_COPIES lists: they were looked at. cleanvision 0.3.7 gets the
same files in a process of its own (pairs within its exact and near duplicate sets). Seeds 1 to 9
were used to choose constants; do not report them. Times are of the search for near-duplicates
alone, after decoding and embedding; cleanvision's are of its two duplicate checks.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

SETS = ("ants_bees", "cats_dogs", "land_cover")
TIMED = ("ants_bees", "cats_dogs")  # unaltered, together: 998 pictures
SUFFIXES = (".jpg", ".jpeg", ".png")
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--peer", default=".venv-peers/bin/python")
    chosen = parser.parse_args()
    recall: dict[str, Counter[str]] = {}
    totals = []
    for name in SETS:
        for seed in chosen.seeds:
            with tempfile.TemporaryDirectory() as folder:
                planted = plant(chosen.sets / name, Path(folder), seed)
                ways = {"tellapart": ours(planted.files)}
                theirs = cleanvision(chosen.peer, planted.files)
                if isinstance(theirs, Found):
                    ways["cleanvision"] = theirs
            for way, found in ways.items():
                count(recall, f"{name}, {way}", planted, found)
                totals.append((name, seed, way, *judge(planted, found), found.seconds))
    if isinstance(theirs, str):
        print(f"cleanvision did not run: {theirs}")
    print_recall(recall)
    print_totals(totals)
    print_time([file for name in TIMED for file in pictures(chosen.sets / name)], chosen.peer)


# -- planting


def pictures(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)


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

    files_of, ids, masters, features = looked_at(files)
    start = time.perf_counter()
    near = find_near_duplicates(masters, features, ids)
    seconds = time.perf_counter() - start
    pairs = {frozenset(two) for same in files_of.values() for two in combinations(same, 2)}
    for (one, other), kind in zip(near.pairs.tolist(), near.kinds, strict=True):
        if kind == "copy":
            pairs |= {frozenset((a, b)) for a in files_of[ids[one]] for b in files_of[ids[other]]}
    return Found(pairs, seconds)


def looked_at(files: Sequence[Path]):
    """Return id -> files, and ids, masters and features of the different pictures."""
    from tellapart.backbones import get_backbone
    from tellapart.data import FileSource, PictureSet
    from tellapart.features import look, open_cache
    from tellapart.progress import Progress
    from tellapart.settings import Decoding

    count = len(files)
    names = tuple(str(file) for file in files)
    nothing = (None,) * count
    as_set = PictureSet(
        root="",
        paths=names,
        sources=tuple(FileSource(name) for name in names),
        labels=("a",) * count,
        groups=nothing,
        splits=nothing,
        classes=("a",),
        columns={},
    )
    with open_cache(None) as cache:
        seen = look(
            as_set,
            get_backbone("lite0"),
            "openvino",
            decoding=Decoding(),
            cache=cache,
            progress=Progress(),
        )
        files_of: dict[str, list[Path]] = {}
        vectors = {}
        for row, vector in zip(seen.usable.tolist(), seen.features, strict=True):
            files_of.setdefault(seen.ids[row], []).append(files[row])
            vectors[seen.ids[row]] = vector
        ids = list(files_of)
        kept = seen.masters(ids)
    masters = np.stack([np.frombuffer(kept[one], np.uint8).reshape(128, 128) for one in ids])
    return files_of, ids, masters, np.stack([vectors[one] for one in ids])


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


def cleanvision(python: str, files: Sequence[Path]) -> Found | str:
    """Return the pairs that cleanvision names, or why it did not run."""
    given = json.dumps([str(file) for file in files])
    try:
        done = subprocess.run(
            [python, "-c", PEER], input=given, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        return f"there is no {python} (make peers)"
    except subprocess.CalledProcessError as error:
        return error.stderr.strip().splitlines()[-1]
    told = json.loads(done.stdout.splitlines()[-1])
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


def print_recall(recall: dict[str, Counter[str]]) -> None:
    print("\nRecall by alteration (number planted)\n")
    print("| alteration | " + " | ".join(recall) + " |")
    print("| --- |" + " --- |" * len(recall))
    for name in [*ALTERATIONS, TWO]:
        cells = [
            f"{told['found ' + name] / told[name]:.3f} ({told[name]})" for told in recall.values()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def print_totals(totals: list[tuple[str, int, str, float, float, float]]) -> None:
    print("\n| set | seed | way | recall | precision | seconds |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, seed, way, recall, precision, seconds in totals:
        print(f"| {name} | {seed} | {way} | {recall:.3f} | {precision:.3f} | {seconds:.1f} |")


def print_time(files: Sequence[Path], python: str) -> None:
    own, theirs = ours(files), cleanvision(python, files)
    print(f"\n{len(files)} unaltered pictures of {' and '.join(TIMED)}:")
    print(f"tellapart {own.seconds:.1f} s, {len(own.pairs)} pairs named")
    if isinstance(theirs, Found):
        print(f"cleanvision {theirs.seconds:.1f} s, {len(theirs.pairs)} pairs named")


if __name__ == "__main__":
    sys.exit(main())
