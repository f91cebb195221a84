"""Checks on pictures that stand in a set more than once, and on groups that stand on two sides."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

from tellapart.audits.cliques import cliques_of
from tellapart.audits.inputs import COPY, UPRIGHT, AuditInput, make_finding
from tellapart.audits.records import Finding
from tellapart.errors import counted, first_few


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


class _Link(NamedTuple):
    """How two contents (ids) were found alike: score 0..1, surely a copy, mirrored or turned."""

    score: float
    is_copy: bool
    is_turned: bool


def near_copies(data: AuditInput) -> list[Finding]:
    """Name altered copies, in cliques of pictures that were each checked against the others.

    Each clique of copies is a duplicate_near; a leak_duplicate too where it stands on two sides,
    and a label_conflict where it has two labels: an error where an upright copy has another label,
    else (a mirrored or turned copy) a question, since left and right may be two classes. Pairs that
    are only very alike are a duplicate_near of severity note.
    """
    links = _links(data)
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row in data.readable:
        rows_of[data.ids[row]].append(int(row))
    found = []
    for is_copy in (True, False):
        ordered = sorted(
            (pair for pair, link in links.items() if link.is_copy == is_copy),
            key=lambda pair: (-links[pair].score, pair),
        )
        for members in cliques_of(ordered):
            rows = sorted(row for key in members for row in rows_of[key])
            own = {pair: links[pair] for pair in combinations(sorted(members), 2)}
            found += _of_copies(data, rows, own) if is_copy else [_very_alike(data, rows, own)]
    return found


Links = dict[tuple[str, str], _Link]


def _links(data: AuditInput) -> Links:
    """Return the near pairs between different contents: ids in order -> the strongest link."""
    links: Links = {}
    if data.near is None:
        return links
    near = data.near
    for place, (one, other) in enumerate(data.usable[near.pairs].tolist()):
        pair = (min(data.ids[one], data.ids[other]), max(data.ids[one], data.ids[other]))
        link = _Link(
            float(near.scores[place]), near.kinds[place] == COPY, bool(near.turns[place] != UPRIGHT)
        )
        if pair[0] != pair[1] and (pair not in links or link.score > links[pair].score):
            links[pair] = link
    return links


def _of_copies(data: AuditInput, rows: list[int], links: Links) -> list[Finding]:
    score = min(link.score for link in links.values())
    turned = any(link.is_turned for link in links.values())
    how = "mirrored or turned" if turned else "altered"
    what = f"the same picture, {how} (likeness {score:.2f})"
    near = make_finding(
        data,
        "duplicate_near",
        rows=rows,
        score=score,
        message=f"The same picture {counted(len(rows), 'time')}, {how} (likeness {score:.2f}): it "
        "weighs more than others, and leaks where a split parts it.",
        advice="Keep the best one, or group them; tellapart's own split keeps them together.",
    )
    return [*copies_on_two_sides(data, rows, what), *_conflict(data, rows, links, what), near]


def _conflict(data: AuditInput, rows: list[int], links: Links, what: str) -> list[Finding]:
    conflict = copies_with_two_labels(data, rows, what)
    labels: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        labels[data.ids[row]].add(data.pictures.labels[row])
    upright = any(
        not link.is_turned and len(labels[one] | labels[other]) > 1
        for (one, other), link in links.items()
    )
    if not conflict or upright:
        return conflict
    return [
        make_finding(
            data,
            "label_conflict",
            rows=rows,
            severity="warning",
            score=0.5,
            message=f"A mirrored or turned copy has another label ({_quoted(data.labels_of(rows))})"
            ": is one of them wrong, or do left and right mean two classes here?",
            advice="If they are two classes (signs that point left and right), use --no-mirror; "
            "else give both the right label.",
        )
    ]


def _very_alike(data: AuditInput, rows: list[int], links: Links) -> Finding:
    score = min(link.score for link in links.values())
    return make_finding(
        data,
        "duplicate_near",
        rows=rows,
        score=score / 2,
        severity="note",
        message=f"Very alike (likeness {score:.2f}), but not surely the same picture: perhaps one "
        "moment, place or object.",
        advice="Look at them; if they belong together, give them one group (--group-column).",
    )
