"""Checks on pictures that stand in a set more than once, and on groups that stand on two sides."""

from __future__ import annotations

from collections import defaultdict

from tellapart.audits.inputs import AuditInput, counted, make_finding
from tellapart.audits.records import Finding
from tellapart.errors import first_few


def exact_copies(data: AuditInput) -> list[Finding]:
    """Name pictures whose files are equal byte by byte.

    Each group of equal files is a duplicate_exact; a leak_duplicate too where it stands on two
    sides, and a label_conflict where it has two labels.
    """
    by_id: dict[str, list[int]] = defaultdict(list)
    for row, (key, facts) in enumerate(zip(data.ids, data.facts, strict=True)):
        if key and facts.problem is None:
            by_id[key].append(row)
    found = []
    for rows in by_id.values():
        if len(rows) > 1:
            found += copies_on_two_sides(data, rows, "the same file")
            found += copies_with_two_labels(data, rows, "the same file")
            found.append(
                make_finding(
                    data,
                    "duplicate_exact",
                    rows=rows,
                    score=1 - 1 / len(rows),
                    message=f"The same file {counted(len(rows), 'time')}: it weighs "
                    f"{len(rows)} times what another picture weighs.",
                    advice="Keep one; exact copies count once in fitting and judging.",
                )
            )
    return found


def copies_on_two_sides(data: AuditInput, rows: list[int], what: str) -> list[Finding]:
    """Return a leak_duplicate where copies (`what` they are, in words) stand on several sides."""
    sides = data.sides_of(rows)
    if len(sides) < 2:
        return []
    judged = sum(data.sides[row] not in ("train", None, "") for row in rows)
    return [
        make_finding(
            data,
            "leak_duplicate",
            rows=rows,
            message=f"In {' and '.join(sides)} stands {what}: what was seen in training judges.",
            advice=f"Remove {counted(judged, 'picture')} from {' and '.join(sides[1:])}; until "
            "then the headline is measured without what leaks.",
        )
    ]


def copies_with_two_labels(data: AuditInput, rows: list[int], what: str) -> list[Finding]:
    """Return a label_conflict where copies (`what` they are, in words) have several labels."""
    labels = data.labels_of(rows)
    if len(labels) < 2:
        return []
    return [
        make_finding(
            data,
            "label_conflict",
            rows=rows,
            message=f"{what[0].upper()}{what[1:]} is labelled {_quoted(labels)}: at least one "
            "label is wrong, or the picture belongs to both.",
            advice="Decide which label is right and remove the other copies.",
        )
    ]


def _quoted(names: tuple[str, ...]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def leaking_groups(data: AuditInput) -> list[Finding]:
    """Name each user group that stands on several sides (leak_group)."""
    by_group: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(data.pictures.groups):
        if group is not None:
            by_group[group].append(row)
    found = []
    for group, rows in by_group.items():
        sides = data.sides_of(rows)
        if len(sides) > 1:
            counts = [sum(data.sides[row] == side for row in rows) for side in sides]
            parts = first_few(
                f"{count:,} in {side}" for count, side in zip(counts, sides, strict=True)
            )
            found.append(
                make_finding(
                    data,
                    "leak_group",
                    rows=rows,
                    message=f"The group '{group}' stands on {len(sides)} sides ({parts}): what was "
                    "seen in training helps to judge.",
                    advice="Move the whole group to one side, or let tellapart split by group.",
                )
            )
    return found
