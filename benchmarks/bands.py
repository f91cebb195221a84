"""Four bands against three on naip_4band: what near infrared adds, and what a random split hides.

    python benchmarks/bands.py SETS [--seeds 3]

Every chip is judged out of fold. The folds hold whole towns, whole tiles (a tile is the same ground
in other years), or chips at random. Inside each fold's training part everything is chosen as a run
does it: settings, the way to see four bands, statistics of the fourth. Intervals of the difference
are of the percentile bootstrap over whole groups (2,000 draws). Below, what a run says of a split
that was drawn at random, once it is told the tiles.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from tellapart import choosing, pipeline
from tellapart.auditing import look_at
from tellapart.backbones import EMBEDDED, get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.heads import fit_probe
from tellapart.progress import Progress
from tellapart.results import Fitted
from tellapart.settings import Decoding, ReadSettings, RunSettings
from tellapart.splits import stratified_group_folds

BANDS = {"RGB": ("R", "G", "B"), "four bands": ("R", "G", "B", "N")}
SPLITS = {"town": ("location", 8), "tile": ("tile", 5), "random": (None, 5)}  # column, folds
DRAWS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    table = chosen.sets / "naip_4band" / "labels.csv"
    print("| folds by | RGB | four bands | difference | 95 % interval | four bands seen as |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        for name, (column, folds) in SPLITS.items():
            print(line(name, column, folds, table, chosen.seeds, cache), flush=True)
    print()
    print_run_of_a_random_split(table)


def line(name, column, folds, table, seeds, cache) -> str:
    hits, ways = {}, Counter()
    for bands, names in BANDS.items():
        hits[bands] = []
        for seed in range(seeds):
            right, labels, groups, seen_as = out_of_fold(table, column, folds, names, seed, cache)
            hits[bands].append(right)
            ways.update(seen_as)
    mean = {bands: np.mean(found, axis=0) for bands, found in hits.items()}
    scores = {bands: balanced(found, labels) for bands, found in mean.items()}
    low, high = interval(mean["four bands"] - mean["RGB"], labels, groups)
    cells = (
        name,
        f"{scores['RGB']:.3f}",
        f"{scores['four bands']:.3f}",
        f"{scores['four bands'] - scores['RGB']:+.3f}",
        f"{low:+.3f} to {high:+.3f}",
        ", ".join(f"{way} in {count} folds" for way, count in ways.most_common() if way),
    )
    return f"| {' | '.join(cells)} |"


def out_of_fold(table, column, folds, bands, seed, cache):
    """Return whether each chip was answered rightly, labels, groups, and the ways chosen."""
    reading = ReadSettings(label_column="tree_density", group_column=column)
    settings = RunSettings(read=reading, decoding=Decoding(bands=bands), seed=seed)
    pictures, base = read(table, reading), get_backbone(EMBEDDED)
    ways = choosing.open_ways(settings, cache)
    seen = look_at(
        pictures, base, settings.engine, settings.decoding, cache, Progress(), rehash=False,
        also=choosing.first_recipes(ways),
    )  # fmt: skip
    labels = pictures.codes()
    names = pictures.groups if column else pictures.paths
    groups = np.unique([str(one) for one in names], return_inverse=True)[1]
    fold_of = stratified_group_folds(labels, groups, seen.ids, folds, seed)
    right, taken = np.zeros(len(labels)), Counter()
    for fold in range(int(fold_of.max()) + 1):
        train, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        options = choosing.all_options(
            pictures, seen, base, train, ways, settings, cache, Progress()
        )
        fits = [fitted(one.look, train, labels, groups, pictures, seed, cache) for one in options]
        best, fit = choosing.choose(options, fits)
        answers = fit.head.probabilities(best.look.features[test]).argmax(axis=1)
        right[test] = answers == labels[test]
        taken[best.candidate.way] += 1
    return right, labels, groups, taken


def fitted(look, train, labels, groups, pictures, seed, cache) -> Fitted:
    ids = [look.ids[row] for row in train]
    probe, computed = fit_probe(
        look.features[train], labels[train], len(pictures.classes), groups[train], ids,
        seed=seed, cache=cache, progress=Progress(),
    )  # fmt: skip
    return Fitted(probe, probe.head, pictures.classes, train, computed)


def balanced(right, labels) -> float:
    return float(np.mean([right[labels == code].mean() for code in np.unique(labels)]))


def interval(difference, labels, groups) -> tuple[float, float]:
    rng, found = np.random.default_rng(0), []
    rows = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    while len(found) < DRAWS:
        drawn = np.concatenate([rows[one] for one in rng.integers(0, len(rows), len(rows))])
        if len(np.unique(labels[drawn])) == len(np.unique(labels)):
            found.append(balanced(difference[drawn], labels[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def print_run_of_a_random_split(table: Path) -> None:
    """Print what runs on a random split say: without the tiles, and with them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "naip"
        shutil.copytree(table.parent, data)
        drawn = write_split(data / "labels.csv")
        print("| a random split, RGB | counted | balanced accuracy | with leaked chips |")
        print("| --- | --- | --- | --- |")
        for name, column in (("tiles not told", None), ("--group-column tile", "tile")):
            reading = ReadSettings(
                label_column="tree_density", group_column=column, split_column="drawn"
            )
            settings = RunSettings(
                read=reading, decoding=Decoding(bands=BANDS["RGB"]), advice=False
            )
            out = Path(folder) / f"run-{column}"
            run = pipeline.run(drawn, out, settings=settings, cache=Path(folder) / "cache")
            metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
            mine, leaked = metrics["headline"], metrics.get("with_leaked")
            number = f"{mine['value']:.3f} ({mine['low']:.3f} to {mine['high']:.3f})"
            other = f"{leaked['value']:.3f}" if leaked else "-"
            print(f"| {name} | {mine['pictures']} | {number} | {other} |")
            kinds = Counter(one.kind for one in run.audit.findings)
            print(f"|  findings: {dict(kinds)} | | | |")


def write_split(place: Path) -> Path:
    with place.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    draw = random.Random(0)
    for row in rows:
        row["drawn"] = "test" if draw.random() < 0.2 else "train"
        del row["source_split"]
    out = place.with_name("drawn.csv")
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


if __name__ == "__main__":
    main()
