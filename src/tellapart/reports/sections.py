"""What each section of the report says and shows, as values that the templates only lay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.audits.kinds import KINDS
from tellapart.audits.records import Audit, Finding
from tellapart.evaluation.records import Estimate, Evaluation
from tellapart.evaluation.words import estimate_words, percent, range_words
from tellapart.html import data_uri, table
from tellapart.reports.choose import PICTURES_PER_FINDING, FindingGroup
from tellapart.reports.records import Pictures, Predictions, ReportData
from tellapart.reports.wording import (
    NOTHING,
    big_number,
    counted,
    decimal,
    digits_for,
    side_words,
    with_range,
    words,
)

PAIRS = 12  # most confused pairs in the table
CELL = 200  # characters of one value in a table of settings


@dataclass(frozen=True)
class Card:
    """One picture as the page shows it; `image` is a data URI, "" where there is none to show."""

    image: str
    path: str
    heading: str = ""
    lines: tuple[tuple[str, str, str], ...] = ()  # what stands before a name, the name, and after
    tone: str = ""  # "", "good" or "bad"


@dataclass(frozen=True)
class Gauge:
    """A number on a line from 0 to 100 %: text beside it, interval and value as percentages."""

    name: str
    text: str
    note: str
    value: float | None
    low: float | None
    high: float | None


class Shelf:
    """Turns ids into cards with the thumbnails that were fetched."""

    def __init__(self, thumbnails: Mapping[str, bytes]) -> None:
        self._thumbnails = thumbnails

    def card(self, path: str, picture_id: str, **said: Any) -> Card:
        """Return the picture's card."""
        content = self._thumbnails.get(picture_id, b"")
        return Card(image=data_uri(content) if content else "", path=path, **said)


def gauges(evaluation: Evaluation) -> list[Gauge]:
    """Return the headline, plain accuracy and what guessing reaches, on one scale."""
    accuracy = evaluation.metrics.get("accuracy")
    found = [
        _gauge("balanced accuracy", evaluation.headline, "every class weighs the same"),
        *([_gauge("accuracy", accuracy, _right_of(accuracy))] if accuracy else []),
    ]
    guessing = Gauge(
        name="always guessing",
        text=percent(evaluation.baseline_accuracy, digits_for(evaluation.pictures)),
        note=f"accuracy of always saying “{evaluation.baseline_class}”",
        value=100 * evaluation.baseline_accuracy,
        low=None,
        high=None,
    )
    return [*found, guessing]


def _right_of(accuracy: Estimate) -> str:
    right = round((accuracy.value or 0.0) * accuracy.pictures)
    return f"{right:,} of {counted(accuracy.pictures, 'picture')}"


def _gauge(name: str, estimate: Estimate, note: str) -> Gauge:
    return Gauge(
        name=name,
        text=big_number(estimate),
        note="; ".join(part for part in (range_words(estimate), note) if part),
        value=_hundredths(estimate.value),
        low=_hundredths(estimate.low),
        high=_hundredths(estimate.high),
    )


def _hundredths(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)


def headline_note(data: ReportData) -> str:
    """Return on what the headline rests, and how far it can be relied on."""
    evaluation = data.evaluation
    pictures = counted(evaluation.headline.pictures, "picture")
    note = f"balanced accuracy on {pictures} of the {side_words(data.headline_split)} side"
    if not evaluation.headline.reliable:
        groups = counted(evaluation.groups, "independent group")
        note += f"; the interval is not reliable, it rests on {groups}"
    return note


def leaked_line(data: ReportData) -> str:
    """Return how the score with leaked pictures stands beside the headline; "" without any."""
    if data.with_leaked is None:
        return ""
    leaked = counted(data.with_leaked.leaked, "picture")
    told = with_range(data.with_leaked.headline)
    return (
        f"{leaked} of the {side_words(data.headline_split)} side also stand on another side, as a"
        f" copy or by their group. The number leaves them out; with them it would read {told}."
    )


def more_metrics(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the other numbers with their intervals, by name."""
    names = {
        "macro_f1": "macro F1",
        "log_loss": "log loss",
        "ece": "calibration error (ECE)",
        "roc_auc": "area under ROC",
        "average_precision": "average precision",
    }
    return [
        (names.get(name, words(name)), decimal(one))
        for name, one in evaluation.metrics.items()
        if name != "accuracy"
    ]


def confused_pairs(evaluation: Evaluation) -> list[tuple[str, str, int, int]]:
    """Return (truth, answer, times, pictures of the truth), the most frequent mix-ups first."""
    confusion, classes = evaluation.confusion, evaluation.classes
    pairs = [
        (classes[t], classes[a], int(confusion[t, a]), int(confusion[t].sum()))
        for t in range(len(classes))
        for a in range(len(classes))
        if t != a and confusion[t, a]
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[2] / pair[3], pair[:2]))


def class_table(evaluation: Evaluation) -> str:
    """Return the table behind the bars, with counts where pictures are few."""
    rows = (
        (
            one.name,
            one.pictures,
            estimate_words(one.recall),
            estimate_words(one.precision),
            percent(one.f1.value),
            decimal(one.roc_auc),
        )
        for one in evaluation.per_class
    )
    return table(("class", "pictures", "found", "right when named", "F1", "area under ROC"), rows)


def error_cards(
    rows: Sequence[int], predictions: Predictions, classes: Sequence[str], shelf: Shelf
) -> list[Card]:
    """Return cards of wrong answers: what it is, what was said, and how surely."""
    cards = []
    for row in rows:
        chances = predictions.probabilities[row]
        answer = int(chances.argmax())
        cards.append(
            shelf.card(
                predictions.paths[row],
                predictions.ids[row],
                heading=classes[int(predictions.truth[row])],
                lines=(("called ", classes[answer], f", {percent(float(chances[answer]))} sure"),),
                tone="bad",
            )
        )
    return cards


def unsure_cards(
    rows: Sequence[int], predictions: Predictions, classes: Sequence[str], shelf: Shelf
) -> list[Card]:
    """Return cards of narrow decisions: the truth and the two likeliest classes."""
    cards = []
    for row in rows:
        chances = predictions.probabilities[row]
        first, second = (int(one) for one in (-chances).argsort(kind="stable")[:2])
        truth = int(predictions.truth[row])
        cards.append(
            shelf.card(
                predictions.paths[row],
                predictions.ids[row],
                heading=classes[truth],
                lines=tuple(
                    (f"{percent(float(chances[at]))} ", classes[at], "") for at in (first, second)
                ),
                tone="good" if first == truth else "bad",
            )
        )
    return cards


@dataclass(frozen=True)
class BarPart:
    """One side's part of a class's bar: `at` is the side's position, start and width per cent."""

    side: str
    at: int
    pictures: int
    start: float
    width: float


@dataclass(frozen=True)
class ClassRow:
    """One class in the section on the data: counts by side, and a few of its pictures."""

    name: str
    total: int
    parts: tuple[BarPart, ...]
    samples: tuple[Card, ...]


def sides_of(data: ReportData) -> list[str]:
    """Return the sides that hold pictures, in the order of the class counts."""
    counts = data.class_counts.values()
    return list(dict.fromkeys(side for sides in counts for side, held in sides.items() if held))


def class_rows(data: ReportData, samples: Mapping[str, list[int]], shelf: Shelf) -> list[ClassRow]:
    """Return every class with its counts per side and a few of its pictures."""
    largest = max((sum(sides.values()) for sides in data.class_counts.values()), default=0)
    order = sides_of(data)
    rows = []
    for name, sides in data.class_counts.items():
        cards = tuple(_sample(data.pictures, row, shelf) for row in samples.get(name, ()))
        parts = tuple(_bar_parts(sides, order, max(1, largest)))
        rows.append(ClassRow(name, sum(sides.values()), parts, cards))
    return rows


def _sample(pictures: Pictures, row: int, shelf: Shelf) -> Card:
    return shelf.card(pictures.paths[row], pictures.ids[row])


def _bar_parts(sides: Mapping[str, int], order: Sequence[str], largest: int) -> Iterator[BarPart]:
    start = 0.0
    for at, side in enumerate(order):
        pictures = sides.get(side, 0)
        width = 100 * pictures / largest
        if pictures:
            yield BarPart(side_words(side), at, pictures, round(start, 3), round(width, 3))
        start += width


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
    return _listed(counts) if counts else ""


def value_rows(values: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Flatten nested values into (name, text) rows for a table."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        full = f"{before} › {words(str(name))}" if before else words(str(name))
        if isinstance(value, Mapping) and value:
            rows += value_rows(value, full)
        else:
            rows.append((full, _value_text(value)))
    return rows


def _value_text(value: Any) -> str:
    if value is None or value == () or value == [] or value == {}:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        text = ", ".join(_value_text(one) for one in value[:20])
        text += f" and {len(value) - 20:,} more" if len(value) > 20 else ""
    else:
        text = str(value)
    return text if len(text) <= CELL else f"{text[:CELL]}…"


def proof_sentences(data: ReportData) -> list[str]:
    """Return what the split's proof says, as sentences."""
    held = {
        side: sum(sides.get(side, 0) for sides in data.class_counts.values())
        for side in sides_of(data)
    }
    parts = [
        f"{counted(pictures, 'picture')} {_PURPOSES.get(side, side)}"
        for side, pictures in held.items()
    ]
    if not parts:
        return ["No picture stands on a side."]
    return [f"{_listed(parts)}.", *_proven(data.split_proof)]


def _proven(proof: Mapping[str, Any]) -> list[str]:
    """Return the checks that found nothing, as one sentence; the table holds them all."""
    none_found = [
        words(name)
        for name, found in proof.items()
        if isinstance(found, int) and not isinstance(found, bool) and found == 0
    ]
    return [f"Looked for and not found: {', '.join(none_found)}."] if none_found else []


_PURPOSES = {"train": "to train on", "val": "to validate on", "test": "to test on", "": "left out"}


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
