"""A search over heads: what it costs, and what it is worth. Prints Markdown tables.

    python benchmarks/search.py time
    python benchmarks/search.py worth SETS [--seeds 5] [--trials 10] [--only NAME]

`time`: ten trials on 5,000 x 1,280 made-up features of 10 classes (clusters that overlap, so that
nothing ends early). `worth`: the same split, once with the plain logistic path and once with the
search; balanced accuracy on held-out pictures, the paired difference with its interval over seeds
(t, 95 %; splits share pictures). A given split is not used: one split would say little.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import t

from no_cache import NoCache
from tellapart.auditing import components_of, look_at
from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.heads import fit_probe
from tellapart.heads.kinds import in_words
from tellapart.likeness import look_for_copies
from tellapart.progress import Progress
from tellapart.settings import Decoding, ReadSettings, SplitSettings
from tellapart.splits import make_split

SETS = (
    ("ants_bees", "ants_bees", ReadSettings()),
    ("cats_dogs", "cats_dogs", ReadSettings()),
    ("food_mini", "food_mini", ReadSettings()),
    ("land_cover", "land_cover", ReadSettings()),
    ("flowers_128", "flowers_128", ReadSettings()),
    ("pets by breed", "pets/labels.csv", ReadSettings(label_column="breed")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("time", "worth"))
    parser.add_argument("sets", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    if chosen.what == "time":
        cost(chosen.trials)
    else:
        worth(chosen)


def cost(trials: int) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(5_000) % 10
    decay = np.linspace(1.5, 0.05, 1_280)  # variances that fall, as those of features do
    centres = random.normal(0, 0.12, (10, 1_280)) * decay
    noise = random.normal(0, 1, (5_000, 1_280)) * decay
    features = np.maximum(centres[labels] + noise, 0).astype(np.float16)
    ids = [f"{row:05d}" for row in range(5_000)]
    print("| trials | wall s | CPU s | limit | chosen | end |")
    print("| --- | --- | --- | --- | --- | --- |")
    for count in (0, trials):
        wall, processor = time.perf_counter(), time.process_time()
        probe, _ = fit_probe(
            features, labels, 10, np.arange(5_000), ids, seed=0, cache=NoCache(),
            progress=Progress(), trials=count,
        )  # fmt: skip
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        verdict = "60 s " + ("met" if wall < 60 else "MISSED") if count else ""
        cells = (
            f"{count}", f"{wall:.1f}", f"{processor:.1f}", verdict, in_words(probe.search.chosen),
            probe.search.ended,
        )  # fmt: skip
        print(f"| {' | '.join(cells)} |", flush=True)


def worth(chosen: argparse.Namespace) -> None:
    print("| set | seeds | plain | search | difference, points (95 %) | heads | s a search |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        for name, place, reading in SETS:
            if chosen.only in (None, name):
                data = features_of(chosen.sets / place, reading, cache)
                found = [one_seed(data, seed, chosen.trials) for seed in range(chosen.seeds)]
                print(line(name, found), flush=True)


def features_of(place, reading, cache):
    pictures = read(place, reading)
    seen = look_at(
        pictures, get_backbone("lite0"), "openvino", Decoding(), cache, Progress(), rehash=False
    )
    usable = pictures.take(seen.usable.tolist())
    alike = look_for_copies(seen, cache, Progress(), mirror=True)
    return usable, seen, components_of(usable, seen, alike), alike


def one_seed(data, seed: int, trials: int):
    usable, seen, together, alike = data
    ids = [seen.ids[row] for row in seen.usable]
    codes = usable.codes()
    split = make_split(
        codes, usable.classes, ids, together, usable.groups, None,
        replace(SplitSettings(), seed=seed), None, alike.pairs[alike.copies()], None,
    )  # fmt: skip
    train, test = split.rows("train"), split.rows(split.headline)
    scores, seconds, kind = [], 0.0, ""
    for count in (0, trials):
        start = time.perf_counter()
        probe, _ = fit_probe(
            seen.features[train], codes[train], len(usable.classes), split.components[train],
            [ids[row] for row in train], seed=seed, cache=NoCache(), progress=Progress(),
            trials=count,
        )  # fmt: skip
        seconds, kind = time.perf_counter() - start, probe.head.kind
        answers = probe.head.probabilities(seen.features[test]).argmax(axis=1)
        truth = codes[test]
        scores.append(np.mean([(answers[truth == c] == c).mean() for c in np.unique(truth)]))
    return scores, kind, seconds


def line(name: str, found) -> str:
    scores = np.array([one[0] for one in found])
    gap = 100 * (scores[:, 1] - scores[:, 0])
    half = t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else 0
    plain, searched = scores.mean(axis=0)
    heads = ", ".join(f"{kind} {times}" for kind, times in Counter(o[1] for o in found).items())
    cells = (
        name, str(len(found)), f"{plain:.4f}", f"{searched:.4f}",
        f"{gap.mean():+.2f} ({gap.mean() - half:+.2f} to {gap.mean() + half:+.2f})", heads,
        f"{np.median([one[2] for one in found]):.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
