"""Balanced accuracy of the probe on the real picture sets, settings fixed beforehand.

    python benchmarks/accuracy.py SETS [--seeds 10] [--only NAME]

Given splits once; elsewhere the mean over split seeds, with the standard deviation over seeds and
the mean width of the 95 % interval. Pictures are looked at once a set; nothing else is shared.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from tellapart import pipeline
from tellapart.auditing import components_of, look_at
from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.likeness import look_for_copies
from tellapart.progress import Progress
from tellapart.settings import Decoding, ReadSettings, RunSettings, SplitSettings

SETS = (  # name, place, reading, target
    ("ants_bees", "ants_bees", ReadSettings(), 0.93),
    ("food_mini", "food_mini", ReadSettings(), 0.92),
    ("cats_dogs", "cats_dogs", ReadSettings(), 0.98),
    ("land_cover", "land_cover", ReadSettings(), 0.93),
    ("flowers_128", "flowers_128", ReadSettings(), 0.86),
    ("pets by species", "pets/labels.csv", ReadSettings(label_column="species"), 0.98),
    ("pets by breed", "pets/labels.csv", ReadSettings(label_column="breed"), None),
    ("slides_rare", "slides_rare", ReadSettings(), None),
    (
        "naip RGB by town",
        "naip_4band/labels.csv",
        ReadSettings(label_column="tree_density", group_column="location"),
        None,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    print("| set | split | balanced accuracy | sd over seeds | interval width | target | s a fit |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        for name, place, reading, target in SETS:
            if chosen.only in (None, name):
                print(line(name, chosen.sets / place, reading, target, chosen.seeds, cache))


def line(name, place, reading, target, seeds, cache) -> str:
    bands = ("R", "G", "B") if name.startswith("naip") else None
    settings = RunSettings(read=reading, decoding=Decoding(bands=bands))
    pictures = read(place, reading)
    backbone = get_backbone("lite0")
    seen = look_at(
        pictures, backbone, "openvino", settings.decoding, cache, Progress(), rehash=False
    )
    usable = pictures.take(seen.usable.tolist())
    alike = look_for_copies(seen, cache, Progress(), mirror=True)
    together = components_of(usable, seen, alike)
    given = pictures.has_given_split
    scores, widths, seconds = [], [], []
    for seed in range(1 if given else seeds):
        one = replace(settings, seed=seed, split=SplitSettings(seed=seed))
        split = pipeline._split(pictures, usable, seen, alike, together, one)
        start = time.perf_counter()
        fitted = pipeline._fit(usable, seen, split, one, cache, Progress())
        seconds.append(time.perf_counter() - start)
        headline = pipeline._judge(usable, seen, split, fitted, one).evaluation.headline
        scores.append(headline.value)
        widths.append(headline.high - headline.low)
    cells = (
        name,
        "given" if given else f"{seeds} seeds",
        f"{np.mean(scores):.4f}",
        "" if given else f"{np.std(scores):.4f}",
        f"{np.mean(widths):.3f}",
        verdict(target, float(np.mean(scores))),
        f"{np.median(seconds):.1f}",
    )
    return f"| {' | '.join(cells)} |"


def verdict(target: float | None, score: float) -> str:
    return "" if target is None else f"{target:.2f} {'met' if score >= target else 'MISSED'}"


if __name__ == "__main__":
    main()
