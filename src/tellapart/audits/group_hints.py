"""The check for groups in file names: patients, bursts, places that a split should not part."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.records import Finding
from tellapart.data.names import natural
from tellapart.errors import first_few

PATTERNS: tuple[tuple[str, str], ...] = (  # what is shared, in words, and the --group-regex for it
    ("what stands before the last number", r"([^/]*\D)\d+\.\w+$"),
    ("what stands before the last part", r"([^/]+)[-_\s][^/]*$"),
    ("the first part", r"([^/_\s-]+)[-_\s][^/]*$"),
    ("the first number", r"(\d+)[^/]*$"),
    ("the last number", r"(\d+)[^/\d]*\.\w+$"),
    ("the number but for its last digit", r"([^/]*\d)\d\.\w+$"),
    ("the number but for its last two digits", r"([^/]*\d)\d\d\.\w+$"),
    ("the day", r"(\d{4}[-_]?[01]\d[-_]?[0-3]\d)[^/]*$"),
    ("the folder", r"([^/]+)/[^/]+$"),
)
MOST_ASKED = 2_000  # pictures whose nearest neighbour is looked for
FEWEST = 20  # of them that have a picture of their group to find
SHARE = 0.25  # of all pictures, those in groups of two and more
LARGEST = 0.2  # of all pictures, in one group: coarser names part nothing
# Share of pictures whose nearest neighbour within the class is of their own group, and how many
# times what chance gives. By name: tiles of naip_4band in other years 0.67 and 23 times, breeds of
# pets labelled by species 0.81 and 17 times. Numbers that mean nothing (five unaltered sets): at
# most 0.21, or 2.7 times.
OFTEN = 0.5
LIFT = 4.0
AS_GOOD = 0.05  # of two patterns that differ by less, the plainer one is proposed
EXAMPLES = 3  # pairs shown


@dataclass(frozen=True)
class _Neighbours:
    """Usable pictures asked for their nearest neighbour within the class, copies set aside.

    asked     [q] places among the usable pictures
    nearest   [q] places of their neighbours
    likeness  [q] cosine of the centred features
    """

    asked: NDArray[np.intp]
    nearest: NDArray[np.intp]
    likeness: NDArray[np.float32]


@dataclass(frozen=True)
class _Hint:
    what: str
    regex: str
    names: tuple[str | None, ...]  # of the usable pictures
    often: float
    chance: float
    same: NDArray[np.bool_]  # [q] whether a neighbour is of the same group


def group_hints(data: AuditInput) -> list[Finding]:
    """Propose the --group-regex under which file names go with likeness (group_hint), if one does.

    Looked at are pictures that hang together in no other way yet: a user's groups end the check,
    and copies do not count as neighbours.
    """
    if data.features is None or any(group is not None for group in data.pictures.groups):
        return []
    candidates = [
        (what, regex, names) for what, regex in PATTERNS if (names := _names(data, regex))
    ]
    if not candidates:
        return []
    found = _neighbours(data, data.features)
    hints = [hint for one in candidates if (hint := _hint(data, found, *one))]
    if not hints:
        return []
    best = max(hint.often - hint.chance for hint in hints)
    chosen = next(hint for hint in hints if hint.often - hint.chance >= best - AS_GOOD)
    return [_finding(data, found, chosen)]


def _names(data: AuditInput, regex: str) -> tuple[str | None, ...]:
    """Return the group of each usable picture; () where the groups cannot be what is looked for."""
    pattern = re.compile(regex)
    matches = [pattern.search(data.pictures.paths[row]) for row in data.usable]
    names = tuple(match.group(1) if match else None for match in matches)
    counts = Counter(name for name in names if name is not None)
    grouped = sum(count for count in counts.values() if count > 1)
    if grouped < max(FEWEST, SHARE * len(names)) or max(counts.values()) > LARGEST * len(names):
        return ()
    return names


def _neighbours(data: AuditInput, features: NDArray[np.floating]) -> _Neighbours:
    order = sorted(range(len(data.usable)), key=lambda place: data.ids[data.usable[place]])
    asked = np.array(order[:: max(1, -(-len(order) // MOST_ASKED))], dtype=np.intp)
    codes, parts = data.codes[data.usable], data.components[data.usable]
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)

    def vectors(places: NDArray[np.intp]) -> NDArray[np.float32]:
        centred = features[places].astype(np.float32) - mean
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / (length + np.float32(1e-6)))

    nearest = np.full(len(asked), -1, np.intp)
    likeness = np.full(len(asked), -np.inf, np.float32)
    for code in np.unique(codes):
        mine, rows = np.flatnonzero(codes[asked] == code), np.flatnonzero(codes == code)
        alike = vectors(asked[mine]) @ vectors(rows).T
        alike[parts[asked[mine], None] == parts[rows]] = -np.inf
        best = alike.argmax(axis=1) if len(mine) else np.empty(0, np.intp)
        nearest[mine], likeness[mine] = rows[best], alike[np.arange(len(mine)), best]
    there = np.isfinite(likeness)
    return _Neighbours(asked[there], nearest[there], likeness[there])


def _hint(
    data: AuditInput, found: _Neighbours, what: str, regex: str, names: tuple[str | None, ...]
) -> _Hint | None:
    """Return the hint, or None where neighbours share a group hardly more often than by chance."""
    place = {name: number for number, name in enumerate(sorted({one for one in names if one}))}
    groups = np.array([place.get(name or "", -1) for name in names], dtype=np.intp)
    chances = _chances(data, groups)[found.asked]
    could = chances > 0
    if could.sum() < FEWEST:
        return None
    same = (groups[found.asked] == groups[found.nearest]) & could
    often, chance = float(same[could].mean()), float(chances[could].mean())
    if often < OFTEN or often < LIFT * chance:
        return None
    return _Hint(what, regex, names, often, chance, same)


def _chances(data: AuditInput, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return [m] how often another picture of the class, copies set aside, is of one's group."""
    codes, parts = data.codes[data.usable], data.components[data.usable]
    in_class = _sizes(codes) - _sizes(codes, parts)
    in_group = _sizes(codes, groups) - _sizes(codes, groups, parts)
    return np.where(groups >= 0, in_group / np.maximum(in_class, 1), 0.0)


def _sizes(*keys: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return [m] how many pictures have the same keys as each one."""
    _, inverse, counts = np.unique(
        np.stack(keys, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return np.asarray(counts[inverse.ravel()], np.intp)


def _finding(data: AuditInput, found: _Neighbours, hint: _Hint) -> Finding:
    groups = Counter(name for name in hint.names if name is not None)
    same = np.flatnonzero(hint.same)
    same = same[np.argsort(-found.likeness[same], kind="stable")]
    pairs = np.sort(data.usable[np.stack([found.asked[same], found.nearest[same]], axis=1)], axis=1)
    shown = list(dict.fromkeys(map(tuple, pairs.tolist())))[:EXAMPLES]
    rows = list(dict.fromkeys(row for pair in shown for row in pair))
    return make_finding(
        data,
        "group_hint",
        rows=rows,
        labels=(),
        score=hint.often - hint.chance,
        message=f"Pictures whose names share {hint.what} look alike ({len(groups):,} such groups): "
        f"the nearest other picture of a class is of the same group {100 * hint.often:.0f} times "
        f"of 100, by chance {100 * hint.chance:.0f}.{_torn(data, hint.names)}",
        advice="If a group is one patient, place, burst or video, keep it on one side: "
        f'--group-regex "{hint.regex}"; if it is only a kind (a breed), nothing is wrong.',
    )


def _torn(data: AuditInput, names: tuple[str | None, ...]) -> str:
    """Return a sentence on the groups that stand on several sides, "" where none does."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, name in zip(data.usable.tolist(), names, strict=True):
        if name is not None:
            rows_of[name].append(row)
    torn = [name for name, rows in rows_of.items() if len(data.sides_of(rows)) > 1]
    if not torn:
        return ""
    shown = first_few(repr(name) for name in sorted(torn, key=natural))
    stand = "of them stands" if len(torn) == 1 else "of them stand"
    return f" {len(torn):,} {stand} on more than one side of the split: {shown}."
