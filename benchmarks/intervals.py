"""Do the 95 % intervals hold the truth 95 % of the time? Prints Markdown tables to stdout.

    python benchmarks/intervals.py [--draws 10000]

Fixed truths (recalls of the classes), many test sets drawn from each; how often the interval holds
the true balanced accuracy and the true accuracy, and its mean width. Beside it the percentile
bootstrap (stratified, whole groups; a tenth of the draws, 500 resamples each) and the first
formula of the design (one Wilson interval with an effective size; it says nothing about groups).

The method was developed on the first cells. The truths of the confirmation cells were drawn by a
generator after the method was fixed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.groups import correlation, counts_table, effective_pictures, spread
from tellapart.evaluation.intervals import Z, mean_interval, share_interval

Floats = NDArray[np.float64]
CHUNK = 2000
RESAMPLES = 500


@dataclass(frozen=True)
class Cell:
    """pictures and recalls of each class; alike None: independent pictures. mixed: a group holds
    pictures of several classes. Group sizes are drawn from 1..largest."""

    pictures: tuple[int, ...]
    recalls: tuple[float, ...]
    alike: float | None = None
    mixed: bool = False
    largest: int = 10


def line(first: float, last: float, count: int) -> tuple[float, ...]:
    return tuple(np.linspace(first, last, count).round(4).tolist())


DEVELOPED_ON = [
    Cell((60, 7), (0.99, 0.85)),
    Cell((200, 10), (0.99, 0.80)),
    Cell((200, 10), (0.97, 0.90)),
    Cell((80, 10), (0.999, 0.95)),
    Cell((60, 7), (0.95, 0.60)),
    Cell((50, 10), (0.80, 0.50)),
    Cell((30, 30), (0.95, 0.90)),
    Cell((60, 60), (0.99, 0.98)),
    Cell((300, 300), (0.998, 0.99)),
    Cell((60, 3), (0.97, 0.70)),
    Cell((20,) * 3, (0.90, 0.95, 0.99)),
    Cell((40, 40, 5), (0.98, 0.98, 0.80)),
    Cell((500, 30, 30, 30), (0.99, 0.70, 0.80, 0.90)),
    Cell((40,) * 5, (1.0, 1.0, 1.0, 1.0, 0.90)),
    Cell((6,) * 10, (0.90,) * 10),
    Cell((20,) * 10, line(0.70, 1.0, 10)),
    Cell((50,) * 10 + (5,), (0.97,) * 10 + (0.70,)),
    Cell((60,) + (3,) * 10, (0.95,) + (0.80,) * 10),
    Cell((30,) * 20, (0.995,) * 20),
    Cell((2,) * 30, (0.80,) * 30),
    Cell((3,) * 30, line(0.70, 0.99, 30)),
    Cell((20,) * 30, line(0.60, 1.0, 30)),
    Cell((60, 60), (0.95, 0.90), 0.5),
    Cell((60, 20), (0.97, 0.80), 0.6),
    Cell((60, 10), (0.97, 0.80), 0.5),
    Cell((200, 30), (0.97, 0.85), 0.5),
    Cell((300, 300), (0.98, 0.95), 0.3),
    Cell((60, 60), (0.95, 0.90), 0.01),
    Cell((100,) * 4, (0.90, 0.95, 0.80, 0.99), 0.8),
    Cell((40,) * 10, (0.97,) * 10, 0.7),
    Cell((20,) * 20, line(0.70, 0.99, 20), 0.4),
    Cell((10,) * 30, (0.85,) * 30, 0.5),
    Cell((60, 40), (0.95, 0.85), 0.5, mixed=True),
    Cell((40,) * 6, (0.90,) * 6, 0.6, mixed=True),
    Cell((8,) * 30, (0.90,) * 30, 0.6, mixed=True),
]


def fresh_cells(seed: int = 2027, independent: int = 16, grouped: int = 12) -> list[Cell]:
    """Return truths nobody chose: 2 to 30 classes, 60 to 600 pictures, the rarer the harder."""
    rng = np.random.default_rng(seed)
    cells = []
    for number in range(independent + grouped):
        classes = int(rng.choice([2, 2, 3, 5, 8, 12, 20, 30]))
        total = int(rng.integers(max(60, 3 * classes), 601))
        shares = rng.dirichlet(np.full(classes, rng.choice([1.0, 3.0, 30.0])))
        pictures = np.maximum(3, np.round(shares * total)).astype(int)
        errors = rng.uniform(0.003, 0.2) * (pictures.max() / pictures) ** 0.4
        recalls = np.clip(1 - errors * rng.uniform(0.5, 1.5, classes), 0.3, 1.0).round(3)
        made = Cell(tuple(pictures.tolist()), tuple(recalls.tolist()))
        if number >= independent:
            alike = round(float(rng.uniform(0.3, 0.8)), 2)
            made = Cell(made.pictures, made.recalls, alike, bool(rng.random() < 0.3))
        cells.append(made)
    return cells


@dataclass(frozen=True)
class Layout:
    """The class and the group of every picture of a cell."""

    strata: NDArray[np.intp]
    groups: NDArray[np.intp]


def lay_out(cell: Cell, rng: np.random.Generator) -> Layout:
    strata = np.repeat(np.arange(len(cell.pictures)), cell.pictures)
    if cell.alike is None:
        return Layout(strata, np.arange(len(strata)))
    sizes: list[int] = []
    for pictures in cell.pictures:
        left = pictures
        while left:
            sizes.append(min(left, int(rng.integers(1, cell.largest + 1))))
            left -= sizes[-1]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return Layout(strata, rng.permutation(groups) if cell.mixed else groups)


def draw(cell: Cell, layout: Layout, draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return hits [draws, pictures] with the cell's recalls and correlation inside groups."""
    truth = np.array(cell.recalls)[layout.strata]
    shape = (draws, len(truth))
    if cell.alike is None:
        return rng.random(shape) < truth
    if cell.mixed:  # a picture follows its group's luck or its own: correlation for equal recalls
        luck = rng.random((draws, int(layout.groups.max()) + 1))[:, layout.groups]
        follows = rng.random(shape) < np.sqrt(cell.alike)
        return np.where(follows, luck, rng.random(shape)) < truth
    of_group = truth[np.unique(layout.groups, return_index=True)[1]]  # beta-binomial
    tight = (1 - cell.alike) / cell.alike
    hit, miss = (np.maximum(one * tight, 1e-9) for one in (of_group, 1 - of_group))
    chance = rng.beta(hit, miss, (draws, len(of_group)))
    return rng.random(shape) < chance[:, layout.groups]


def ours(hits: NDArray[np.bool_], layout: Layout) -> tuple[Floats, Floats, Floats, Floats]:
    """Return low and high of balanced accuracy, low and high of accuracy."""
    table = counts_table(layout.strata, layout.groups)
    recalls = recalls_of(hits, layout.strata)
    whole = np.zeros_like(layout.strata)
    pictures = hits.shape[1]
    grouped = layout.groups.max() + 1 < pictures
    if grouped:
        between = spread(table, correlation(hits, layout.strata, layout.groups))
        alike = correlation(hits, whole, layout.groups)
        together = counts_table(whole, layout.groups)
        worth = np.array([effective_pictures(together, float(one))[0] for one in alike])
    else:
        between = spread(table, np.array(0.0))
        worth = np.full(len(hits), float(pictures))
    return *mean_interval(recalls, between), *share_interval(hits.mean(axis=1), worth)


def recalls_of(hits: NDArray[np.bool_], strata: NDArray[np.intp]) -> Floats:
    starts = np.flatnonzero(np.diff(strata, prepend=-1))
    return np.add.reduceat(hits, starts, axis=1, dtype=np.float64) / np.bincount(strata)


def first_formula(recalls: Floats, pictures: Floats) -> tuple[Floats, Floats]:
    """Return the interval that the design started from, for independent pictures."""
    classes = len(pictures)
    mean = recalls.mean(axis=1)
    middling = (recalls.sum(axis=1, keepdims=True) + 1) / (classes + 2)
    smooth = (recalls * pictures + 2 * middling) / (pictures + 2)
    variance = (smooth * (1 - smooth) / pictures).sum(axis=1) / classes**2
    harmonic = classes**2 / (1 / pictures).sum()
    size = np.where((mean == 0) | (mean == 1), harmonic, mean * (1 - mean) / variance)
    size = np.clip(size, min(classes, harmonic), harmonic)
    middle = (mean * size + Z**2 / 2) / (size + Z**2)
    half = Z / (size + Z**2) * np.sqrt(mean * (1 - mean) * size + Z**2 / 4)
    return middle - half, middle + half


def percentile_bootstrap(
    hits: NDArray[np.bool_], layout: Layout, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the usual intervals: whole groups resampled inside their (commonest) class."""
    table = counts_table(layout.strata, layout.groups).toarray()
    kind = table.argmax(axis=1)
    weights = np.zeros((RESAMPLES, len(kind)))
    for one in np.unique(kind):
        rows = np.flatnonzero(kind == one)
        weights[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), RESAMPLES)
    of = weights @ table
    lows_highs = np.empty((4, len(hits)))
    cells = layout.groups * table.shape[1] + layout.strata
    for row, one in enumerate(hits):
        right = weights @ np.bincount(cells, one, table.size).reshape(table.shape)
        recalls = np.divide(right, of, out=np.full_like(of, np.nan), where=of > 0)
        lows_highs[:2, row] = np.percentile(np.nanmean(recalls, axis=1), [2.5, 97.5])
        lows_highs[2:, row] = np.percentile(right.sum(axis=1) / of.sum(axis=1), [2.5, 97.5])
    return tuple(lows_highs)  # type: ignore[return-value]


def covered(low: Floats, high: Floats, truth: float) -> str:
    inside = (low <= truth + 1e-9) & (high >= truth - 1e-9)
    return f"{inside.mean():.3f} ({100 * (high - low).mean():.1f})"


def row_of(cell: Cell, draws: int, seed: int) -> tuple[list[str], float, float]:
    """Return the table's row and our two coverages."""
    rng = np.random.default_rng(seed)
    layout = lay_out(cell, rng)
    pictures = np.array(cell.pictures, float)
    balanced = float(np.mean(cell.recalls))
    plain = float(np.average(cell.recalls, weights=pictures))
    hits = draw(cell, layout, draws, rng)
    parts = [ours(hits[i : i + CHUNK], layout) for i in range(0, draws, CHUNK)]
    low, high, low_plain, high_plain = (np.concatenate(one) for one in zip(*parts, strict=True))
    usual = percentile_bootstrap(hits[: draws // 10], layout, rng)
    first = "-"
    if cell.alike is None:
        first = covered(*first_formula(recalls_of(hits, layout.strata), pictures), balanced)
    texts = [
        described(cell, layout),
        covered(low, high, balanced),
        covered(low_plain, high_plain, plain),
        first,
        covered(usual[0], usual[1], balanced),
        covered(usual[2], usual[3], plain),
    ]
    return texts, float(texts[1].split()[0]), float(texts[2].split()[0])


def described(cell: Cell, layout: Layout) -> str:
    classes = len(cell.pictures)
    if classes <= 4:
        text = " + ".join(map(str, cell.pictures)) + " at " + "/".join(map(str, cell.recalls))
    else:
        rare = int(np.argmin(cell.pictures))
        text = (
            f"{classes} classes, {sum(cell.pictures)} pictures ({min(cell.pictures)} to"
            f" {max(cell.pictures)}) at {min(cell.recalls)} to {max(cell.recalls)},"
            f" rarest {cell.recalls[rare]}"
        )
    if cell.alike is None:
        return text
    across = " across classes" if cell.mixed else ""
    return f"{text}; {layout.groups.max() + 1} groups{across}, correlation {cell.alike}"


HEAD = (
    "truth",
    "ours: balanced accuracy",
    "ours: accuracy",
    "first formula: balanced",
    "bootstrap: balanced",
    "bootstrap: accuracy",
)


def print_table(title: str, cells: list[Cell], draws: int, seed: int) -> None:
    print(f"\n### {title}\n\nCoverage (mean width in points), {draws:,} draws a cell.\n")
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    balanced, plain = [], []
    for number, cell in enumerate(cells):
        texts, one, other = row_of(cell, draws, seed + number)
        balanced.append(one)
        plain.append(other)
        print("| " + " | ".join(texts) + " |", flush=True)
    print(
        f"\nOurs, balanced accuracy: {min(balanced):.3f} to {max(balanced):.3f};"
        f" accuracy: {min(plain):.3f} to {max(plain):.3f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--draws", type=int, default=10_000)
    draws = parser.parse_args().draws
    start = time.perf_counter()
    print_table("Truths the method was developed on", DEVELOPED_ON, draws, seed=1)
    print_table("Truths drawn afterwards, to confirm", fresh_cells(), draws, seed=1001)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
