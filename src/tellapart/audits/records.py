"""What an audit finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tellapart.errors import first_few

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
MOST_SHOWN = 20  # findings in a notebook


@dataclass(frozen=True)
class PictureRef:
    """A picture as a finding names it."""

    path: str
    id: str
    split: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in audit.json."""
        return {"path": self.path, "id": self.id, "split": self.split}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> PictureRef:
        """Return what `to_json` was made from."""
        return PictureRef(stored["path"], stored["id"], stored["split"])


@dataclass(frozen=True)
class Finding:
    """One thing the audit says: about one picture, a group of pictures, or the whole set.

    score is 0..1, 1 is worst; labels are the labels concerned; also names other kinds that the
    same pictures fall under (a group appears once, under its costliest kind).
    """

    kind: str
    severity: Severity
    score: float
    pictures: tuple[PictureRef, ...]
    labels: tuple[str, ...]
    message: str
    advice: str
    also: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in audit.json."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "score": round(self.score, 6),
            "pictures": [one.to_json() for one in self.pictures],
            "labels": list(self.labels),
            "also": list(self.also),
            "message": self.message,
            "advice": self.advice,
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Finding:
        """Return what `to_json` was made from, its score to six places."""
        return Finding(
            kind=stored["kind"],
            severity=stored["severity"],
            score=stored["score"],
            pictures=tuple(PictureRef.from_json(one) for one in stored["pictures"]),
            labels=tuple(stored["labels"]),
            message=stored["message"],
            advice=stored["advice"],
            also=tuple(stored["also"]),
        )


@dataclass(frozen=True)
class Audit:
    """All findings on a set, costliest first."""

    pictures: int
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in audit.json."""
        return {"pictures": self.pictures, "findings": [one.to_json() for one in self.findings]}

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Audit:
        """Return what `to_json` was made from."""
        found = tuple(Finding.from_json(one) for one in stored["findings"])
        return Audit(pictures=stored["pictures"], findings=found)

    def _repr_html_(self) -> str:
        from tellapart.html import table

        rows: list[tuple[str, ...]] = [
            (one.severity, one.kind, first_few((ref.path for ref in one.pictures), 2), one.message)
            for one in self.findings[:MOST_SHOWN]
        ]
        rest = len(self.findings) - len(rows)
        if rest:
            rows.append(("", f"and {rest:,} more", "", "tellapart.audit(..., out=...) writes all"))
        return table(("severity", "kind", "pictures", f"{self.pictures:,} pictures"), rows)
