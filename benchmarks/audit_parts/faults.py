"""Dark, light, blurry, turned, tiny, cut and misnamed pictures, planted; and sets that only vary.

Each kind is planted in 4 % of the pictures of a set. Every unaltered picture that is named counts
as false. cleanvision gets the same files for the kinds that it knows (its odd size stands beside
our tiny). Then the unaltered sets: how many pictures of ants_bees and cats_dogs, which simply vary
in size, are called odd.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from audit_parts.common import NoPeer, Options, ask_peer, audited, pictures, print_table

SETS = ("ants_bees", "cats_dogs", "food_mini", "land_cover", "flowers_128")
SHARE = 0.04
ORIENTATION = 0x0112  # the EXIF tag
THEIRS = {
    "dark": "dark",
    "light": "light",
    "blurry": "blurry",
    "tiny": "odd_size",
    "odd_size": "odd_size",
    "odd_aspect": "odd_aspect_ratio",
}

PEER = """
import json, sys
from cleanvision import Imagelab
kinds = ["dark", "light", "blurry", "odd_size", "odd_aspect_ratio"]
lab = Imagelab(filepaths=json.load(sys.stdin))
lab.find_issues({kind: {} for kind in kinds}, n_jobs=2, verbose=False)
found = {k: [str(p) for p in lab.issues.index[lab.issues[f"is_{k}_issue"]]] for k in kinds}
print("\\n" + json.dumps(found))
"""


def dark(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    ImageEnhance.Brightness(picture).enhance(draw.uniform(0.12, 0.2)).save(file, quality=90)


def light(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    white = Image.new("RGB", picture.size, "white")
    Image.blend(picture, white, draw.uniform(0.7, 0.8)).save(file, quality=90)


def blurry(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    radius = draw.uniform(0.02, 0.03) * min(picture.size)
    picture.filter(ImageFilter.GaussianBlur(radius)).save(file, quality=90)


def turned(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = int(draw.choice([3, 6, 8]))
    picture.save(file, quality=90, exif=exif)


def tiny(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    scale = draw.uniform(28, 48) / min(picture.size)
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    picture.resize(size, Image.Resampling.LANCZOS).save(file, quality=90)


def cut(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: round(draw.uniform(0.3, 0.9) * len(content))])


def misnamed(picture: Image.Image, file: Path, draw: np.random.Generator) -> None:
    picture.save(file, "PNG")


PLANTS = {
    "dark": dark,
    "light": light,
    "blurry": blurry,
    "exif_rotated": turned,
    "tiny": tiny,
    "truncated": cut,
    "wrong_extension": misnamed,
}


def report(options: Options) -> None:
    told: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for name in SETS:
        for seed in options.seeds:
            for key, counts in one_set(options.sets / name, seed, options.peer).items():
                told[key].append(counts)
                told[(f"{name}: {key[0]}", key[1])].append(counts)
    print("### Faults of single pictures: recall and precision over all sets and seeds\n")
    rows = []
    for kind in PLANTS:
        for way in ("tellapart", "cleanvision"):
            if (kind, way) in told:
                rows.append((kind, way, *rates(told[kind, way]), *worst(told, kind, way)))
    head = ("kind", "way", "planted", "recall", "precision", "least recall", "least precision")
    print_table(head, rows)
    print_table(("unaltered", "pictures", "kind", "tellapart", "cleanvision"), varying(options))


def one_set(source: Path, seed: int, peer: str) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return (kind, way) -> planted, found of them, unaltered pictures named."""
    draw = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(source, Path(name) / "set"))
        files = [file for file in pictures(folder) if file.suffix.lower() != ".png"]
        each = max(5, round(SHARE * len(files)))
        order = draw.permutation(len(files))
        planted: dict[str, set[str]] = {}
        for place, (kind, plant) in enumerate(PLANTS.items()):
            chosen = [files[row] for row in order[place * each : (place + 1) * each]]
            for file in chosen:
                with Image.open(file) as image:
                    picture = ImageOps.exif_transpose(image).convert("RGB")
                plant(picture, file, draw)
            planted[kind] = {str(file) for file in chosen}
        named = {"tellapart": ours(folder)}
        try:
            whole = [file for file in files if str(file) not in planted["truncated"]]
            named["cleanvision"] = theirs(peer, whole)  # a cut file ends it
        except NoPeer as problem:
            print(f"cleanvision did not run: {problem}")
    altered = set().union(*planted.values())
    return {
        (kind, way): (len(own), len(own & found[kind]), len(found[kind] - altered))
        for kind, own in planted.items()
        for way, found in named.items()
        if kind in found
    }


def ours(folder: Path, kinds=tuple(PLANTS)) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {kind: set() for kind in kinds}
    for one in audited(folder).findings:
        for kind in {one.kind, *one.also} & set(kinds):
            named[kind] |= {str(folder / picture.path) for picture in one.pictures}
    return named


def theirs(peer: str, files: list[Path], kinds=tuple(PLANTS)) -> dict[str, set[str]]:
    found = ask_peer(peer, PEER, [str(file) for file in files])
    return {kind: set(found[THEIRS[kind]]) for kind in kinds if kind in THEIRS}


def rates(counts: list[tuple[int, int, int]]) -> tuple[int, float, float]:
    planted, found, false = (sum(column) for column in zip(*counts, strict=True))
    return planted, found / planted, found / max(1, found + false)


def worst(told: dict, kind: str, way: str) -> tuple[str, str]:
    """Return the least recall and precision of one set, with its name."""
    per_set = {name: rates(told[f"{name}: {kind}", way]) for name in SETS}
    least = [min(per_set, key=lambda name, at=at: per_set[name][at]) for at in (1, 2)]
    return tuple(
        f"{per_set[name][at]:.3f} ({name})" for at, name in zip((1, 2), least, strict=True)
    )


def varying(options: Options) -> list[tuple]:
    rows = []
    for name in ("ants_bees", "cats_dogs"):
        files, kinds = pictures(options.sets / name), ("odd_size", "odd_aspect", "tiny")
        own = ours(options.sets / name, kinds)
        try:
            other = theirs(options.peer, files, kinds)
        except NoPeer:
            other = {}
        for kind in kinds:
            rows.append((name, len(files), kind, len(own[kind]), len(other.get(kind, ()))))
    return rows
