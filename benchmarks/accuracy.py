"""Balanced accuracy of the probe on the real picture sets, settings fixed beforehand.

    python benchmarks/accuracy.py SETS [--seeds 10] [--only NAME]

Given splits once; elsewhere the mean over split seeds, with the standard deviation over seeds and
the mean width of the 95 % interval. Pictures are looked at once a set; nothing else is shared.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import tellapart as ta
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
    with tempfile.TemporaryDirectory() as folder:
        for name, place, reading, target in SETS:
            if chosen.only in (None, name):
                print(line(name, chosen.sets / place, reading, target, chosen.seeds, Path(folder)))


def line(name, place, reading, target, seeds, folder) -> str:
    bands = ("R", "G", "B") if name.startswith("naip") else None
    given = ta.read(place, reading).has_given_split
    scores, widths, seconds = [], [], []
    for seed in range(1 if given else seeds):
        settings = RunSettings(
            read=reading, decoding=Decoding(bands=bands), seed=seed, advice=False,
            split=SplitSettings(seed=seed),
        )  # fmt: skip
        out = folder / name / str(seed)
        headline = ta.run(place, out, settings=settings, cache=folder / "cache").evaluation.headline
        told = json.loads((out / "run.json").read_text(encoding="utf-8"))
        seconds.append(told["seconds"]["fit"])
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
