"""The plan: one decision a picture, proposed by the audit, edited by the user, applied to a copy.

Originals are never touched: `apply_plan` gives the rows of a new table, `write_clean` writes it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.data.frames import as_text, guarded, read_frame
from tellapart.data.pictures import PictureSet
from tellapart.errors import DataError, counted, did_you_mean, first_few
from tellapart.places import refuse_existing, write_bytes

Decision = Literal["keep", "drop", "relabel to", "group with"]
DECISIONS: tuple[Decision, ...] = ("keep", "drop", "relabel to", "group with")
COLUMNS = ("path", "id", "label", "decision", "to", "kind", "why")
NEEDED = ("path", "id", "decision")
SURE_OF_LABEL = 0.94  # score of a mislabeled finding from which a new label is proposed outright
COPIES = ("leak_duplicate", "duplicate_exact", "duplicate_near")
# Dropping for these reasons mends a count; dropping others from a judging side flatters the score.
HONEST_DROPS = frozenset(
    {*COPIES, "label_conflict", "unreadable", "truncated", "not_an_image", "placeholder"}
)


@dataclass(frozen=True)
class PlanRow:
    """One decision about one picture.

    to is the class of "relabel to", the group of "group with"; for "keep" it may hold a suggestion.
    kind names the findings that the picture stands in, costliest first, why is the first's message.
    """

    path: str
    id: str
    label: str
    decision: Decision
    to: str = ""
    kind: str = ""
    why: str = ""


@dataclass(frozen=True)
class CleanTable:
    """What a plan leaves: rows of the picture set, with their labels and groups, and what to say.

    rows indexes the picture set; labels and groups stand beside it; notes are sentences.
    """

    rows: tuple[int, ...]
    labels: tuple[str, ...]
    groups: tuple[str | None, ...]
    notes: tuple[str, ...]


def propose(audit: Audit, pictures: PictureSet, ids: Sequence[str]) -> tuple[PlanRow, ...]:
    """Propose one decision for each picture that a finding of an actionable kind names.

    Copies: the first is kept (one in train where sides leak), byte-equal ones and those on other
    sides are dropped, altered ones grouped; all copies under two labels are dropped, for a person
    to keep the right one; what cannot be used is dropped; a suspected label is kept with the better
    class suggested, and relabelled where the suspicion is strong; the rest is kept, for a look.
    """
    place = {path: row for row, path in enumerate(pictures.paths)}
    groups = _group_names(audit, pictures, place)
    proposed: dict[int, PlanRow] = {}
    for finding in audit.findings:
        for picture, (decision, to) in _decisions(finding, pictures, place, groups).items():
            row = place[picture.path]
            new = PlanRow(
                picture.path,
                ids[row],
                pictures.labels[row],
                decision,
                to,
                ", ".join((finding.kind, *finding.also)),
                finding.message,
            )
            if row not in proposed or (proposed[row].decision, new.decision) == ("keep", "drop"):
                proposed[row] = new
    return tuple(proposed[row] for row in sorted(proposed))


Proposals = dict[PictureRef, tuple[Decision, str]]


def _decisions(
    finding: Finding, pictures: PictureSet, place: Mapping[str, int], groups: Mapping[str, str]
) -> Proposals:
    if finding.kind == "label_conflict" and finding.severity == "error":
        return dict.fromkeys(finding.pictures, ("drop", ""))
    if finding.kind in COPIES:
        if "label_conflict" in finding.also and finding.severity == "error":
            return dict.fromkeys(finding.pictures, ("drop", ""))
        return _copies(finding, pictures, place, groups)
    if finding.kind == "mislabeled":
        decision: Decision = "relabel to" if finding.score >= SURE_OF_LABEL else "keep"
        return dict.fromkeys(finding.pictures, (decision, finding.labels[-1]))
    if finding.kind in ("unreadable", "truncated", "not_an_image", "placeholder"):
        return dict.fromkeys(finding.pictures, ("drop", ""))
    if finding.kind in LOOKED_AT:
        return dict.fromkeys(finding.pictures, ("keep", ""))
    return {}


LOOKED_AT = ("label_conflict", "outlier", "low_information", "dark", "light", "blurry", "tiny")


def _copies(
    finding: Finding, pictures: PictureSet, place: Mapping[str, int], groups: Mapping[str, str]
) -> Proposals:
    ordered = sorted(finding.pictures, key=lambda one: (one.split != "train", place[one.path]))
    first = ordered[0]
    proposals: Proposals = {}
    for one in ordered:
        equal = one is not first and one.id == first.id
        leaks = one.split != first.split and finding.kind == "leak_duplicate"
        if equal or leaks:
            proposals[one] = ("drop", "")
        elif one.path in groups:
            proposals[one] = ("group with", groups[one.path])
        else:
            proposals[one] = ("keep", "")
    return proposals


def _group_names(audit: Audit, pictures: PictureSet, place: Mapping[str, int]) -> dict[str, str]:
    """Return a group's name for each path that stands in a near-duplicate finding.

    Findings that share a picture share a name. Pictures of a user's group keep that group: the
    split joins groups and duplicates by itself.
    """
    first: dict[str, str] = {}

    def root(path: str) -> str:
        while first.setdefault(path, path) != path:
            path = first[path]
        return path

    for finding in audit.findings:
        if "duplicate_near" in (finding.kind, *finding.also):
            for one in finding.pictures:
                low, high = sorted((root(finding.pictures[0].path), root(one.path)))
                first[high] = low
    members: dict[str, list[str]] = defaultdict(list)
    for path in first:
        members[root(path)].append(path)
    return {
        path: f"copies of {name}"
        for name, paths in members.items()
        if all(pictures.groups[place[path]] is None for path in paths)
        for path in paths
    }


def write_plan(rows: Iterable[PlanRow], path: Path) -> None:
    """Write a plan as CSV in UTF-8, with the mark by which spreadsheets know it.

    Raises OutputError where `path` exists: it may be the plan that somebody has edited.
    """
    refuse_existing(path, "--plan")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([guarded(getattr(row, name)) for name in COLUMNS])
    write_bytes(path, text.getvalue().encode("utf-8-sig"))


def read_plan(path: Path) -> tuple[PlanRow, ...]:
    """Read an edited plan. Raises DataError naming the row and what is known, in one line."""
    frame, _ = read_frame(path)
    for name in NEEDED:
        if name not in frame.columns:
            raise DataError(
                f"{path} is no plan: it has no column '{name}'{did_you_mean(name, frame.columns)}; "
                "write one with tellapart audit --plan"
            )
    columns = {
        name: as_text(frame, name) if name in frame.columns else [None] * frame.height
        for name in COLUMNS
    }
    return tuple(
        _plan_row(path, number, {name: values[number] or "" for name, values in columns.items()})
        for number in range(frame.height)
    )


def _plan_row(path: Path, number: int, cells: dict[str, str]) -> PlanRow:
    where = f"{path}, row {number + 1} ({cells['path']})"
    decision = " ".join(cells["decision"].casefold().split())
    if decision not in DECISIONS:
        raise DataError(
            f"{where}: '{cells['decision']}' is no decision"
            f"{did_you_mean(decision, DECISIONS)} (known: {', '.join(DECISIONS)})"
        )
    if decision in ("relabel to", "group with") and not cells["to"].strip():
        what = "class" if decision == "relabel to" else "group"
        raise DataError(f"{where}: '{decision}' needs the name of a {what} in the column 'to'")
    return PlanRow(
        cells["path"],
        cells["id"],
        cells["label"],
        decision,
        cells["to"].strip(),
        cells["kind"],
        cells["why"],
    )


def apply_plan(
    plan: Sequence[PlanRow],
    pictures: PictureSet,
    ids: Sequence[str],
    *,
    new_classes: bool = False,
    where: str = "plan",
) -> CleanTable:
    """Return what the plan leaves of the pictures; those that it does not name are kept.

    A row is matched by path and id, else by id alone where that names one picture and one row.
    Raises DataError, in one line that names the row, for a picture that is gone or cannot be told
    from its copies, for two decisions on one picture, and (without new_classes) for a class that
    does not exist. ids are the pictures' content ids; `where` names the plan in messages.
    """
    decided = _match(plan, pictures, ids, where)
    labels, groups = list(pictures.labels), list(pictures.groups)
    dropped = set()
    for row, (number, decision) in decided.items():
        if decision.decision == "drop":
            dropped.add(row)
        elif decision.decision == "relabel to":
            if decision.to not in pictures.classes and not new_classes:
                raise DataError(
                    f"{where}, row {number + 1} ({decision.path}): there is no class "
                    f"'{decision.to}'{did_you_mean(decision.to, pictures.classes)}; --new-classes "
                    "allows new ones"
                )
            labels[row] = decision.to
        elif decision.decision == "group with":
            groups[row] = decision.to
    rows = tuple(row for row in range(len(pictures)) if row not in dropped)
    if not rows:
        raise DataError(f"{where} drops all {counted(len(pictures), 'picture')}: nothing is left")
    return CleanTable(
        rows=rows,
        labels=tuple(labels[row] for row in rows),
        groups=tuple(groups[row] for row in rows),
        notes=tuple(_notes(decided, pictures, dropped)),
    )


Decided = dict[int, tuple[int, PlanRow]]


def _match(
    plan: Sequence[PlanRow], pictures: PictureSet, ids: Sequence[str], where: str
) -> Decided:
    by_key = {key: row for row, key in enumerate(zip(pictures.paths, ids, strict=True))}
    decided: Decided = {}
    moved: list[int] = []
    for number, one in enumerate(plan):
        row = by_key.get((one.path, one.id))
        if row is None:
            moved.append(number)
        else:
            _decide(decided, row, number, plan, where)
    by_id: dict[str, list[int]] = defaultdict(list)
    for row, key in enumerate(ids):
        if key and row not in decided:
            by_id[key].append(row)
    same_id = Counter(plan[number].id for number in moved)
    for number in moved:
        one = plan[number]
        rows = by_id.get(one.id, [])
        if len(rows) == 1 and same_id[one.id] == 1:
            _decide(decided, rows[0], number, plan, where)
        else:
            raise DataError(
                f"{where}, row {number + 1} ({one.path}): {_why_not(one, rows, pictures)}"
            )
    return decided


def _decide(decided: Decided, row: int, number: int, plan: Sequence[PlanRow], where: str) -> None:
    before = decided.get(row)
    new = plan[number]
    if before and (before[1].decision, before[1].to) != (new.decision, new.to):
        raise DataError(
            f"{where}, row {number + 1} ({new.path}): row {before[0] + 1} decides "
            f"'{before[1].decision}' on the same picture; leave one of the two"
        )
    decided[row] = (number, new)


def _why_not(one: PlanRow, rows: Sequence[int], pictures: PictureSet) -> str:
    if rows:
        names = first_few((pictures.paths[row] for row in rows), 3)
        return f"its content stands at {names}: write into 'path' which one is meant"
    if one.path in pictures.paths:
        return "the file has changed since the plan was written; write a new plan, or drop the row"
    return "this picture is gone; delete the row if that is right"


def _notes(decided: Decided, pictures: PictureSet, dropped: set[int]) -> Iterable[str]:
    counts = Counter(one.decision for _, one in decided.values())
    said = [f"{counts[name]:,} {name}" for name in DECISIONS if counts[name]]
    left_out = counted(len(dropped), "picture")
    yield f"decisions: {', '.join(said) if said else 'none'}; {left_out} left out"
    judging = [row for row, side in enumerate(pictures.splits) if side in ("val", "test")]
    flattering = [row for row in judging if row in dropped and not _is_honest(decided[row][1])]
    if flattering:
        yield (
            f"{counted(len(flattering), 'picture')} of {len(judging):,} that judge "
            f"{'is' if len(flattering) == 1 else 'are'} dropped for how they look, not because "
            "they leak or cannot be used: the score on the rest is better than on pictures as they "
            "come"
        )


def _is_honest(one: PlanRow) -> bool:
    return bool(HONEST_DROPS.intersection(one.kind.split(", ")))
