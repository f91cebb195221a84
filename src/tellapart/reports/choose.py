"""Which pictures the page shows. All choices follow the ids, never the order of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.records import SEVERITIES, Audit, Finding, Severity
from tellapart.reports.records import Pictures, Predictions

SAMPLES = 240  # sample pictures on the whole page
SAMPLES_PER_CLASS = 8
GALLERY = 24  # pictures in the gallery of errors, and in that of the least sure
MAP = 1_000  # pictures on the map
FINDINGS_PER_KIND = 6
PICTURES_PER_FINDING = 6
FINDING_PICTURES = 150  # pictures under all findings together


def sample_rows(pictures: Pictures, classes: Sequence[str]) -> dict[str, list[int]]:
    """Return a few rows of every class, by id: as good as drawn by lot, and always the same."""
    most = max(1, min(SAMPLES_PER_CLASS, SAMPLES // max(1, len(classes))))
    samples: dict[str, list[int]] = {name: [] for name in classes[:SAMPLES]}
    seen: set[str] = set()
    for row in _by_id(pictures):
        chosen = samples.get(pictures.labels[row])
        if chosen is None or len(chosen) == most or pictures.ids[row] in seen:
            continue
        if pictures.sides[row]:
            seen.add(pictures.ids[row])
            chosen.append(row)
    return samples


def first_rows(ids: Sequence[str], labels: Sequence[str], most: int) -> list[int]:
    """Return at most `most` rows by id: the first of every class, then the second, ..."""
    seen: dict[str, int] = {}
    ranked = []
    for row in sorted(range(len(ids)), key=lambda row: ids[row]):
        ranked.append((seen.get(labels[row], 0), row))
        seen[labels[row]] = seen.get(labels[row], 0) + 1
    return [row for _, row in sorted(ranked, key=lambda one: one[0])][:most]


def map_rows(pictures: Pictures, headline_split: str) -> list[int]:
    """Return at most MAP rows that have a side, those of the headline split first, by id."""
    rows = [row for row in _by_id(pictures) if pictures.sides[row]]
    judging = [row for row in rows if pictures.sides[row] == headline_split]
    others = [row for row in rows if pictures.sides[row] != headline_split]
    return sorted((judging + others)[:MAP], key=lambda row: pictures.paths[row])


def _by_id(pictures: Pictures) -> list[int]:
    return sorted(
        range(len(pictures.paths)), key=lambda row: (pictures.ids[row], pictures.paths[row])
    )


def wrong_rows(predictions: Predictions) -> NDArray[np.intp]:
    """Return the rows that were answered wrongly, the most confident error first."""
    if not len(predictions.paths):
        return np.zeros(0, np.intp)
    answers = predictions.probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != predictions.truth)
    confidence = predictions.probabilities.max(axis=1)[wrong]
    return wrong[_order(-confidence, predictions, wrong)]


def unsure_rows(predictions: Predictions) -> NDArray[np.intp]:
    """Return all rows by the gap between the two likeliest classes, the narrowest first."""
    rows = np.arange(len(predictions.paths))
    if not len(rows) or predictions.probabilities.shape[1] < 2:
        return rows[:0]
    top_two = -np.partition(-predictions.probabilities, 1, axis=1)[:, :2]
    return rows[_order(top_two[:, 0] - top_two[:, 1], predictions, rows)]


def _order(
    values: NDArray[np.floating], predictions: Predictions, rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Order by value, ties by path, so that the order of files does not matter."""
    return np.lexsort((np.array(predictions.paths, dtype=object)[rows].astype(str), values))


@dataclass(frozen=True)
class FindingGroup:
    """The findings of one kind: `total` of them, the first few to show."""

    kind: str
    severity: Severity
    total: int
    shown: tuple[Finding, ...]


def grouped_findings(audit: Audit, most: int = FINDINGS_PER_KIND) -> tuple[FindingGroup, ...]:
    """Group findings by severity and kind, the gravest first; show at most `most` of each."""
    by_kind: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in audit.findings:
        by_kind.setdefault((finding.severity, finding.kind), []).append(finding)
    keys = sorted(by_kind, key=lambda key: SEVERITIES.index(key[0]))
    return tuple(
        FindingGroup(kind, severity, len(found), tuple(found[:most]))
        for severity, kind in keys
        for found in [by_kind[severity, kind]]
    )


def finding_ids(groups: Sequence[FindingGroup], most: int = FINDING_PICTURES) -> list[str]:
    """Return the ids of the pictures shown under findings, gravest first, each once, capped."""
    ids = (
        one.id
        for group in groups
        for finding in group.shown
        for one in finding.pictures[:PICTURES_PER_FINDING]
        if one.id
    )
    return list(dict.fromkeys(ids))[:most]
