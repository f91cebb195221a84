"""What each section of the report says and shows, as values that the templates only lay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tellapart.errors import counted
from tellapart.evaluation.records import Estimate, Evaluation
from tellapart.evaluation.words import CROSSED, estimate_words, percent, range_words
from tellapart.html import table
from tellapart.reports.cards import Card, Shelf
from tellapart.reports.records import Pictures, ReportData
from tellapart.reports.wording import (
    NOTHING,
    big_number,
    decimal,
    digits_for,
    listed,
    side_words,
    with_range,
    words,
)

PAIRS = 12  # most confused pairs in the table
CELL = 200  # characters of one value in a table of settings


@dataclass(frozen=True)
class Gauge:
    """A number on a line from 0 to 100 %: text beside it, interval and value as percentages."""

    name: str
    text: str
    note: str
    value: float | None
    low: float | None
    high: float | None


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
    note = f"balanced accuracy on {pictures}"
    if data.headline_split == CROSSED:
        note += ", each judged by a model that never saw it (cross-validation)"
    else:
        note += f" of the {side_words(data.headline_split)} side"
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


def calibration_line(calibration: Mapping[str, Any] | None) -> str:
    """Return what the temperature did to the calibration error; "" where it was not measured."""
    if not calibration or None in (calibration["ece_before"], calibration["ece_after"]):
        return ""
    pictures = counted(calibration["pictures"], "picture")
    crossed = calibration["split"] == CROSSED
    whose = (
        "Every fold has a temperature of its own"
        if crossed
        else f"Temperature {calibration['temperature']:.3g}"
    )
    where = "" if crossed else f" of the {side_words(calibration['split'])} side"
    return (
        f"{whose}, learned from training pictures: the calibration error is"
        f" {calibration['ece_before']:.3f} without it and {calibration['ece_after']:.3f} with it,"
        f" both on the {pictures}{where}."
    )


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


def choice_table(choices: Sequence[Mapping[str, Any]]) -> str:
    """Return what was chosen and why; a reason that stands above already is not said again."""
    whys = ["", *(str(one["why"]) for one in choices)]
    rows = [
        (words(str(one["what"])), str(one["chosen"]), "likewise" if why == above else why)
        for one, above, why in zip(choices, whys, whys[1:], strict=False)
    ]
    return table(("what", "chosen", "why"), rows)


def value_rows(values: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Flatten nested values into (name, text) rows for a table."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        full = f"{before} › {words(str(name))}" if before else words(str(name))
        if isinstance(value, Mapping) and value:
            rows += value_rows(value, full)
        else:
            rows.append((full, value_text(value)))
    return rows


def value_text(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None or value == () or value == [] or value == {}:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        text = ", ".join(value_text(one) for one in value[:20])
        text += f" and {len(value) - 20:,} more" if len(value) > 20 else ""
    else:
        text = str(value)
    return text if len(text) <= CELL else f"{text[:CELL]}…"


_PURPOSES = {
    "train": "to train on",
    "val": "to validate on",
    "test": "to test on",
    "": "left out",
}
_ORIGIN = {"True": "The data says which: ", "False": "Dealt by content: "}  # whether it was given


def proof_sentences(data: ReportData) -> list[str]:
    """Return what the split's proof says, as sentences: what leaks, then who stands where."""
    proof = data.split_proof
    said = [str(proof["sentence"])] if "sentence" in proof else []
    held = {
        side: sum(sides.get(side, 0) for sides in data.class_counts.values())
        for side in sides_of(data)
    }
    if not held:
        return [*said, "No picture stands on a side."]
    parts = [f"{counted(held[one], 'picture')} {_PURPOSES.get(one, one)}" for one in held]
    if "folds" in proof:
        parts = [
            f"{counted(held[CROSSED], 'picture')} in {proof['folds']} folds that judge in turn"
        ]
    origin = str(proof.get("origin", ""))
    by_order = origin.startswith("by the order of")
    origin = f"Dealt {origin}; " if by_order else _ORIGIN.get(str(proof.get("given")), "")
    apart = proof.get("worst_deviation")
    even = "" if apart is None else f" A class's share differs by {100 * apart:.1f} points at most."
    return [*said, f"{origin}{listed(parts)}.{even}"]


def proof_table(proof: Mapping[str, Any]) -> str:
    """Return the checks of the proof, and each class's share of every side, as tables."""
    shares = proof.get("class_shares") or {}
    checks = {name: found for name, found in proof.items() if name not in _APART}
    rows = [
        [name, *(percent(held.get(name), 1) for held in shares.values())]
        for name in dict.fromkeys(name for held in shares.values() for name in held)
    ]
    columns = ["class", *(f"share of {side_words(side)}" for side in shares)]
    return table(("checked", "found"), value_rows(checks)) + (table(columns, rows) if rows else "")


_APART = ("sentence", "class_shares")  # said above the table, and in a table of their own
