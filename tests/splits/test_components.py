"""Components: equal keys hang together, and their numbers do not depend on the order of rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tellapart.splits import components
from tellapart.splits.components import join


def test_equal_keys_join_through_others() -> None:
    ids = ["a", "b", "b", "c", "d"]
    groups = [None, "g", None, "g", None]
    assert components(5, ids, groups).tolist() == [0, 1, 1, 1, 2]


def test_none_hangs_together_with_nothing() -> None:
    assert components(3, [None, None, None]).tolist() == [0, 1, 2]


def test_no_keys_and_no_pictures() -> None:
    assert components(2).tolist() == [0, 1]
    assert components(0, []).tolist() == []


def test_links_join() -> None:
    found = join(4, np.array([[0, 2], [2, 3]]))
    assert found[0] == found[2] == found[3] != found[1]


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 4))),
        min_size=1,
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_rows_changes_nothing(rows: list[tuple[int, int | None]], random: object) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]

    def numbered(keys: list[tuple[int, int | None]]) -> list[int]:
        groups = [None if key[1] is None else f"g{key[1]}" for key in keys]
        return components(len(keys), [f"{key[0]}" for key in keys], groups).tolist()

    plain, shuffled = numbered(rows), numbered([rows[place] for place in order])
    assert [plain[place] for place in order] == shuffled
