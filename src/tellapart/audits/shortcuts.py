"""The check for facts that give the label away: what a classifier may learn instead of content."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.pixels import MASTER_SIDE
from tellapart.audits.records import Finding
from tellapart.errors import first_few
from tellapart.images.facts import Facts

Floats = NDArray[np.float64]

FOLDS = 5
FEWEST = 10  # pictures of the smallest class that is looked at
MOST_ROWS = 10_000
PERMUTATIONS = 40
# Share of a class that the facts give away (recall minus false alarms), cross-validated. Unaltered
# sets: container facts at most 0.17 (0.29 with ten pictures a class, where permuted labels reach as
# much), content facts 0.66; one class, or half of one, at another JPEG quality, with a border or at
# 80 % size: 0.29 to 1.
CONTAINER = 0.25
CONTENT = 0.70
FEWEST_TOLD = 5.0  # pictures given away: three of ten that were taken on one day are no shortcut
FLAT_ROW = 3.0  # standard deviation of luma in an outermost row of the 128 px master, of 255


@dataclass(frozen=True)
class FactGroup:
    """Facts that are tried together: a name for people, and how to get numbers from Facts."""

    name: str
    is_container: bool
    numbers: Callable[[Facts], tuple[float, ...]]


def frame_of(facts: Facts) -> tuple[float, ...]:
    """Return how many of the four outermost rows are of one tone, and their mean luma (or -1)."""
    if not facts.master:
        flat = facts.border_spread < FLAT_ROW
        return (4.0, facts.border) if flat else (0.0, -1.0)
    gray = np.frombuffer(facts.master, dtype=np.uint8).reshape(MASTER_SIDE, MASTER_SIDE)
    edges = np.stack([gray[0], gray[-1], gray[:, 0], gray[:, -1]]).astype(np.float64)
    flat_edges = edges[edges.std(axis=1) < FLAT_ROW]
    return (float(len(flat_edges)), float(flat_edges.mean()) if len(flat_edges) else -1.0)


def seconds_of(taken: str) -> float:
    """Return EXIF's capture time as seconds since 1970, -1 where there is none or it is garbled."""
    try:
        return (
            datetime.strptime(taken[:19], "%Y:%m:%d %H:%M:%S") - datetime(1970, 1, 1)
        ).total_seconds()
    except ValueError:
        return -1.0


def _format(facts: Facts) -> tuple[float, ...]:
    has_time = float(bool(facts.taken))
    return (_number(facts.file_format), _number(facts.mode), float(facts.exif_turn), has_time)


def _number(word: str) -> float:
    """Return a number that is the same for the same word, exact in float32."""
    return float(zlib.crc32(word.encode()) % 2**24)


GROUPS: tuple[FactGroup, ...] = (
    FactGroup("image size", True, lambda f: (f.width, f.height, f.width / max(f.height, 1))),
    FactGroup("file format", True, _format),
    FactGroup("JPEG quality", True, lambda f: (float(f.quantisation),)),
    FactGroup("a border of one tone", True, frame_of),
    FactGroup("capture time", True, lambda f: (seconds_of(f.taken),)),
    FactGroup(
        "file size", False, lambda f: (f.file_bytes, f.file_bytes / max(f.width * f.height, 1))
    ),
    FactGroup("brightness", False, lambda f: (f.brightness, f.contrast)),
    FactGroup("border colour", False, lambda f: (f.border, f.border_spread)),
    FactGroup("blur", False, lambda f: (f.sharpness,)),
    FactGroup("saturation", False, lambda f: (f.saturation,)),
)


def giveaways(data: AuditInput) -> list[Finding]:
    """Name facts of the files that predict the label far above chance (shortcut).

    A shallow decision tree on each group of facts, classes weighted alike, 5 folds. Container facts
    (how a picture was stored) are a warning where they give away a quarter of some class and more
    than under any of 40 permutations of the labels. Content facts follow what is shown, so they are
    at most one note that names them all. Source of both cuts: see CONTAINER and CONTENT.
    """
    rows = _rows(data)
    codes = data.codes[rows]
    if len(np.unique(codes)) < 2:
        return []
    codes = np.unique(codes, return_inverse=True)[1]
    facts = [data.facts[row] for row in rows]
    names = [data.pictures.classes[code] for code in np.unique(data.codes[rows])]
    found, told = [], []
    for group in GROUPS:
        numbers = np.array([group.numbers(one) for one in facts], dtype=np.float64)
        shares = given_away(numbers, codes, data.seed)
        shares[shares * np.bincount(codes) < FEWEST_TOLD] = 0
        most = float(shares.max())
        if (
            group.is_container
            and most >= CONTAINER
            and most > _by_chance(numbers, codes, data.seed)
        ):
            found.append(_warning(data, group, shares, names))
        elif not group.is_container and most >= CONTENT:
            told.append((most, group.name, names[int(shares.argmax())]))
    return found + ([_note(data, told)] if told else [])


def _rows(data: AuditInput) -> NDArray[np.intp]:
    """Return readable rows of classes that are large enough, ordered by content, at most 10,000.

    Equal files of a class count once: copies on both sides of a fold would give each other away.
    """
    once: dict[tuple[str, int], int] = {}
    for row in data.readable.tolist():
        once.setdefault((data.ids[row], int(data.codes[row])), row)
    order = np.array([once[key] for key in sorted(once)], dtype=np.intp)
    order = order[:: max(1, -(-len(order) // MOST_ROWS))]
    counts = np.bincount(data.codes[order], minlength=len(data.pictures.classes))
    return order[counts[data.codes[order]] >= FEWEST]


def given_away(numbers: Floats, codes: NDArray[np.intp], seed: int) -> Floats:
    """Return for each class recall minus false alarms (Youden's J) of a cross-validated tree, [k].

    numbers [n, facts], codes [n] in 0..k-1; 0 is chance, 1 tells the class without error.
    """
    classes = int(codes.max()) + 1
    if (numbers == numbers[0]).all():
        return np.zeros(classes)
    from sklearn.model_selection import StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    columns = np.ascontiguousarray(numbers, dtype=np.float32)
    tree = DecisionTreeClassifier(
        max_depth=3 if classes <= 8 else 6, min_samples_leaf=3, random_state=seed
    )
    guessed = np.empty_like(codes)
    for train, rest in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(codes, codes):
        # weighted and checked here, once: scikit-learn's own checks take longer than the fit
        weights = 1 / np.bincount(codes[train], minlength=classes)[codes[train]]
        tree.fit(columns[train], codes[train], sample_weight=weights, check_input=False)
        guessed[rest] = tree.predict(columns[rest], check_input=False)
    return _youden(codes, guessed, classes)


def _youden(codes: NDArray[np.intp], guessed: NDArray[np.intp], classes: int) -> Floats:
    """Return recall minus false alarms for each class, [k]."""
    together = np.zeros((classes, classes))
    np.add.at(together, (codes, guessed), 1)
    per_class = together.sum(axis=1)
    right = np.diagonal(together)
    alarms = together.sum(axis=0) - right
    return np.asarray(right / per_class - alarms / np.maximum(len(codes) - per_class, 1))


def _by_chance(numbers: Floats, codes: NDArray[np.intp], seed: int) -> float:
    """Return the largest share given away under 40 permutations of the labels."""
    draw = np.random.default_rng(seed)
    return max(
        float(given_away(numbers, draw.permutation(codes), seed).max()) for _ in range(PERMUTATIONS)
    )


def _warning(data: AuditInput, group: FactGroup, shares: Floats, names: list[str]) -> Finding:
    worst = np.argsort(-shares, kind="stable")
    labels = tuple(names[one] for one in worst if shares[one] >= CONTAINER)
    return make_finding(
        data,
        "shortcut",
        labels=labels,
        score=float(shares.max()),
        message=f"By {group.name} alone, '{labels[0]}' can be told from the rest, "
        f"{100 * shares.max():.0f} % of the way from chance to certainty: a classifier may learn "
        "how the files were made.",
        advice="Bring all classes into one form (size, format, quality, no border), or collect "
        "them alike; the score will not hold on pictures of another source.",
    )


def _note(data: AuditInput, told: list[tuple[float, str, str]]) -> Finding:
    told = sorted(told, reverse=True)
    said = first_few(f"{name} ({100 * share:.0f} % of '{label}')" for share, name, label in told)
    return make_finding(
        data,
        "shortcut",
        labels=tuple(dict.fromkeys(label for _, _, label in told)),
        severity="note",
        score=told[0][0] / 2,
        message=f"A class can be told without looking at shapes, by {said}. That may be what it "
        "shows (snow is bright), or how it was taken.",
        advice="If it is how it was taken, collect the classes alike; else nothing is wrong.",
    )
