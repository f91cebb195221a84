"""Copies and groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tellapart.audits import duplicates as checks
from tellapart.audits import run_audit


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


@dataclass(frozen=True)
class Near:
    """Near pairs as the search for them gives them."""

    pairs: np.ndarray
    scores: np.ndarray
    kinds: np.ndarray
    turns: np.ndarray


def _near(*found: tuple[int, int, float, str, int]) -> Near:
    one, other, scores, kinds, turns = zip(*found, strict=True)
    return Near(np.array([one, other]).T, np.array(scores), np.array(kinds), np.array(turns))


def test_altered_copies_are_named_in_cliques(make_input, paths_of):
    near = _near((0, 1, 0.95, "copy", 0), (1, 2, 0.9, "copy", 0), (0, 2, 0.8, "copy", 0),
                 (2, 5, 0.85, "copy", 0))  # fmt: skip
    findings = checks.near_copies(make_input(["cat"] * 8, near=near))
    named = [tuple(int(one.path[4:8]) for one in finding.pictures) for finding in findings]
    assert sorted(named) == [(0, 1, 2), (2, 5)]
    assert {one.kind for one in findings} == {"duplicate_near"}
    assert "altered (likeness 0.80)" in findings[named.index((0, 1, 2))].message


def test_without_near_pairs_there_are_no_near_copies(make_input):
    assert checks.near_copies(make_input(["cat"] * 8)) == []


def test_exact_copies_are_left_to_their_own_check_and_join_their_altered_ones(
    make_input, make_facts
):
    facts = [make_facts(row) for row in range(4)]
    facts[3] = facts[0]
    near = _near((0, 3, 1.0, "copy", 0), (0, 1, 0.9, "copy", 0))
    (finding,) = checks.near_copies(make_input(["cat"] * 4, facts=facts, near=near))
    assert [one.path[4:8] for one in finding.pictures] == ["0000", "0001", "0003"]


def test_pairs_count_usable_pictures_not_rows(make_input, make_facts):
    facts = [make_facts(0, problem="gone"), *(make_facts(row) for row in (1, 2, 3))]
    (finding,) = checks.near_copies(
        make_input(["cat"] * 4, facts=facts, near=_near((0, 2, 0.9, "copy", 0)))
    )
    assert [one.path[4:8] for one in finding.pictures] == ["0001", "0003"]


def test_an_altered_copy_on_another_side_leaks(make_input, kinds_of):
    sides = ["train"] * 4 + ["test"] * 4
    data = make_input(["cat"] * 8, sides=sides, near=_near((1, 6, 0.9, "copy", 0)))
    findings = checks.near_copies(data)
    assert kinds_of(findings) == ["leak_duplicate", "duplicate_near"]
    (finding,) = run_audit(data, only=("leak_duplicate", "duplicate_near")).findings
    assert finding.kind == "leak_duplicate" and finding.also == ("duplicate_near",)
    stands = "In train and test stands the same picture, altered (likeness 0.90): what was seen in"
    assert finding.message.startswith(stands)


def test_an_upright_copy_under_another_label_is_a_conflict(make_input):
    data = make_input(["left"] * 2 + ["right"] * 2, near=_near((1, 2, 0.9, "copy", 0)))
    conflict = checks.near_copies(data)[0]
    assert (conflict.kind, conflict.severity) == ("label_conflict", "error")


def test_a_mirrored_copy_under_another_label_is_a_question(make_input):
    data = make_input(["left"] * 2 + ["right"] * 2, near=_near((1, 2, 0.9, "copy", 4)))
    question = checks.near_copies(data)[0]
    assert (question.kind, question.severity) == ("label_conflict", "warning")
    assert "do left and right mean two classes" in question.message
    assert "--no-mirror" in question.advice


def test_a_mirrored_copy_beside_an_upright_conflict_changes_nothing(make_input):
    near = _near((0, 1, 0.9, "copy", 4), (0, 2, 0.9, "copy", 4), (1, 2, 0.9, "copy", 0))
    data = make_input(["left", "left", "right"], near=near)
    assert checks.near_copies(data)[0].severity == "error"


def test_pictures_that_are_only_alike_are_a_note(make_input):
    sides = ["train"] * 2 + ["test"] * 2
    data = make_input(["cat"] * 4, sides=sides, near=_near((1, 2, 0.65, "alike", 0)))
    (finding,) = checks.near_copies(data)
    assert (finding.kind, finding.severity) == ("duplicate_near", "note")
    assert "not surely the same" in finding.message


def test_a_folder_whose_every_picture_is_a_duplicate(make_input, make_facts, kinds_of):
    facts = [make_facts(row % 2) for row in range(40)]
    labels = ["cat", "dog"] * 20
    found = run_audit(make_input(labels, facts=facts)).findings
    assert kinds_of(found) == ["small_class", "small_class", "duplicate_exact", "duplicate_exact"]
    assert "1 of them independent: it cannot be split" in found[0].message
