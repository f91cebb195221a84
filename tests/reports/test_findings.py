"""Titles and reasons of kinds of findings."""

from __future__ import annotations

from typing import Any

from tellapart.audits.records import Audit, Finding
from tellapart.reports.cards import Shelf
from tellapart.reports.choose import grouped_findings
from tellapart.reports.findings import kind_views


def test_a_note_has_a_title_and_a_reason_of_its_own() -> None:
    def told(severity: Any) -> Finding:
        return Finding("shortcut", severity, 0.5, (), ("a",), "Said.", "Do it.")

    audit = Audit(9, (told("warning"), told("note")))
    warning, note = kind_views(grouped_findings(audit), Shelf({}), set(), {})
    assert warning.title == "The files give the label away"
    assert "files" in warning.why
    assert note.title == "Told without looking at shapes"
    assert "files" not in note.why
    assert warning.name != note.name  # both stand on one page
