"""Leaks across a given split, planted; and what unaltered sets hold.

Planted in ants_bees (its own split, flat list of files in a table): altered and exact copies of
training pictures in val, and groups that stand on both sides. Unaltered: pairs that the sets really
hold were looked at and are listed in the sets' README.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from audit_parts.common import Options, audited, pictures, print_table
from audit_parts.duplicates import ALTERATIONS, altered

COPIES, GROUPS = 30, 10
SPLIT_SETS = ("ants_bees", "food_mini")
NATURAL = {  # set -> groups of copies that it holds (all were looked at), of them with two labels
    "ants_bees": (0, 0),
    "cats_dogs": (0, 0),
    "food_mini": (0, 0),
    "land_cover": (1, 0),
    "flowers_128": (8, 4),  # 6 equal to the byte, 2 re-encoded (one photograph in two sizes)
    "slides_rare": (1, 0),  # one slide three times, with other marks on it
}
COPY_KINDS = {"duplicate_exact", "duplicate_near", "label_conflict", "leak_duplicate"}


def report(options: Options) -> None:
    print("### Leaks planted across a given split\n")
    rows = [planted(options.sets / name, seed) for name in SPLIT_SETS for seed in options.seeds]
    head = ("set", "seed", "copies found", "copies invented", "groups found", "groups invented")
    print_table(head, rows)
    print("### Copies in unaltered sets\n")
    rows = [(name, *natural(options.sets / name), *NATURAL[name]) for name in NATURAL]
    pets = natural(options.sets / "pets" / "labels.csv", label_column="breed")
    rows.append(("pets", *pets, 0, 0))
    head = (
        "set",
        "groups named",
        "with two labels",
        "only alike",
        "true groups",
        "with two labels",
    )
    print_table(head, rows)
    print_table(*naip(options.sets / "naip_4band" / "labels.csv"))


def planted(source: Path, seed: int) -> tuple:
    """Return set, seed, and how many planted leaks were found and how many others named."""
    draw = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(source, Path(name) / source.name))
        judging = next(one.name for one in folder.iterdir() if one.name != "train")
        files = pictures(folder / "train")
        names = [*ALTERATIONS, "the same file"]
        wanted = set()
        for number, row in enumerate(draw.permutation(len(files))[:COPIES]):
            file, how = files[row], names[number % len(names)]
            copy = folder / judging / file.parent.name / f"{number:03}-copy.jpg"
            if how == "the same file":
                shutil.copy(file, copy)
            else:
                with Image.open(file) as image:
                    picture = ImageOps.exif_transpose(image).convert("RGB")
                altered(picture, how, draw).save(copy, quality=88)
            wanted.add(frozenset(one.relative_to(folder).as_posix() for one in (file, copy)))
        table, groups = with_groups(folder, draw)
        found = audited(table, group_column="group", path_column="file").findings
    leaks = [one for one in found if "leak_duplicate" in (one.kind, *one.also)]
    named = {frozenset(one.path for one in leak.pictures) for leak in leaks}
    told = {one.message.split("'")[1] for one in found if one.kind == "leak_group"}
    return (
        source.name, seed, f"{sum(any(w <= n for n in named) for w in wanted)} of {len(wanted)}",
        sum(not any(w <= n for w in wanted) for n in named),
        f"{len(told & groups)} of {len(groups)}", len(told - groups),
    )  # fmt: skip


def with_groups(folder: Path, draw: np.random.Generator) -> tuple[Path, set[str]]:
    """Write a table with a group a picture, GROUPS of them on two sides; copies have none."""
    files = [one for one in pictures(folder) if "-copy" not in one.name]
    by_side: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        by_side[file.relative_to(folder).parts[0]].append(file)
    group = {}
    for own in by_side.values():
        for place, row in enumerate(draw.permutation(len(own))):
            group[own[row]] = f"{own[row].relative_to(folder).parts[0]} {place // 4}"
    leaking = set()
    first, second = by_side.values()
    for number in range(GROUPS):
        leaking.add(f"both {number}")
        for own in (first, second):
            for row in draw.permutation(len(own))[:2]:
                group.setdefault(own[row], "")
        group[first[number]] = group[second[number]] = f"both {number}"
    table = folder / "table.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "label", "split", "group"))
        for one in pictures(folder):
            side, label = one.relative_to(folder).parts[:2]
            writer.writerow((one.relative_to(folder).as_posix(), label, side, group.get(one, "")))
    return table, leaking


def natural(place: Path, **reading) -> tuple[int, int, int]:
    """Return how many groups of copies are named, how many of them with two labels, only alike."""
    found = [
        one for one in audited(place, **reading).findings
        if COPY_KINDS.intersection((one.kind, *one.also))
    ]  # fmt: skip
    sure = [one for one in found if one.severity != "note"]
    conflicts = sum("label_conflict" in (one.kind, *one.also) for one in sure)
    return len(sure), conflicts, len(found) - len(sure)


def naip(table: Path) -> tuple:
    """Return how many tiles that lie on several sides of the given split are named, and how."""
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sides: dict[str, set[str]] = defaultdict(set)
    tile_of = {row["file"]: row["tile"] for row in rows}
    for row in rows:
        sides[row["tile"]].add(row["source_split"])
    torn = {tile for tile, own in sides.items() if len(own) > 1}
    reading = {"label_column": "tree_density", "split_column": "source_split"}
    given = audited(table, **reading).findings
    by_pairs = {
        tile_of[first.path]
        for one in given
        if COPY_KINDS.intersection((one.kind, *one.also))
        for first in one.pictures
        if len({tile_of[picture.path] for picture in one.pictures}) == 1
        and len({picture.split for picture in one.pictures}) > 1
    }
    wrong = sum(
        len({tile_of[picture.path] for picture in one.pictures}) > 1
        for one in given
        if COPY_KINDS.intersection((one.kind, *one.also))
    )
    hints = [one.advice.split('"')[1] for one in given if one.kind == "group_hint"]
    by_regex: set[str] = set()
    for regex in hints:
        for one in audited(table, **reading, group_regex=regex).findings:
            if "leak_group" in (one.kind, *one.also):
                by_regex |= {tile_of[picture.path] for picture in one.pictures}
    head = ("naip_4band", "tiles on several sides")
    return head, [
        ("in the set", len(torn)),
        ("named as pairs on two sides", len(torn & by_pairs)),
        ("pairs named of two tiles", wrong),
        (
            f"named as leak_group once the proposed --group-regex is given ({hints})",
            len(torn & by_regex),
        ),
    ]
