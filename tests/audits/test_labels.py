"""Classes and their names."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.audits import labels as checks
from tellapart.data.pictures import Note


def test_missing_class_is_an_error_in_train_and_a_warning_elsewhere(make_input):
    names = ["cat"] * 20 + ["dog"] * 20 + ["owl"] * 5
    sides = (["train"] * 15 + ["test"] * 5) * 2 + ["test"] * 5
    (finding,) = checks.missing_classes(make_input(names, sides=sides))
    assert (finding.kind, finding.severity, finding.labels) == ("missing_class", "error", ("owl",))
    assert "cannot be learned" in finding.message
    sides[-5:] = ["train"] * 5
    (finding,) = checks.missing_classes(make_input(names, sides=sides))
    assert finding.severity == "warning" and "is in test" in finding.message


def test_missing_class_needs_a_given_split(make_input):
    assert checks.missing_classes(make_input(["cat"] * 5 + ["dog"] * 5)) == []


def test_empty_class_from_the_names_and_from_reading(make_input):
    note = Note("empty_class", "the folder train/owl holds no pictures", ("train/owl",), 1)
    data = make_input(["cat"] * 20, classes=("cat", "dog"), notes=(note,))
    assert [one.labels for one in checks.empty_classes(data)] == [("dog",), ("owl",)]
    assert checks.empty_classes(make_input(["cat"] * 20)) == []


def test_empty_class_is_said_once(make_input):
    note = Note("empty_class", "the folder dog holds no pictures", ("dog",), 1)
    data = make_input(["cat"] * 20, classes=("cat", "dog"), notes=(note,))
    assert len(checks.empty_classes(data)) == 1


@pytest.mark.parametrize("kind", ["stray_folder", "hidden_folder"])
def test_stray_folder(make_input, kind):
    note = Note(kind, "left out the folder .ipynb_checkpoints", (".ipynb_checkpoints",), 1)
    (finding,) = checks.stray_folders(make_input(["cat"] * 20, notes=(note,)))
    assert finding.kind == "stray_folder" and ".ipynb_checkpoints" in finding.message
    assert checks.stray_folders(make_input(["cat"] * 20)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cat", "cat"),
        ("hot dog", "hot_dog"),
        ("cat", "cats"),
        ("ＣＡＴ", "cat"),
        ("sunflower", "sunflwer"),
        ("sunflower", "snuflower"),
        ("dandelion", "dandeliom"),
    ],
)
def test_names_that_are_one(make_input, one, other):
    for names in ((one, other), (other, one)):
        assert len(checks.spellings(make_input([*names], classes=names))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("cat", "car"), ("class1", "class2"), ("class10", "class1"), ("rose", "tulip"), ("a", "as")],
)
def test_names_that_are_two(make_input, one, other):
    assert checks.spellings(make_input([one, other])) == []


def test_label_spelling_names_both_and_the_rarer_first(make_input):
    (finding,) = checks.spellings(make_input(["cat"] * 30 + ["Cat"] * 2 + ["dog"] * 30))
    assert set(finding.labels) == {"Cat", "cat"}
    assert "'Cat' (2 pictures) and 'cat' (30)" in finding.message
    assert "rename 'Cat' to 'cat'" in finding.advice


def test_label_spelling_says_what_reading_merged(make_input):
    note = Note("merged_labels", "'cat ' and 'cat' are one after trimming", (), 3)
    (finding,) = checks.spellings(make_input(["cat"] * 20, notes=(note,)))
    assert finding.severity == "note" and "'cat '" in finding.message


def test_small_class_counts_independent_pictures(make_input):
    names = ["cat"] * 20 + ["dog"] * 12
    components = [*range(20), *[20, 21, 22, 23] * 3]
    (finding,) = checks.small_classes(make_input(names, components=np.array(components)))
    assert finding.labels == ("dog",) and finding.severity == "warning"
    assert "12 pictures, 4 of them independent" in finding.message


def test_small_class_that_cannot_be_split_is_an_error(make_input):
    (finding,) = checks.small_classes(make_input(["cat"] * 20 + ["dog"]))
    assert finding.severity == "error" and "cannot be split" in finding.message


def test_small_class_looks_at_the_judging_side_of_a_given_split(make_input):
    sides = ["train"] * 15 + ["test"] * 5 + ["train"] * 15 + ["test"] * 2
    (finding,) = checks.small_classes(make_input(["cat"] * 20 + ["dog"] * 17, sides=sides))
    assert finding.labels == ("dog",) and "Only 2 pictures of 'dog' in test" in finding.message
    assert "50 points" in finding.message


def test_enough_pictures_are_no_finding(make_input):
    assert checks.small_classes(make_input(["cat"] * 20 + ["dog"] * 10)) == []


def test_group_only_class(make_input):
    groups = ["north"] * 5 + ["south"] * 5 + ["south"] * 8
    (finding,) = checks.group_only_classes(make_input(["cat"] * 10 + ["dog"] * 8, groups=groups))
    assert finding.labels == ("dog",) and "'south'" in finding.message
    groups[-1] = "north"
    assert checks.group_only_classes(make_input(["cat"] * 10 + ["dog"] * 8, groups=groups)) == []


def test_imbalance_and_its_severity(make_input):
    (finding,) = checks.imbalance(make_input(["cat"] * 300 + ["dog"] * 36))
    assert finding.severity == "note" and "8.3 times fewer" in finding.message
    assert "89 times of 100" in finding.message
    (finding,) = checks.imbalance(make_input(["cat"] * 300 + ["dog"] * 15))
    assert finding.severity == "warning"
    assert checks.imbalance(make_input(["cat"] * 250 + ["dog"] * 120)) == []
