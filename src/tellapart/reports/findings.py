"""What the audit found, as the pages show it: by kind, gravest first, pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tellapart.audits.kinds import KINDS
from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.errors import counted
from tellapart.reports.cards import Card, Shelf
from tellapart.reports.choose import PICTURES_PER_FINDING, FindingGroup
from tellapart.reports.wording import listed, side_words, words

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
NOTES: dict[str, tuple[str, str]] = {  # title and reason of a kind where it is a note
    "duplicate_near": (
        "Very alike",
        "Pictures of one moment or place weigh double and leak when they are split.",
    ),
    "shortcut": (
        "Told without looking at shapes",
        "Colour, light or sharpness may stand for the class where pictures were taken unalike.",
    ),
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
    """All findings of a kind: why it matters, what to do, the first few of them.

    name      its id on the page
    message   what all of them say, "" where they say different things
    singles   the findings about one picture each, as a gallery
    findings  the others
    more      findings that are not shown
    """

    name: str
    title: str
    severity: str
    severity_words: str
    total: int
    why: str
    advice: tuple[str, ...]
    message: str
    singles: tuple[Card, ...]
    findings: tuple[FindingView, ...]
    more: int


def kind_views(
    groups: Sequence[FindingGroup], shelf: Shelf, shown_ids: set[str], labels: Mapping[str, str]
) -> list[KindView]:
    """Return the audit's findings by kind, gravest first; only pictures in `shown_ids` appear.

    labels  path -> label, as far as it is known
    """
    return [_kind_view(group, shelf, shown_ids, labels) for group in groups]


def _kind_view(
    group: FindingGroup, shelf: Shelf, shown_ids: set[str], labels: Mapping[str, str]
) -> KindView:
    title, why = _title_and_why(group)
    said = {one.message for one in group.shown}
    message = next(iter(said)) if len(group.shown) > 1 and len(said) == 1 else ""
    singles = [one for one in group.shown if len(one.pictures) == 1]
    return KindView(
        name=f"{group.severity}-{group.kind}".replace("_", "-"),
        title=title,
        severity=group.severity,
        severity_words=SEVERITY_WORDS[group.severity],
        total=group.total,
        why=why,
        advice=tuple(dict.fromkeys(one.advice for one in group.shown if one.advice)),
        message=message,
        singles=tuple(
            card for one in singles if (card := _single(one, shelf, shown_ids, labels, message))
        ),
        findings=tuple(
            _finding_view(one, shelf, shown_ids, labels, message)
            for one in group.shown
            if len(one.pictures) != 1
        ),
        more=group.total - len(group.shown),
    )


def _title_and_why(group: FindingGroup) -> tuple[str, str]:
    if group.severity == "note" and group.kind in NOTES:
        return NOTES[group.kind]
    known = KINDS.get(group.kind)
    title = KIND_TITLES.get(group.kind, words(group.kind).capitalize())
    return title, _sentence(known.why) if known else ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _single(
    finding: Finding,
    shelf: Shelf,
    shown_ids: set[str],
    labels: Mapping[str, str],
    said: str,
) -> Card | None:
    """Return the card of a finding about one picture: its label, and what is wrong with it."""
    (picture,) = finding.pictures
    if picture.id and picture.id not in shown_ids:
        return None
    lines: tuple[tuple[str, str, str], ...] = ()
    if finding.kind == "mislabeled":
        lines = (("looks like ", finding.labels[-1], ""),)
    elif finding.message != said:
        lines = ((finding.message, "", ""),)
    return shelf.card(
        picture.path,
        picture.id,
        heading=labels.get(picture.path, ""),
        lines=(*lines, *_side(picture)),
        tone="bad" if finding.severity == "error" else "",
    )


def _side(picture: PictureRef) -> tuple[tuple[str, str, str], ...]:
    return ((f"in {side_words(picture.split)}", "", ""),) if picture.split else ()


def _finding_view(
    finding: Finding, shelf: Shelf, shown_ids: set[str], labels: Mapping[str, str], said: str
) -> FindingView:
    cards = tuple(
        shelf.card(one.path, one.id, heading=labels.get(one.path, ""), lines=_side(one))
        for one in finding.pictures[:PICTURES_PER_FINDING]
        if one.id in shown_ids or not one.id
    )
    message = "" if finding.message == said and cards else finding.message
    return FindingView(message, cards, len(finding.pictures) - len(cards))


def finding_counts(audit: Audit) -> str:
    """Return '1 error, 3 warnings and 2 notes' for the top of the page."""
    counts = [
        counted(sum(one.severity == severity for one in audit.findings), severity)
        for severity in ("error", "warning", "note")
        if any(one.severity == severity for one in audit.findings)
    ]
    return listed(counts)
