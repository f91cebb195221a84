from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.errors import DataError
from tellapart.splits import Folds, make_folds
from tellapart.splits.crossed import _prove

CLASSES = ("a", "b")
NOBODY: list[str | None] = [None] * 1_000


def folds_of(labels, components, ids=None, pairs=None, folds=5, seed=0):
    labels, components = np.array(labels), np.array(components)
    names = ids or [f"id{row:04}" for row in range(len(labels))]
    groups = NOBODY[: len(labels)]
    return make_folds(labels, CLASSES, names, components, groups, seed, pairs, folds)


@st.composite
def sets(draw):
    """Labels and components in which each class stands in two components at least."""
    size = draw(st.integers(4, 40))
    labels = [0, 0, 1, 1, *draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))]
    parts = [0, 1, 2, 3, *draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))]
    return labels, parts


@settings(max_examples=60, deadline=None)
@given(sets(), st.integers(2, 10), st.integers(0, 5))
def test_every_picture_judges_once_and_no_component_stands_on_both_sides(drawn, folds, seed):
    labels, parts = drawn
    split = folds_of(labels, parts, folds=folds, seed=seed)
    assert split.folds is not None
    assert split.headline == "cv"
    assert split.rows("cv").tolist() == split.rows("train").tolist() == list(range(len(labels)))
    assert sorted(set(split.folds.of.tolist())) == list(range(len(split.folds.train)))
    for fold, train in enumerate(split.folds.train):
        judged = np.flatnonzero(split.folds.of == fold)
        assert len(judged) + len(train) == len(labels)
        assert not set(np.array(parts)[judged]) & set(np.array(parts)[train])
    assert split.proof["holds"]
    assert sum(split.proof["judged"]) == len(labels)


@settings(max_examples=30, deadline=None)
@given(sets(), st.randoms(use_true_random=False))
def test_the_order_of_pictures_does_not_matter(drawn, random):
    labels, parts = drawn
    ids = [f"id{row:04}" for row in range(len(labels))]
    order = list(range(len(labels)))
    random.shuffle(order)
    first = folds_of(labels, parts, ids)
    second = folds_of(
        [labels[row] for row in order], [parts[row] for row in order], [ids[row] for row in order]
    )
    assert first.folds is not None
    assert second.folds is not None
    assert second.folds.of.tolist() == first.folds.of[order].tolist()


def test_a_class_that_a_training_part_lacks_is_named():
    # a large group of "a" takes one fold; both groups that have a "b" are dealt to the other
    split = folds_of([*[0] * 13, 1, 0, 0, 0, 0, 1], [0] * 8 + [1] * 6 + [2] * 5, folds=2)
    assert list(split.proof["missing_classes"].values()) == [["b"]]
    assert split.left_out == (
        "Class 'b' stands in too few groups: in 1 of 2 folds there was nothing of it to learn from,"
        " and its pictures there count as wrong.",
    )


def test_few_groups_make_few_folds():
    split = folds_of([0, 1] * 30, [row // 20 for row in range(60)], folds=10)
    assert split.folds is not None
    assert len(split.folds.train) == 3


def test_exact_copies_stand_in_one_fold_and_train_once():
    ids = ["x", "x", *(f"id{row}" for row in range(18))]
    split = folds_of([0, 0, *[0, 1] * 9], [0, 0, *range(1, 19)], ids)
    assert split.folds is not None
    assert split.folds.of[0] == split.folds.of[1]
    assert split.rows("cv").tolist() == [0, *range(2, 20)]
    for fold, train in enumerate(split.folds.train):
        assert (0 in train) == (fold != split.folds.of[0])
        assert 1 not in train


def test_what_is_alike_to_a_judged_picture_is_left_out_of_training():
    labels, parts = [0, 1] * 10, list(range(20))
    plain = folds_of(labels, parts)
    assert plain.folds is not None
    other = int(np.flatnonzero(plain.folds.of != plain.folds.of[0])[0])
    split = folds_of(labels, parts, pairs=np.array([[0, other]]))
    assert split.folds is not None
    for fold, train in enumerate(split.folds.train):
        assert (0 in train) == (fold not in split.folds.of[[0, other]])
        assert (other in train) == (fold not in split.folds.of[[0, other]])
    assert split.proof["left_out_of_training"] == 2
    assert split.proof["holds"]
    assert "2 pictures (counted once a fold) stood in no training part" in split.proof["sentence"]


@pytest.mark.parametrize("shared", ["same_file", "same_group", "same_component", "alike"])
def test_the_proof_sees_every_kind_of_leak(shared):
    labels, size = np.array([0, 1] * 10), 20
    ids = [f"id{row}" for row in range(size)]
    split = folds_of(labels, range(size), ids)
    assert split.folds is not None
    one, other = 0, int(np.flatnonzero(split.folds.of != split.folds.of[0])[0])
    groups, pairs = NOBODY[:size], np.empty((0, 2), np.intp)
    if shared == "same_file":
        ids[other] = ids[one]
    elif shared == "same_group":
        groups[one] = groups[other] = "site"
    elif shared == "same_component":
        joined = split.components.copy()
        joined[other] = joined[one]
        split = replace(split, components=joined)
    else:
        pairs = np.array([[one, other]])
    proof = _prove(split, labels, CLASSES, ids, groups, pairs, 0)
    assert not proof["holds"]
    assert proof["shared"][shared] == 2
    assert proof["sentence"].startswith("The folds leak")


def test_the_proof_sees_a_picture_that_judges_itself():
    split = folds_of([0, 1] * 10, range(20))
    assert split.folds is not None
    everything = tuple(np.arange(20) for _ in split.folds.train)
    broken = replace(split, folds=Folds(split.folds.of, everything))
    ids = [f"id{row:04}" for row in range(20)]
    pairs = np.empty((0, 2), np.intp)
    proof = _prove(broken, np.array([0, 1] * 10), CLASSES, ids, NOBODY[:20], pairs, 0)
    assert proof["shared"]["same_file"] == 20


def test_a_class_of_one_group_is_refused():
    with pytest.raises(DataError, match="class 'b' has 2 pictures in one independent group"):
        folds_of([0, 0, 0, 1, 1], [0, 1, 2, 3, 3])
