"""Folds: whole components, stratified, whatever the order of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.splits import components, stratified_group_folds


def folds_of(rows: list[tuple[str, int, str | None]], k: int = 5, seed: int = 0) -> np.ndarray:
    ids = [row[0] for row in rows]
    found = components(len(rows), ids, [row[2] for row in rows])
    return stratified_group_folds(np.array([row[1] for row in rows]), found, ids, k, seed)


def test_classes_are_spread_evenly() -> None:
    rows = [(f"{row:03d}", label, None) for row, label in enumerate([0] * 50 + [1] * 23)]
    folds = folds_of(rows)
    for label, least, most in ((0, 10, 10), (1, 4, 5)):
        counts = np.bincount(folds[[row[1] == label for row in rows]], minlength=5)
        assert (counts.min(), counts.max()) == (least, most)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1


def test_a_class_of_two_stands_in_two_folds_and_one_of_one_in_one() -> None:
    rows = [(f"{row:03d}", label, None) for row, label in enumerate([0] * 20 + [1] * 2 + [2])]
    folds = folds_of(rows)
    assert set(folds[:20]) == set(range(5))
    assert folds[20] != folds[21]


@pytest.mark.parametrize(("components_of_the_largest", "expected"), [(9, 5), (3, 3), (1, 2)])
def test_no_more_folds_than_components(components_of_the_largest: int, expected: int) -> None:
    rows: list[tuple[str, int, str | None]] = []
    for label in (0, 1):
        rows += [(f"{label}{row}", label, None) for row in range(components_of_the_largest)]
    assert folds_of(rows).max() + 1 == expected


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40).map(str),
            st.integers(0, 2),
            st.one_of(st.none(), st.integers(0, 5).map(lambda one: f"g{one}")),
        ),
        min_size=4,
        max_size=50,
    ),
    st.randoms(use_true_random=False),
)
def test_components_stay_whole_whatever_the_order(
    rows: list[tuple[str, int, str | None]], random: object
) -> None:
    folds = folds_of(rows)
    found = components(len(rows), [row[0] for row in rows], [row[2] for row in rows])
    for component in np.unique(found):
        assert len(np.unique(folds[found == component])) == 1
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert folds[order].tolist() == folds_of([rows[place] for place in order]).tolist()
