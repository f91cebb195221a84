"""The audit as rows for a terminal: one a kind, costliest first."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from tellapart.audits.records import SEVERITIES, Audit, Finding, Severity


@dataclass(frozen=True)
class TableRow:
    """One kind of finding: how grave, how often, on how many pictures, the worst of it."""

    kind: str
    severity: Severity
    findings: int
    pictures: int
    example: str
    message: str
    advice: str


def table_rows(audit: Audit) -> list[TableRow]:
    """Return one row a kind and severity, costliest first.

    `example` is the first path of the worst finding, else its labels; message and advice are that
    finding's.
    """
    by_kind: dict[tuple[str, Severity], list[Finding]] = defaultdict(list)
    for one in audit.findings:
        by_kind[one.kind, one.severity].append(one)
    return [_row(findings) for findings in by_kind.values()]


def _row(findings: list[Finding]) -> TableRow:
    worst = findings[0]
    paths = {picture.path for one in findings for picture in one.pictures}
    return TableRow(
        kind=worst.kind,
        severity=worst.severity,
        findings=len(findings),
        pictures=len(paths),
        example=worst.pictures[0].path if worst.pictures else ", ".join(worst.labels[:3]),
        message=worst.message,
        advice=worst.advice,
    )


def summary(audit: Audit) -> str:
    """Return one line: "398 pictures: 1 error, 2 warnings, 4 notes", or that nothing was found."""
    if not audit.findings:
        return f"{audit.pictures:,} pictures: nothing found"
    counts = Counter(one.severity for one in audit.findings)
    parts = [
        f"{counts[one]:,} {one}{'' if counts[one] == 1 else 's'}"
        for one in SEVERITIES
        if counts[one]
    ]
    return f"{audit.pictures:,} pictures: {', '.join(parts)}"
