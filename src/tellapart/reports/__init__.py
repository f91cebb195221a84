"""The pages that tellapart writes. Charts are drawn with altair, imported when a page is made."""

from __future__ import annotations

from pathlib import Path

from tellapart.reports.records import (
    AuditData,
    BackboneMap,
    Drawings,
    Finetuning,
    Pictures,
    Predictions,
    ProbeData,
    ReportData,
    WithLeaked,
)


def write_report(path: Path, data: ReportData, cache_folder: Path | None) -> None:
    """Write the page of a run to `path`, whole or not at all.

    The charts' scripts are kept in `cache_folder` where one is given (it may be removed at any
    time). Raises OutputError where the page cannot be written.
    """
    from tellapart.places import write_bytes
    from tellapart.reports.page import report_html

    write_bytes(path, report_html(data, cache_folder).encode("utf-8", "replace"))


def write_audit_page(path: Path, data: AuditData) -> None:
    """Write the page of an audit to `path`; raises OutputError where it cannot be written."""
    from tellapart.places import write_bytes
    from tellapart.reports.audit_page import audit_html

    write_bytes(path, audit_html(data).encode("utf-8", "replace"))


def write_probe_page(path: Path, data: ProbeData, cache_folder: Path | None) -> None:
    """Write the page of a comparison of backbones to `path`; raises OutputError."""
    from tellapart.places import write_bytes
    from tellapart.reports.probe_page import probe_html

    write_bytes(path, probe_html(data, cache_folder).encode("utf-8", "replace"))


__all__ = [
    "AuditData",
    "BackboneMap",
    "Drawings",
    "Finetuning",
    "Pictures",
    "Predictions",
    "ProbeData",
    "ReportData",
    "WithLeaked",
    "write_audit_page",
    "write_probe_page",
    "write_report",
]
