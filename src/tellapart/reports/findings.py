"""What the audit found, as the pages show it: by kind, gravest first, pictures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tellapart.audits.kinds import KINDS
from tellapart.audits.records import Audit, Finding
from tellapart.reports.cards import Card, Shelf
from tellapart.reports.choose import PICTURES_PER_FINDING, FindingGroup
from tellapart.reports.wording import counted, listed, side_words, words

KIND_TITLES: dict[str, str] = {
    "leak_duplicate": "Copies on both sides",
    "leak_group": "Groups on both sides",
    "label_conflict": "One picture, two labels",
    "missing_class": "Class missing on a side",
    "unreadable": "Files that cannot be opened",
    "truncated": "Files that end too early",
    "not_an_image": "Files that hold no picture",
    "shortcut": "The files give the label away",
    "mislabeled": "Labels that look wrong",
    "placeholder": "Stand-in pictures",
    "label_spelling": "One class, two spellings",
    "empty_class": "Classes without pictures",
    "small_class": "Classes with few pictures",
    "group_only_class": "Classes within one group",
    "class_overlap": "Classes that look alike",
    "split_shift": "Sides that differ",
    "duplicate_exact": "Exact copies",
    "duplicate_near": "Altered copies",
    "group_hint": "Groups in the file names",
    "outlier": "Unlike every class",
    "imbalance": "Uneven classes",
    "exif_rotated": "Turned by EXIF alone",
}
SEVERITY_WORDS = {"error": "mend first", "warning": "look at", "note": "good to know"}


@dataclass(frozen=True)
class FindingView:
    """One finding: its sentence, and its pictures side by side."""

    message: str
    cards: tuple[Card, ...]
    more: int  # pictures that are not shown


@dataclass(frozen=True)
class KindView:
    """All findings of a kind: why it matters, what to do, the first few of them."""

    title: str
    severity: str
    severity_words: str
    total: int
    why: str
    advice: tuple[str, ...]
    findings: tuple[FindingView, ...]
    more: int  # findings that are not shown


def kind_views(groups: Sequence[FindingGroup], shelf: Shelf, shown_ids: set[str]) -> list[KindView]:
    """Return the audit's findings by kind, gravest first; only pictures in `shown_ids` appear."""
    return [_kind_view(group, shelf, shown_ids) for group in groups]


def _kind_view(group: FindingGroup, shelf: Shelf, shown_ids: set[str]) -> KindView:
    known = KINDS.get(group.kind)
    plain = words(group.kind).capitalize()
    return KindView(
        title=KIND_TITLES.get(group.kind, plain),
        severity=group.severity,
        severity_words=SEVERITY_WORDS[group.severity],
        total=group.total,
        why=_sentence(known.why) if known else "",
        advice=tuple(dict.fromkeys(one.advice for one in group.shown if one.advice)),
        findings=tuple(_finding_view(one, shelf, shown_ids) for one in group.shown),
        more=group.total - len(group.shown),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _finding_view(finding: Finding, shelf: Shelf, shown_ids: set[str]) -> FindingView:
    pictures = finding.pictures[:PICTURES_PER_FINDING]
    cards = tuple(
        shelf.card(one.path, one.id, lines=((side_words(one.split), "", ""),) if one.split else ())
        for one in pictures
        if one.id in shown_ids or not one.id
    )
    return FindingView(finding.message, cards, len(finding.pictures) - len(cards))


def finding_counts(audit: Audit) -> str:
    """Return '1 error, 3 warnings and 2 notes' for the top of the page."""
    counts = [
        counted(sum(one.severity == severity for one in audit.findings), severity)
        for severity in ("error", "warning", "note")
        if any(one.severity == severity for one in audit.findings)
    ]
    return listed(counts)
