"""Does the interval of cross-validation hold the truth 95 % of the time? Markdown on stdout.

    python benchmarks/cv_coverage.py FEATURES.npz [MORE.npz ...] [--draws 400] [--nested 60]

A file of features holds X [n, d] and y [n], as this writes it for a folder, a table or a parquet
file, at most so many pictures of it:

    python benchmarks/cv_coverage.py --embed DATA --to FEATURES.npz [--most 6000]

From each set small sets are drawn, each class by its share. Each is cross-validated, every fold
fitted anew, and its interval held against two truths on all pictures that were not drawn: the
balanced accuracy of the classifier fitted on the whole small set ("kept", what a user has), and the
mean of that over all draws ("mean", where the rest is ten times as large at least). A factor is
what the deviation behind the interval must be multiplied with so that 95 % of the intervals hold
the truth; "now" is the coverage at CROSSED_WIDENING. The rest is finite, so that its truth has an
error of its own, and what is hard in the small set is missing in it: for "kept" the deviation is
that of the difference of both, sqrt(1 + n / rest) times as large.

Two ways to fit: a ridge regression of fixed strength (fast enough for hundreds of draws), and with
--nested some draws in which the whole choice is made anew in each fold (fit_probe, the head ridge,
whose path is one decomposition; the logistic path takes some 20 times as long).
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.intervals import CROSSED_WIDENING, mean_interval
from tellapart.splits import stratified_group_folds

SIZES = (100, 200, 400)
FOLDS = (5, 10)
FACTORS = np.arange(1.0, 2.01, 0.01)
STRENGTH = 0.3  # of the fixed ridge, in units of the mean squared length of a centred feature row

Array = NDArray[np.floating]
Rows = NDArray[np.intp]
Fit = Callable[[Array, Rows, int, int], Callable[[Array], Rows]]


@dataclass(frozen=True)
class Draw:
    """One small set: recalls out of fold and pictures of each class, and the kept one's truth."""

    recalls: NDArray[np.float64]
    pictures: NDArray[np.float64]
    truth: float
    rest: int


def fixed_ridge(features: Array, labels: Rows, k: int, seed: int) -> Callable[[Array], Rows]:
    """Return what a kernel ridge regression on one-hot labels answers."""
    mean = features.mean(axis=0)
    rows = features - mean
    kernel = rows @ rows.T
    penalty = STRENGTH * float(np.trace(kernel)) / len(rows)
    target = np.eye(k)[labels] - 1 / k
    weights = rows.T @ np.linalg.solve(kernel + penalty * np.eye(len(rows)), target)
    return lambda others: ((others - mean) @ weights).argmax(axis=1)


def chosen_ridge(features: Array, labels: Rows, k: int, seed: int) -> Callable[[Array], Rows]:
    """Return what the probe answers that is chosen and fitted on these rows."""
    from tellapart.heads import fit_probe
    from tellapart.progress import Progress

    ids = [f"{row:06}" for row in range(len(labels))]
    probe, _ = fit_probe(
        features, labels, k, np.arange(len(labels)), ids, seed=seed, cache=_Nothing(),
        progress=Progress(), head="ridge",
    )  # fmt: skip
    return lambda others: probe.head.probabilities(others).argmax(axis=1)


class _Nothing:
    """A cache that keeps nothing."""

    def load_arrays(self, key: str) -> None:
        return None

    def save_arrays(self, *anything: object) -> None:
        return None


def draw(features: Array, labels: Rows, n: int, folds: int, fit: Fit, seed: int) -> Draw:
    """Draw n pictures, cross-validate them, and judge the classifier of all of them on the rest."""
    rng = np.random.default_rng([seed, n])
    k = int(labels.max()) + 1
    order = rng.permutation(len(labels))
    quota = np.maximum(np.bincount(labels) * n // len(labels), 4)
    taken = np.concatenate([order[labels[order] == code][: quota[code]] for code in range(k)])
    rest = np.setdiff1d(np.arange(len(labels)), taken)
    x, y = features[taken], labels[taken]
    ids = [f"{row:06}" for row in rng.permutation(len(taken))]
    of = stratified_group_folds(y, np.arange(len(y)), ids, folds, seed)
    hits = np.zeros(len(y), bool)
    for fold in range(int(of.max()) + 1):
        judged = of == fold
        hits[judged] = fit(x[~judged], y[~judged], k, seed)(x[judged]) == y[judged]
    right = fit(x, y, k, seed)(features[rest]) == labels[rest]
    counts = np.bincount(y).astype(float)
    truth = float((np.bincount(labels[rest], right) / np.bincount(labels[rest])).mean())
    return Draw(np.bincount(y, hits) / counts, counts, truth, len(rest))


def holds(draws: list[Draw], truths: NDArray[np.float64], factor: float) -> float:
    """Return the share of intervals, widened by a factor, that hold their truth."""
    recalls = np.array([one.recalls for one in draws])
    spread = np.array([np.diag(factor**2 / one.pictures) for one in draws])
    low, high = mean_interval(recalls, spread)
    return float(((low <= truths) & (truths <= high)).mean())


def line(name: str, way: str, n: int, folds: int, draws: list[Draw]) -> str:
    kept = np.array([one.truth for one in draws])
    mean = np.full(len(draws), kept.mean())
    crossed = np.array([one.recalls.mean() for one in draws])
    cells = [name, way, str(n), str(folds), str(len(draws)), f"{kept.mean():.3f}"]
    cells.append(f"{100 * (crossed.mean() - kept.mean()):+.1f}")
    finite = (1 + n / draws[0].rest) ** 0.5
    for truths, times in ((kept, finite), (mean, 1.0)):
        if truths is mean and draws[0].rest < 10 * n:
            cells += ["-"] * 3
            continue
        needed = next((one for one in FACTORS if holds(draws, truths, one * times) >= 0.95), np.inf)
        now = holds(draws, truths, CROSSED_WIDENING * times)
        cells += [f"{holds(draws, truths, times):.3f}", f"{needed:.2f}", f"{now:.3f}"]
    return f"| {' | '.join(cells)} |"


def embed(location: str, to: Path, most: int) -> None:
    """Write the features of the first pictures of a set."""
    import tellapart as ta
    from tellapart.auditing import look_at
    from tellapart.backbones import EMBEDDED, get_backbone
    from tellapart.features import open_cache
    from tellapart.progress import for_terminal
    from tellapart.settings import Decoding

    progress = for_terminal(quiet=False)
    with open_cache(None, progress) as cache:
        pictures = ta.read(location)
        rows = np.random.default_rng(0).permutation(len(pictures))[:most]
        some = pictures.take(sorted(rows.tolist()))
        backbone = get_backbone(EMBEDDED)
        seen = look_at(some, backbone, "auto", Decoding(), cache, progress, rehash=False)
        labels = some.take(seen.usable.tolist()).codes()
    np.savez(to, X=seen.features, y=labels)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("features", nargs="*", type=Path)
    options.add_argument("--draws", type=int, default=400)
    options.add_argument("--nested", type=int, default=0)
    options.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    options.add_argument("--embed")
    options.add_argument("--to", type=Path)
    options.add_argument("--most", type=int, default=6_000)
    given = options.parse_args()
    if given.embed:
        embed(given.embed, given.to, given.most)
        return
    warnings.simplefilter("ignore")
    head = ("set", "fit", "n", "folds", "draws", "truth", "bias, points")
    cells = [*head, "kept", "factor", "now", "mean", "factor", "now"]
    print(f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}")
    for file in given.features:
        held = np.load(file)
        features, labels = held["X"].astype(np.float32), held["y"].astype(np.intp)
        for n in given.sizes:
            if n > len(labels) / 3:
                continue
            for way, fit, count in (
                ("fixed", fixed_ridge, given.draws),
                ("chosen", chosen_ridge, given.nested),
            ):
                for folds in FOLDS if way == "fixed" else FOLDS[-1:]:
                    if not count:
                        continue
                    draws = [draw(features, labels, n, folds, fit, seed) for seed in range(count)]
                    print(line(file.stem, way, n, folds, draws))
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
