"""How often the advice names the cause that was planted, and whether its gains come true.

    python benchmarks/advice.py SETS [--seeds 5] [--only NAME]

Causes: a class cut to a tenth of its pictures; 10 % of the labels flipped; features of a weaker
backbone (projected at random to 12 numbers) beside the real ones; none. Training pictures are 80 %
of a set, another draw a seed; the head's setting is chosen by the probe's own search. The last two
columns: with half of the training pictures, doubling foretold, and what it brings in the mean of
DRAWS other draws of learned and judged pictures (one draw alone varies by 1 to 3 points).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from no_cache import NoCache
from tellapart.advice import Suspect
from tellapart.advice.advise import Larger, advise
from tellapart.advice.records import LEAST
from tellapart.auditing import components_of, look_at
from tellapart.audits.mislabeled import FEWEST, MARGIN, label_scores
from tellapart.audits.ridge import coordinates
from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import open_cache
from tellapart.heads.logistic import fit_head, one_thread_quietly
from tellapart.heads.search import search
from tellapart.likeness import look_for_copies
from tellapart.progress import Progress
from tellapart.settings import Decoding, ReadSettings

SETS = (
    ("ants_bees", "ants_bees", ReadSettings()),
    ("food_mini", "food_mini", ReadSettings()),
    ("cats_dogs", "cats_dogs", ReadSettings()),
    ("land_cover", "land_cover", ReadSettings()),
    ("flowers_128", "flowers_128", ReadSettings()),
    ("pets by species", "pets/labels.csv", ReadSettings(label_column="species")),
)
CAUSES = ("none", "cut", "flipped", "weak")
TENTH, FLIPPED, WEAK = 0.1, 0.1, 12
DRAWS = 8


@dataclass(frozen=True)
class Known:
    features: np.ndarray
    labels: np.ndarray
    components: np.ndarray
    ids: np.ndarray
    names: tuple[str, ...]

    def take(self, rows) -> Known:
        parts = (self.features, self.labels, self.components, self.ids)
        return Known(*(one[rows] for one in parts), self.names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only")
    chosen = parser.parse_args()
    print(
        "| set | nothing planted: none said | class cut: named | labels flipped: named"
        " | weaker backbone: named | s | doubling: foretold, came (points) | in interval |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, open_cache(folder) as cache:
        for name, place, reading in SETS:
            if chosen.only in (None, name):
                print(line(name, embedded(chosen.sets / place, reading, cache), chosen.seeds))


def embedded(place, reading, cache) -> Known:
    pictures = read(place, reading)
    seen = look_at(
        pictures, get_backbone("lite0"), "openvino", Decoding(), cache, Progress(), rehash=False
    )
    usable = pictures.take(seen.usable.tolist())
    together = components_of(usable, seen, look_for_copies(seen, cache, Progress(), mirror=True))
    ids = np.array([seen.ids[row] for row in seen.usable])
    order = np.argsort(ids, kind="stable")
    whole = Known(seen.features.astype(np.float32), usable.codes(), together, ids, usable.classes)
    return whole.take(order)


def line(name, known, seeds) -> str:
    right, seconds, foretold, came, inside = dict.fromkeys(CAUSES, 0), [], [], [], 0
    for seed in range(seeds):
        for cause in CAUSES:
            train = known.take(np.flatnonzero(side(known, seed)))
            planted, truth, larger = plant(train, cause, seed)
            found, spent = advice(planted, larger, seed)
            seconds.append(spent)
            right[cause] += named(found) == truth
        said, real = doubled(known, seed)
        foretold.append(said.value)
        came.append(real)
        inside += said.low <= real <= said.high
    cells = (
        name,
        *(f"{right[cause]} of {seeds}" for cause in CAUSES),
        f"{np.median(seconds):.1f}",
        f"{100 * np.mean(foretold):+.1f}, {100 * np.mean(came):+.1f}",
        f"{inside} of {seeds}",
    )
    return f"| {' | '.join(cells)} |"


def side(known, seed):
    """Return which pictures train: components are drawn whole."""
    _, group = np.unique(known.components, return_inverse=True)
    return np.random.default_rng([seed, 1]).random(group.max() + 1)[group] < 0.8


def plant(known, cause, seed):
    """Return the set with the cause in it, what the advice should name, another backbone."""
    random = np.random.default_rng([seed, 2])
    if cause == "cut":
        code = int(random.integers(len(known.names)))
        own = random.permutation(np.flatnonzero(known.labels == code))
        kept = own[: max(3, round(TENTH * len(own)))]
        rows = np.sort(np.concatenate([np.flatnonzero(known.labels != code), kept]))
        return known.take(rows), known.names[code], None
    if cause == "flipped":
        rows = random.choice(len(known.labels), round(FLIPPED * len(known.labels)), replace=False)
        labels = known.labels.copy()
        labels[rows] += random.integers(1, len(known.names), len(rows))
        return replace(known, labels=labels % len(known.names)), "relabel", None
    if cause == "weak":
        matrix = random.normal(size=(known.features.shape[1], WEAK))
        weak = replace(known, features=(known.features @ matrix).astype(np.float32))
        larger = Larger("larger", np.arange(len(known.labels)), known.features)
        return weak, "larger", larger
    return known, "", None


def advice(known, larger, seed):
    start = time.perf_counter()
    ids = known.ids.tolist()
    setting = search(
        known.features, known.labels, len(known.names), known.components, ids,
        seed=seed, progress=Progress(),
    ).chosen  # fmt: skip
    with one_thread_quietly():
        scores = label_scores(coordinates(known.features), known.labels, len(known.names))
    enough = np.bincount(known.labels)[known.labels] >= FEWEST
    suspects = [
        Suspect(int(row), int(scores.proposed[row]))
        for row in np.flatnonzero((scores.margin < -MARGIN) & enough)
    ]
    start = time.perf_counter()
    found, _ = advise(
        known.features, known.labels, known.names, known.components, ids, setting=setting,
        suspects=suspects, larger=larger, seed=seed, cache=NoCache(), progress=Progress(),
    )  # fmt: skip
    return found, time.perf_counter() - start


def named(found) -> str:
    """Return what stands first; "" where that is not surely worth half a point."""
    first = found.options[0]
    if first.gain.value < LEAST or (first.gain.low <= 0 and first.gain.value < 2 * LEAST):
        return ""
    return "relabel" if first.kind == "relabel" else first.name


def doubled(known, seed):
    """Return what doubling half of the training pictures should bring, and what it does bring."""
    _, half = halved(known, seed)
    few = known.take(np.flatnonzero(half))
    setting = search(
        few.features, few.labels, len(known.names), few.components, few.ids.tolist(),
        seed=seed, progress=Progress(),
    ).chosen  # fmt: skip
    found, _ = advise(
        few.features, few.labels, known.names, few.components, few.ids.tolist(), setting=setting,
        seed=seed, cache=NoCache(), progress=Progress(),
    )  # fmt: skip
    gains = []
    for draw in range(DRAWS):
        train, half = halved(known, 1_000 * (seed + 1) + draw)
        gains.append(score(known, train, ~train, setting) - score(known, half, ~train, setting))
    return found.doubling, float(np.mean(gains))


def halved(known, seed):
    """Return which pictures train, and a random half of them."""
    train = side(known, seed)
    return train, train & (np.random.default_rng([seed, 3]).random(len(train)) < 0.5)


def score(known, learned, judging, setting) -> float:
    head = fit_head(known.features[learned], known.labels[learned], len(known.names), setting, 1.0)
    hits = head.probabilities(known.features[judging]).argmax(axis=1) == known.labels[judging]
    codes = range(len(known.names))
    return float(np.mean([hits[known.labels[judging] == code].mean() for code in codes]))


if __name__ == "__main__":
    main()
