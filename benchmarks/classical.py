"""Frozen network against classical features: how far histograms and pixels fall behind.

    python benchmarks/classical.py SETS [--set land_cover] [--seeds 5]

Every backbone sees the same splits (80 % train, 20 % test, copies together); the difference to the
network is paired by split. A published land-cover experiment had HOG 50 and PCA 35 points below.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from tellapart import pipeline
from tellapart.settings import RunSettings, SplitSettings

BACKBONES = ("lite0", "hog", "pca:3000", "pca:100", "color", "lite0+color", "lite0+hog")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--set", default="land_cover")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    print(f"{chosen.set}, {chosen.seeds} splits")
    print()
    print("| backbone | features | balanced accuracy | sd over splits | to lite0 | s a run |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        first: list[float] = []
        for name in BACKBONES:
            place, cache = chosen.sets / chosen.set, Path(folder) / "cache"
            scores, seconds, features = [], [], 0
            for seed in range(chosen.seeds):
                start = time.perf_counter()
                score, features = judged(place, name, seed, Path(folder) / "run", cache)
                seconds.append(time.perf_counter() - start)
                scores.append(score)
            first = first or scores
            cells = (
                name,
                f"{features:,}",
                f"{np.mean(scores):.3f}",
                f"{np.std(scores):.3f}",
                f"{100 * np.mean(np.subtract(scores, first)):+.1f} points",
                f"{np.median(seconds):.1f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


def judged(place: Path, name: str, seed: int, out: Path, cache: Path) -> tuple[float, int]:
    """Return the headline of one run and the number of its features."""
    settings = RunSettings(backbone=name, seed=seed, split=SplitSettings(seed=seed), advice=False)
    run = pipeline.run(place, out, settings=settings, cache=cache)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    features = sum(part["features"] for part in record["parts"])
    value = run.evaluation.headline.value
    return float("nan") if value is None else value, features


if __name__ == "__main__":
    main()
