"""Checks on classes and their names: counts, spelling, sides and groups."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import combinations

import numpy as np

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.records import Finding, Severity
from tellapart.errors import counted, first_few

FEW = 10  # independent pictures of a class: at the usual 20 % for testing, two of them would judge
FEW_JUDGING = 5  # a recall of 5 of 5 still has a 95 % interval that starts at 57 % (Wilson)
IMBALANCE = 3.0  # largest class over smallest; from here on plain accuracy starts to flatter
STRONG_IMBALANCE = 20.0
SHORTEST_NAME = 5  # letters; in shorter names one letter makes another word (cat, car)


def missing_classes(data: AuditInput) -> list[Finding]:
    """Name each class that a side of a given split lacks (missing_class)."""
    if not data.given_split:
        return []
    found = []
    for side in data.sides_of(range(len(data.sides))):
        present = {
            label
            for label, own in zip(data.pictures.labels, data.sides, strict=True)
            if own == side
        }
        for name in data.pictures.classes:
            if name in data.pictures.labels and name not in present:
                found.append(_missing_class(data, name, side))
    return found


def _missing_class(data: AuditInput, name: str, side: str) -> Finding:
    if side == "train":
        why = f"No picture of '{name}' is in train, so it cannot be learned and is always missed."
        severity: Severity = "error"
    else:
        why = f"No picture of '{name}' is in {side}, so the score there says nothing about it."
        severity = "warning"
    return make_finding(
        data,
        "missing_class",
        labels=(name,),
        severity=severity,
        message=why,
        advice=f"Add pictures of '{name}' to {side}, or leave the class out of the set.",
    )


def empty_classes(data: AuditInput) -> list[Finding]:
    """Name each class without a picture (empty_class), those among reading's notes included."""
    counts = data.pictures.class_counts()
    found = [
        make_finding(
            data,
            "empty_class",
            labels=(name,),
            message=f"'{name}' has no picture, so it can be neither learned nor judged.",
            advice="Add pictures, or remove the class.",
        )
        for name, count in counts.items()
        if count == 0
    ]
    named = {name for name, count in counts.items() if count == 0}
    for note in data.pictures.notes:
        if note.kind == "empty_class" and not named.intersection(_names(note.paths)):
            found.append(
                make_finding(
                    data,
                    "empty_class",
                    labels=_names(note.paths),
                    message=f"{note.message.rstrip('.')}: nothing can be learned or judged there.",
                    advice="Add pictures to the folder, or remove it.",
                )
            )
    return found


def _names(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path.rstrip("/").rsplit("/", 1)[-1] for path in paths)


def stray_folders(data: AuditInput) -> list[Finding]:
    """Name folders that are a tool's own, not classes (stray_folder), from reading's notes."""
    return [
        make_finding(
            data,
            "stray_folder",
            score=0.1,
            message=f"{note.message.rstrip('.')} ({first_few(note.paths)}).",
            advice="Nothing to do: it is left out. Other programs may read it: delete it.",
        )
        for note in data.pictures.notes
        if note.kind in ("stray_folder", "hidden_folder")
    ]


def spellings(data: AuditInput) -> list[Finding]:
    """Name classes that look like one name spelled twice (label_spelling).

    Two names are taken for one where they are equal but for case, accents' form, spaces, hyphens
    and underscores, or where they differ by one plural s, or by one letter in at least 5 (digits
    never count as letters: class1 and class2 are two classes).
    """
    found = [
        make_finding(
            data,
            "label_spelling",
            severity="note",
            score=0.2,
            message=f"{note.message.rstrip('.')}: they are read as one class.",
            advice="If they are two classes, rename one; otherwise give them one name.",
        )
        for note in data.pictures.notes
        if note.kind == "merged_labels"
    ]
    counts = data.pictures.class_counts()
    folded = {name: _folded(name) for name in data.pictures.classes}
    for one, other in combinations(data.pictures.classes, 2):
        if _same_name(folded[one], folded[other]):
            rare, common = sorted((one, other), key=lambda name: counts[name])
            found.append(
                make_finding(
                    data,
                    "label_spelling",
                    labels=(one, other),
                    score=0.9 if folded[one] == folded[other] else 0.6,
                    message=f"'{rare}' ({counted(counts[rare], 'picture')}) and '{common}' "
                    f"({counts[common]:,}) look like one class under two spellings; as two classes "
                    "they are confused with each other.",
                    advice=f"If they are one, rename '{rare}' to '{common}' (or --label-map).",
                )
            )
    return found


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def _same_name(one: str, other: str) -> bool:
    """Whether two folded class names look like one name in two spellings."""
    if one == other:
        return True
    if one + "s" == other or other + "s" == one:
        return min(len(one), len(other)) >= 2
    return min(len(one), len(other)) >= SHORTEST_NAME and _one_letter_apart(one, other)


def _one_letter_apart(one: str, other: str) -> bool:
    """Whether one letter is changed, added, or swapped with the next."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    start = next(
        (i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    changed = short[start : start + 1] + long[start : start + 1]
    if any(letter.isdigit() for letter in changed):
        return False
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    swapped = short[start : start + 2] == long[start : start + 2][::-1]
    rest = start + 2 if swapped else start + 1
    return short[rest:] == long[rest:]


def small_classes(data: AuditInput) -> list[Finding]:
    """Name classes with few independent pictures, or few that judge in a given split (small_class).

    Duplicates and pictures of one group count once. Fewer than two: an error where we must split.
    """
    found = []
    for code, name in enumerate(data.pictures.classes):
        rows = data.readable[data.codes[data.readable] == code]
        independent = len(np.unique(data.components[rows]))
        if len(rows) == 0:
            continue
        if data.given_split:
            found += _few_judging(data, name, rows.tolist())
        elif independent < FEW:
            found.append(_small_class(data, name, len(rows), independent))
    return found


def _small_class(data: AuditInput, name: str, pictures: int, independent: int) -> Finding:
    of = "" if pictures == independent else f", {independent:,} of them independent"
    cannot = independent < 2
    then = "it cannot be split" if cannot else "one or two of them would judge the class"
    return make_finding(
        data,
        "small_class",
        labels=(name,),
        severity="error" if cannot else "warning",
        score=1 - independent / FEW,
        message=f"'{name}' has {counted(pictures, 'picture')}{of}: {then}.",
        advice="Add pictures of it, join it with another class, or leave it out (--classes).",
    )


def _few_judging(data: AuditInput, name: str, rows: list[int]) -> list[Finding]:
    sides = Counter(data.sides[row] for row in rows)
    judge = "test" if "test" in data.sides else "val"
    judging = sides[judge]
    if not 0 < judging < FEW_JUDGING or judge not in data.sides:
        return []
    return [
        make_finding(
            data,
            "small_class",
            labels=(name,),
            score=1 - judging / FEW_JUDGING,
            message=f"Only {counted(judging, 'picture')} of '{name}' in {judge}: one error more or "
            f"less moves its share of right answers by {100 / judging:.0f} points.",
            advice=f"Add pictures of '{name}' to {judge}.",
        )
    ]


def group_only_classes(data: AuditInput) -> list[Finding]:
    """Name classes whose pictures all stand in one user group among several (group_only_class)."""
    groups = data.pictures.groups
    if len({group for group in groups if group is not None}) < 2:
        return []
    found = []
    for code, name in enumerate(data.pictures.classes):
        rows = np.flatnonzero(data.codes == code).tolist()
        own = {groups[row] for row in rows}
        if len(rows) > 1 and len(own) == 1 and None not in own:
            (group,) = own
            found.append(
                make_finding(
                    data,
                    "group_only_class",
                    labels=(name,),
                    message=f"All {len(rows):,} pictures of '{name}' come from the group "
                    f"'{group}': the class cannot be told from it, nor split without a leak.",
                    advice=f"Add pictures of '{name}' from other groups.",
                )
            )
    return found


def imbalance(data: AuditInput) -> list[Finding]:
    """Say how uneven the classes are (imbalance), from 3 to 1 on; a warning from 20 to 1 on."""
    counts = {name: count for name, count in data.pictures.class_counts().items() if count}
    if len(counts) < 2:
        return []
    largest, smallest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[largest] / counts[smallest]
    if ratio < IMBALANCE:
        return []
    share = 100 * counts[largest] / sum(counts.values())
    return [
        make_finding(
            data,
            "imbalance",
            labels=(largest, smallest),
            severity="warning" if ratio >= STRONG_IMBALANCE else "note",
            score=1 - 1 / ratio,
            message=f"'{largest}' has {counts[largest]:,} pictures, '{smallest}' "
            f"{counts[smallest]:,}, {ratio:.1f} times fewer: always guessing '{largest}' is right "
            f"{share:.0f} times of 100.",
            advice=f"Read balanced accuracy, not accuracy; add pictures of '{smallest}' first.",
        )
    ]
