"""The page of an audit: every finding with its pictures side by side."""

from __future__ import annotations

from collections.abc import Mapping

from tellapart.audits.records import Audit
from tellapart.reports import choose, findings
from tellapart.reports.cards import Shelf
from tellapart.reports.page import render
from tellapart.reports.records import Thumbnails

FINDINGS_PER_KIND = 60
PICTURES = 900  # on the whole page: below 5 MB


def audit_html(
    title: str, date: str, audit: Audit, class_counts: Mapping[str, int], thumbnails: Thumbnails
) -> str:
    """Return the page of an audit; equal data give equal text."""
    groups = choose.grouped_findings(audit, FINDINGS_PER_KIND)
    ids = choose.finding_ids(groups, PICTURES)
    return render(
        "audit.html",
        title,
        None,
        date=date,
        pictures=audit.pictures,
        class_counts=class_counts,
        finding_counts=findings.finding_counts(audit),
        kinds=findings.kind_views(groups, Shelf(thumbnails(ids)), set(ids)),
    )
