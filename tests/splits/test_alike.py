"""Likeness joins components; a chain that would tie a set together is cut at its weakest links."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.splits import components, join_alike
from tellapart.splits.alike import cut_pairs


def ids_of(n: int) -> list[str]:
    return [f"{row:05d}" for row in range(n)]


def chain(first: int, last: int) -> list[tuple[int, int]]:
    return [(row, row + 1) for row in range(first, last)]


def test_small_groups_are_joined_whole() -> None:
    ids = ids_of(40)
    pairs = np.array(chain(0, 9))
    joined = join_alike(
        components(40, ids), np.zeros(40, np.intp), ids, pairs, np.full(len(pairs), 0.8)
    )
    assert len(set(joined[:10])) == 1
    assert len(np.unique(joined)) == 31
    assert len(cut_pairs(joined, pairs)) == 0


def test_a_false_link_between_two_bursts_is_cut() -> None:
    ids = ids_of(400)
    pairs = np.array([*chain(0, 14), *chain(15, 29), (3, 20)])
    scores = np.array([0.9] * 28 + [0.76])
    joined = join_alike(components(400, ids), np.zeros(400, np.intp), ids, pairs, scores)
    assert len(set(joined[:15])) == len(set(joined[15:30])) == 1
    assert joined[0] != joined[29]
    assert cut_pairs(joined, pairs).tolist() == [[3, 20]]


def test_a_giant_of_one_class_is_cut_though_the_set_is_large() -> None:
    labels = np.array([0] * 100 + [1] * 900)
    ids = ids_of(1000)
    pairs = np.array(chain(0, 29))  # 30 of 1,000 pictures, but 30 of the class's 100
    joined = join_alike(components(1000, ids), labels, ids, pairs, np.full(29, 0.8))
    assert np.bincount(joined[:30]).max() == 11  # 10 beside the first
    of_the_large = join_alike(components(1000, ids), 1 - labels, ids, pairs + 200, np.full(29, 0.8))
    assert len(set(of_the_large[200:230])) == 1


def test_groups_of_the_user_are_never_cut_and_may_take_single_copies() -> None:
    ids = ids_of(300)
    groups = ["north"] * 100 + ["south"] * 100 + [None] * 100
    pairs = np.array([(0, 150), (5, 250)])  # a false link between towns; a copy of a northern one
    joined = join_alike(
        components(300, ids, groups), np.zeros(300, np.intp), ids, pairs, np.array([0.8, 0.8])
    )
    assert len(set(joined[:100])) == len(set(joined[100:200])) == 1
    assert joined[0] != joined[150]
    assert joined[250] == joined[5]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_order_of_rows_and_pairs_changes_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = ids_of(200)
    pairs = random.integers(0, 200, (150, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    scores = random.choice([0.7, 0.8, 0.9], len(pairs))
    labels = random.integers(0, 3, 200)
    plain = join_alike(components(200, ids), labels, ids, pairs, scores)
    assert len(cut_pairs(plain, pairs))

    order, order_of_pairs = random.permutation(200), random.permutation(len(pairs))
    place = np.argsort(order)
    shuffled_ids = [ids[row] for row in order]
    shuffled = join_alike(
        components(200, shuffled_ids),
        labels[order],
        shuffled_ids,
        place[pairs[order_of_pairs]][:, ::-1],
        scores[order_of_pairs],
    )
    np.testing.assert_array_equal(plain[order], shuffled)


def test_no_pairs() -> None:
    ids = ids_of(3)
    none = np.empty((0, 2), np.intp)
    joined = join_alike(components(3, ids), np.zeros(3, np.intp), ids, none, np.empty(0))
    assert joined.tolist() == [0, 1, 2]
