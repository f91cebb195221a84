"""The page of an audit: every kind with its pictures side by side, and nothing that can run."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.data.pictures import Note
from tellapart.reports import AuditData, ReportData
from tellapart.reports.audit_page import FINDINGS_PER_KIND, audit_html

Make = Callable[..., ReportData]
HOSTILE = "</style><script>alert(1)</script>\" onerror='alert(2)"


@pytest.fixture
def data(make_data: Make) -> AuditData:
    made = make_data(pictures=40)
    return AuditData(
        title="photos",
        date="2026-11-21",
        audit=made.audit,
        class_counts={"ants": 30, "bees": 10},
        labels=dict(zip(made.pictures.paths, made.pictures.labels, strict=True)),
        thumbnails=made.thumbnails,
        notes=(Note("left_out", "left out 3 .txt files"),),
        commands=("tellapart audit photos --plan plan.csv",),
    )


def finding(data: AuditData, kind: str, rows: list[int], **rest: Any) -> Finding:
    refs = [one for found in data.audit.findings for one in found.pictures if one.id]
    values = {
        "severity": "warning", "score": 0.5, "labels": (), "message": f"{kind} {rows}",
        "advice": "Look.", **rest,
    }  # fmt: skip
    return Finding(kind=kind, pictures=tuple(refs[row] for row in rows), **values)


def with_findings(data: AuditData, *findings: Finding) -> AuditData:
    return replace(data, audit=Audit(data.audit.pictures, findings))


def words(page: str) -> str:
    body = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_page_says_what_a_reader_came_for(data: AuditData) -> None:
    page = audit_html(data)
    said = words(page)
    assert "40 pictures, 2 classes: the audit has 2 errors, 12 warnings and 1 note." in said
    assert "One picture, two labels 1 mend first" in said
    assert "The same picture has two labels, so one of them teaches or judges wrongly." in said
    assert "→" not in said  # the arrow is the style sheet's
    assert "Drop one of the two, or decide which label is right." in said
    assert "left out 3 .txt files" in said
    assert "tellapart audit photos --plan plan.csv" in said
    assert '<a href="#error-label-conflict">One picture, two labels</a>' in page
    assert 'id="error-label-conflict"' in page
    assert page == audit_html(data)


def test_copies_stand_side_by_side_with_their_labels_and_sides(data: AuditData) -> None:
    one = finding(data, "label_conflict", [0, 1], message="Two labels.")
    page = audit_html(with_findings(data, one))
    first, second = one.pictures
    box = page[page.index('class="side-by-side"') :]
    assert box.count('<img src="data:image/jpeg;base64,') == 2
    for picture in (first, second):
        assert f'<b dir="auto">{data.labels[picture.path]}</b>' in box
        assert f'alt="{picture.path}"' in box


def test_a_suspected_label_stands_with_the_proposed_one(data: AuditData) -> None:
    suspects = [
        finding(data, "mislabeled", [row], labels=("ants", "bees"), message="Labelled 'ants', but")
        for row in (0, 1)
    ]
    said = words(audit_html(with_findings(data, *suspects)))
    assert said.count("looks like bees") == 2


def test_what_all_findings_of_a_kind_say_is_said_once(data: AuditData) -> None:
    dark = [finding(data, "dark", [row], message="Nothing can be seen.") for row in (0, 1, 2)]
    assert words(audit_html(with_findings(data, *dark))).count("Nothing can be seen.") == 1
    blurred = [finding(data, "blurry", [row], message=f"Blurred {row} times.") for row in (0, 1)]
    said = words(audit_html(with_findings(data, *blurred)))
    assert "Blurred 0 times." in said
    assert "Blurred 1 times." in said


def test_alike_and_surely_a_copy_have_names_of_their_own(data: AuditData) -> None:
    copies = finding(data, "duplicate_near", [0, 1])
    alike = finding(data, "duplicate_near", [2, 3], severity="note")
    said = words(audit_html(with_findings(data, copies, alike)))
    assert "Altered copies 1" in said
    assert "Very alike 1" in said


def test_what_is_not_shown_is_counted(data: AuditData) -> None:
    many = [
        finding(data, "dark", [row % 8], message=f"dark {row}")
        for row in range(FINDINGS_PER_KIND + 5)
    ]
    said = words(audit_html(with_findings(data, *many)))
    assert "and 5 more findings of this kind in audit.json" in said


def test_a_file_without_a_picture_has_a_place_too(data: AuditData) -> None:
    broken = Finding(
        "unreadable", "error", 1.0, (PictureRef("ants/x.jpg", "", None),), (), "It is cut.", "Mend."
    )
    said = words(audit_html(with_findings(data, broken)))
    assert "no picture" in said
    assert "ants/x.jpg" in said


def test_nothing_found_is_said(data: AuditData) -> None:
    said = words(audit_html(with_findings(data)))
    assert "the audit has found nothing to report." in said
    assert "Findings" not in said


def test_hostile_names_stay_text_and_nothing_may_run(data: AuditData) -> None:
    found = replace(finding(data, "mislabeled", [0], labels=(HOSTILE, HOSTILE)), message=HOSTILE)
    hostile = with_findings(
        replace(data, title=HOSTILE, class_counts={HOSTILE: 40}, commands=(HOSTILE,)), found
    )
    labels = dict.fromkeys(hostile.labels, HOSTILE)
    page = audit_html(replace(hostile, labels=labels))
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "script-src ;" in page or "script-src 'none'" in page
    assert HOSTILE not in page
    assert "onerror='" not in page
