"""The audit in a terminal."""

from __future__ import annotations

from tellapart.audits import run_audit
from tellapart.audits.records import Audit
from tellapart.audits.table import summary, table_rows


def test_one_row_a_kind_costliest_first(make_input, make_facts):
    facts = [make_facts(row) for row in range(40)]
    facts[1], facts[3], facts[7] = facts[0], facts[2], make_facts(7, problem="gone")
    audit = run_audit(make_input(["cat"] * 20 + ["dog"] * 20, facts=facts))
    rows = table_rows(audit)
    assert [(row.kind, row.severity, row.findings, row.pictures) for row in rows] == [
        ("unreadable", "error", 1, 1),
        ("duplicate_exact", "warning", 2, 4),
    ]
    assert rows[0].example == "cat/0007.jpg"
    assert summary(audit) == "40 pictures: 1 error, 2 warnings"


def test_a_row_without_pictures_shows_its_classes(make_input):
    (row,) = table_rows(run_audit(make_input(["cat"] * 20, classes=("cat", "dog"))))
    assert (row.kind, row.pictures, row.example) == ("empty_class", 0, "dog")


def test_nothing_found():
    assert summary(Audit(1000, ())) == "1,000 pictures: nothing found"
