"""The page of an audit: every finding with its pictures side by side."""

from __future__ import annotations

from tellapart.reports import choose, findings
from tellapart.reports.cards import Shelf
from tellapart.reports.page import render
from tellapart.reports.records import AuditData

FINDINGS_PER_KIND = 60
PICTURES = 900  # on the whole page: below 5 MB


def audit_html(data: AuditData) -> str:
    """Return the page of an audit; equal data give equal text."""
    groups = choose.grouped_findings(data.audit, FINDINGS_PER_KIND)
    ids = choose.finding_ids(groups, PICTURES)
    shelf = Shelf(data.thumbnails(ids))
    return render(
        "audit.html",
        data.title,
        None,
        data=data,
        largest=max(data.class_counts.values(), default=0),
        finding_counts=findings.finding_counts(data.audit),
        kinds=findings.kind_views(groups, shelf, set(ids), data.labels),
    )
