"""The training pictures that look most like an error to the network: what it was judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.reports.records import Pictures

NEIGHBOURS = 4
CHUNK = 8_192  # training pictures in float32 at a time
DIGITS = 5  # of a cosine: closer ones are ties, told apart by id


@dataclass(frozen=True)
class Neighbour:
    """A training picture near an error; tone is "good" (the error's true class), "bad" (the class
    it was called) or "".
    """

    image: str
    path: str
    label: str
    tone: str


def nearest_rows(pictures: Pictures, paths: Sequence[str]) -> dict[str, list[int]]:
    """Return path -> the rows of its NEIGHBOURS nearest training pictures, the nearest first.

    Near is the cosine between features less the mean of the training pictures'. A picture is never
    its own neighbour, nor are exact copies of it; exact copies of each other count once.
    """
    train = np.array(_first_of_each(pictures), np.intp)
    row_of = {path: row for row, path in enumerate(pictures.paths)}
    asked = [path for path in paths if path in row_of]
    if not len(train) or not asked:
        return {path: [] for path in paths}
    mean = _mean(pictures.features, train)
    wanted = _unit(pictures.features[[row_of[path] for path in asked]], mean)
    cosines = np.hstack(
        [
            wanted @ _unit(pictures.features[train[start : start + CHUNK]], mean).T
            for start in range(0, len(train), CHUNK)
        ]
    )
    found: dict[str, list[int]] = {path: [] for path in paths}
    ids = np.array([pictures.ids[row] for row in train])
    for path, own in zip(asked, np.round(cosines, DIGITS), strict=True):
        others = np.flatnonzero(
            (ids != pictures.ids[row_of[path]]) & _taught(pictures, row_of[path], train)
        )
        order = others[np.lexsort((ids[others], -own[others]))][:NEIGHBOURS]
        found[path] = train[order].tolist()
    return found


def _first_of_each(pictures: Pictures) -> list[int]:
    first: dict[str, int] = {}
    for row in sorted(range(len(pictures.paths)), key=lambda row: pictures.paths[row]):
        if pictures.sides[row] == "train" or pictures.folds is not None:
            first.setdefault(pictures.ids[row], row)
    return sorted(first.values())


def _taught(pictures: Pictures, row: int, train: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of the rows `train` the model that judged `row` had learned from."""
    if pictures.folds is None:
        return np.ones(len(train), bool)
    return np.asarray(pictures.folds[train] != pictures.folds[row])


def _mean(features: NDArray[np.floating[Any]], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    total = np.zeros(features.shape[1])
    for start in range(0, len(rows), CHUNK):
        total += features[rows[start : start + CHUNK]].sum(axis=0, dtype=np.float64)
    return np.asarray(total / len(rows), np.float32)


def _unit(features: NDArray[np.floating[Any]], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = np.asarray(features, np.float32) - mean
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(length, 1e-12), np.float32)


def neighbours(
    pictures: Pictures,
    rows: Sequence[int],
    truth: str,
    answer: str,
    image: Callable[[str], str],
) -> tuple[Neighbour, ...]:
    """Return the rows as the page shows them; image turns an id into a data URI."""
    tones = {answer: "bad", truth: "good"}
    return tuple(
        Neighbour(
            image(pictures.ids[row]),
            pictures.paths[row],
            pictures.labels[row],
            tones.get(pictures.labels[row], ""),
        )
        for row in rows
    )


def told(near: Sequence[Neighbour]) -> tuple[tuple[str, str], ...]:
    """Return (label, how often it stands among them: "", " ×2", ...), the most frequent first."""
    counts = Counter(one.label for one in near)
    return tuple((name, f" ×{count}" if count > 1 else "") for name, count in counts.most_common())
