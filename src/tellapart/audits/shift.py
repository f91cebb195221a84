"""The check whether training and judging pictures differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.records import Finding
from tellapart.audits.ridge import coordinates, leave_one_out
from tellapart.errors import first_few

# Area under the ROC curve of telling the side of a picture from its features (0.5: cannot be told).
# 64 random splits of eight sets reached at most 0.63, the given splits of ants_bees and food_mini
# 0.50; towns or dog breeds that stand on one side only give 0.88 to 1.
TOLD = 0.70
SURE = 4.0  # standard errors above 0.5
SHARES = 0.2  # of all pictures would have to change class for both sides to hold the same shares
FEWEST = 20  # pictures a side
MOST_ROWS = 10_000  # pictures whose side is told


def split_shifts(data: AuditInput) -> list[Finding]:
    """Say whether a given split's sides differ in look or in class shares (split_shift)."""
    if not data.given_split:
        return []
    found = []
    for side in data.sides_of(range(len(data.sides))):
        if side != "train":
            found += _shares_shift(data, side) + _look_shift(data, side)
    return found


def _rows_of(data: AuditInput, side: str) -> NDArray[np.intp]:
    return np.array([row for row in data.readable if data.sides[row] == side], dtype=np.intp)


def _shares_shift(data: AuditInput, side: str) -> list[Finding]:
    rows, train = _rows_of(data, side), _rows_of(data, "train")
    if min(len(rows), len(train)) < FEWEST:
        return []
    classes = len(data.pictures.classes)
    shares = [
        np.bincount(data.codes[part], minlength=classes) / len(part) for part in (train, rows)
    ]
    away = shares[1] - shares[0]
    moved = float(np.abs(away).sum() / 2)
    noise = float(np.sqrt(classes * (1 / len(rows) + 1 / len(train)) / 4))
    if moved < max(SHARES, 2 * noise):
        return []
    most = np.argsort(-np.abs(away))[:2]
    said = first_few(
        f"'{data.pictures.classes[one]}' {100 * shares[0][one]:.0f} % in train, "
        f"{100 * shares[1][one]:.0f} % in {side}"
        for one in most
    )
    return [
        make_finding(
            data,
            "split_shift",
            labels=tuple(data.pictures.classes[one] for one in most),
            score=moved,
            message=f"train and {side} hold the classes in other shares ({said}): plain accuracy "
            f"in {side} is not what train would lead one to expect.",
            advice="Read balanced accuracy, or split anew with classes in equal shares.",
        )
    ]


def _look_shift(data: AuditInput, side: str) -> list[Finding]:
    if data.features is None:
        return []
    sides = np.array([data.sides[row] or "" for row in data.usable])
    taken = np.flatnonzero((sides == "train") | (sides == side))
    by_id = sorted(taken.tolist(), key=lambda place: data.ids[data.usable[place]])
    taken = np.array(by_id[:: max(1, -(-len(by_id) // MOST_ROWS))], dtype=np.intp)
    judged = sides[taken] == side
    if min(judged.sum(), (~judged).sum()) < FEWEST:
        return []
    area = told_apart(data.features[taken], data.codes[data.usable[taken]], judged)
    error = np.sqrt(len(judged) / (12.0 * judged.sum() * (~judged).sum()))
    if area < max(TOLD, 0.5 + SURE * error):
        return []
    return [
        make_finding(
            data,
            "split_shift",
            labels=(),
            score=2 * area - 1,
            message=f"Pictures of train and {side} look different within their classes: the side "
            f"of a picture can be told {100 * area:.0f} times of 100 (alike: 50). "
            f"{_most_moved(data, side)}The score is about pictures like those in {side}.",
            advice="Fine if new pictures will be like those (another place, a later time); if not, "
            "split anew at random or by group.",
        )
    ]


def told_apart(
    features: NDArray[np.floating], codes: NDArray[np.intp], judged: NDArray[np.bool_]
) -> float:
    """Return the area under the ROC curve of telling `judged` from features less class means.

    Outputs are leave-one-out outputs of kernel ridge; features [n, d], codes [n], judged [n] bool.
    """
    within = np.array(features, dtype=np.float32)
    for code in np.unique(codes):
        within[codes == code] -= within[codes == code].mean(axis=0)
    outputs, _ = leave_one_out(coordinates(within), judged[:, None].astype(np.float64))
    ranks = np.empty(len(judged))
    ranks[np.argsort(outputs[:, 0], kind="stable")] = np.arange(1, len(judged) + 1)
    ones = int(judged.sum())
    return float((ranks[judged].sum() - ones * (ones + 1) / 2) / (ones * (len(judged) - ones)))


MEASURED = ("brightness", "contrast", "sharpness", "saturation", "width", "height", "file_bytes")


def _most_moved(data: AuditInput, side: str) -> str:
    """Return a sentence that names the fact whose mean moved most, in its spread in train."""
    rows, train = _rows_of(data, side), _rows_of(data, "train")
    moved = []
    for name in MEASURED:
        before = np.array([getattr(data.facts[row], name) for row in train], dtype=np.float64)
        after = np.array([getattr(data.facts[row], name) for row in rows], dtype=np.float64)
        spread = float(before.std()) or 1.0
        moved.append(
            (abs(after.mean() - before.mean()) / spread, name, before.mean(), after.mean())
        )
    far, name, before_mean, after_mean = max(moved)
    if far < 0.5:
        return ""
    means = f"{before_mean:,.0f} on average, {after_mean:,.0f} in {side}"
    return f"Most of all {name.replace('_', ' ')} differs ({means}). "
