"""A split by order: earlier trains, later judges, nothing that hangs together is parted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellapart.errors import DataError, OptionError
from tellapart.settings import SplitSettings
from tellapart.splits import components, make_split, read_order
from tellapart.splits.timely import Order, deal_in_order

SHARES = {"train": 0.8, "test": 0.2}


def order_of(values: list[float]) -> Order:
    return Order("year", np.array(values, float), tuple(f"{one:g}" for one in values))


def test_the_latest_share_judges() -> None:
    sides, words = deal_in_order(order_of([9, 1, 2, 3, 4, 5, 6, 7, 8, 0]), np.arange(10), SHARES)
    assert sides.tolist() == ["test", *["train"] * 7, "test", "train"]
    assert words == "by the order of 'year': train 0 to 7 (80 %), test 8 to 9 (20 %)"


def test_val_stands_between() -> None:
    shares = {"train": 0.6, "val": 0.2, "test": 0.2}
    sides, _ = deal_in_order(order_of(list(range(10))), np.arange(10), shares)
    assert sides.tolist() == ["train"] * 6 + ["val"] * 2 + ["test"] * 2


def test_equal_values_stay_together_and_the_share_is_met_as_nearly_as_they_allow() -> None:
    years = [2016] * 40 + [2018] * 35 + [2020] * 25
    sides, words = deal_in_order(order_of(years), np.arange(100), SHARES)
    assert (sides == "test").tolist() == [year == 2020 for year in years]
    assert words == "by the order of 'year': train 2016 to 2018 (75 %), test 2020 (25 %)"


def test_a_component_stands_where_its_latest_picture_belongs() -> None:
    groups = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0]  # the earliest picture hangs together with the latest
    sides, _ = deal_in_order(order_of(list(range(10))), np.array(groups), SHARES)
    assert sides[0] == sides[9] == "test"
    assert set(sides[1:9]) == {"train"}


@given(
    values=st.lists(st.integers(0, 12), min_size=3, max_size=60).filter(lambda x: len(set(x)) > 2),
    tied=st.integers(1, 5),
    test=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
)
def test_nothing_is_learned_that_came_after_what_judges(
    values: list[int], tied: int, test: float, seed: int
) -> None:
    groups = np.random.default_rng(seed).integers(0, len(values) * tied, len(values))
    order = order_of([float(one) for one in values])
    try:
        sides, _ = deal_in_order(order, groups, {"train": 1 - test, "test": test})
    except DataError as error:
        assert "too few to tell train from test" in str(error)
        return
    assert set(sides) == {"train", "test"}
    learned = order.values[sides == "train"].max()
    for group in np.unique(groups):
        mine = groups == group
        assert len(set(sides[mine])) == 1
        if sides[mine][0] == "test":
            assert order.values[mine].max() > learned


def test_one_value_is_no_order() -> None:
    line = (
        "--order-column year: with copies and groups kept together, pictures end at 1 different"
        " value only, too few to tell train from test"
    )
    with pytest.raises(DataError) as refused:
        deal_in_order(order_of([3, 3, 3]), np.arange(3), SHARES)
    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["2", "10", "-1.5"], [2, 10, -1.5]),
        (["1970-01-02", "1970-01-01"], [86_400, 0]),
        (["1970-01-01T00:01:00+00:01", "1970-01-01 00:00:30"], [0, 30]),
        (["1970:01:02 00:00:01", "1970-01-01"], [86_401, 0]),
    ],
)
def test_numbers_and_dates_are_read(texts: list[str], values: list[float]) -> None:
    found = read_order("when", {"when": texts}, [f"{row}.jpg" for row in range(len(texts))])
    assert found.values.tolist() == values
    assert found.texts == tuple(texts)


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (["1", None], "--order-column when: 1.jpg has no value, and every picture needs a number"),
        (["1", "inf"], "--order-column when: 1.jpg has 'inf', and every picture needs a number"),
        (["1", "2024-05-31"], "--order-column when: 1.jpg has '2024-05-31', and every"),
        (["2024-05-31", "31.5.2024"], "--order-column when: 1.jpg has '31.5.2024', and every"),
    ],
)
def test_a_cell_that_is_neither_names_its_picture(texts: list[str | None], line: str) -> None:
    with pytest.raises(DataError) as refused:
        read_order("when", {"when": texts}, ["0.jpg", "1.jpg"])
    assert str(refused.value).startswith(line)


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(OptionError) as refused:
        read_order("yaer", {"year": ["1"], "place": ["x"]}, ["0.jpg"])
    assert str(refused.value) == (
        "--order-column 'yaer' is none of the columns that stand beside path, label, group and"
        " split; did you mean 'year'? (columns: year, place)"
    )
    with pytest.raises(OptionError, match=r"\(there are none: give a table\)"):
        read_order("year", {}, ["0.jpg"])


def test_make_split_keeps_the_order_and_says_it() -> None:
    ids = [f"{row:03}" for row in range(20)]
    labels = np.array([0, 1] * 8 + [0, 0, 0, 2])
    split = make_split(
        labels, ("a", "b", "c"), ids, components(20, ids), [None] * 20, None, SplitSettings(),
        order=order_of([float(row) for row in range(20)]),
    )  # fmt: skip
    assert split.sides.tolist() == ["train"] * 16 + ["test"] * 4
    assert split.proof["holds"]
    assert split.proof["origin"].startswith("by the order of 'year': train 0 to 15 (80 %)")
    assert split.proof["missing_classes"] == {"train": ["c"], "test": ["b"]}
    assert split.left_out[0].startswith("Class 'c' has no training pictures")
