"""Shortcuts planted in one class (another JPEG quality, a border, a smaller size), and none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from audit_parts.common import Options, audited, pictures, print_table

SETS = ("cats_dogs", "ants_bees", "food_mini", "land_cover")
UNALTERED = (*SETS, "flowers_128", "slides_rare")


def quality(picture: Image.Image, file: Path) -> None:
    picture.save(file, "JPEG", quality=60)


def border(picture: Image.Image, file: Path) -> None:
    width = max(1, round(0.05 * min(picture.size)))
    ImageOps.expand(picture, width, "white").save(file, "JPEG", quality=88)


def smaller(picture: Image.Image, file: Path) -> None:
    size = tuple(round(0.8 * side) for side in picture.size)
    picture.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=88)


PLANTS = {
    "one class at JPEG quality 60": (quality, 1.0, "JPEG quality"),
    "half of a class at quality 60": (quality, 0.5, "JPEG quality"),
    "one class with a border": (border, 1.0, "a border of one tone"),
    "half of a class with a border": (border, 0.5, "a border of one tone"),
    "one class at 80 % size": (smaller, 1.0, "image size"),
}


def report(options: Options) -> None:
    print("### Shortcuts\n")
    rows = []
    for name in SETS:
        for what, (plant, share, words) in PLANTS.items():
            told = [planted(options.sets / name, plant, share, seed) for seed in options.seeds]
            named = sum(any(words in one for one in messages) for messages in told)
            rows.append((name, what, f"{named} of {len(told)}"))
    print_table(("set", "planted", "named"), rows)
    rows = []
    for name in UNALTERED:
        found = warnings(options.sets / name)
        rows.append((name, "; ".join(one.split(" alone")[0] for one in found) or "none"))
    for label in ("breed", "species"):
        found = warnings(options.sets / "pets" / "labels.csv", label_column=label)
        rows.append((f"pets by {label}", "; ".join(found) or "none"))
    print_table(("unaltered", "shortcuts named (warnings)"), rows)


def warnings(place: Path, **reading) -> list[str]:
    found = audited(place, **reading).findings
    return [one.message for one in found if one.kind == "shortcut" and one.severity == "warning"]


def planted(source: Path, plant, share: float, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(source, Path(name) / "set"))
        classes = sorted({file.parent.name for file in pictures(folder)})
        label = classes[int(draw.integers(len(classes)))]
        own = [file for file in pictures(folder) if file.parent.name == label]
        for row in draw.permutation(len(own))[: round(share * len(own))]:
            with Image.open(own[row]) as image:
                picture = ImageOps.exif_transpose(image).convert("RGB")
            plant(picture, own[row])
        return warnings(folder)
