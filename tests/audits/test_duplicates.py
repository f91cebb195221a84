"""Copies and groups."""

from __future__ import annotations

from tellapart.audits import duplicates as checks


def test_equal_files_in_a_class_are_an_exact_duplicate(make_input, make_facts, kinds_of):
    facts = [make_facts(row) for row in range(10)]
    facts[4] = facts[8] = facts[1]
    findings = checks.exact_copies(make_input(["cat"] * 10, facts=facts))
    assert kinds_of(findings) == ["duplicate_exact"]
    assert [one.path for one in findings[0].pictures] == [f"cat/000{i}.jpg" for i in (1, 4, 8)]
    assert "3 times" in findings[0].message


def test_no_copies_no_findings(make_input):
    assert checks.exact_copies(make_input(["cat"] * 10)) == []


def test_unreadable_files_are_no_duplicates(make_input, make_facts):
    broken = make_facts(1, problem="truncated")
    assert checks.exact_copies(make_input(["cat"] * 2, facts=[broken, broken])) == []


def test_equal_files_on_two_sides_leak(make_input, make_facts, kinds_of):
    facts = [make_facts(row) for row in range(10)]
    facts[9] = facts[0]
    sides = ["train"] * 5 + ["test"] * 5
    findings = checks.exact_copies(make_input(["cat"] * 10, facts=facts, sides=sides))
    assert kinds_of(findings) == ["leak_duplicate", "duplicate_exact"]
    assert findings[0].severity == "error"
    assert "In train and test stands the same file" in findings[0].message
    assert "Remove 1 picture from test" in findings[0].advice


def test_equal_files_under_two_labels_conflict(make_input, make_facts, kinds_of):
    facts = [make_facts(row) for row in range(4)]
    facts[3] = facts[0]
    findings = checks.exact_copies(make_input(["rose", "rose", "tulip", "tulip"], facts=facts))
    assert kinds_of(findings) == ["label_conflict", "duplicate_exact"]
    assert "'rose' and 'tulip'" in findings[0].message
    assert findings[0].labels == ("rose", "tulip")


def test_a_group_on_two_sides_leaks(make_input):
    groups = ["a", "a", "b", "b", None, None]
    sides = ["train", "test", "train", "train", "train", "test"]
    (finding,) = checks.leaking_groups(make_input(["cat"] * 6, groups=groups, sides=sides))
    assert finding.kind == "leak_group" and "'a'" in finding.message
    assert "1 in train, 1 in test" in finding.message
    sides[1] = "train"
    assert checks.leaking_groups(make_input(["cat"] * 6, groups=groups, sides=sides)) == []
