"""A split: given, known or dealt; what leaks is marked, and the proof checks the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.errors import DataError, OptionError
from tellapart.settings import SplitSettings
from tellapart.splits import Split, components, join_alike, make_split

CLASSES = ("ant", "bee", "cat")


@dataclass(frozen=True)
class Table:
    """Rows of (id, label, group) as `make_split` wants them."""

    rows: tuple[tuple[str, int, str | None], ...]

    def split(
        self,
        setting: SplitSettings | None = None,
        given: Sequence[str | None] | None = None,
        known: Sequence[str | None] | None = None,
    ) -> Split:
        ids = [row[0] for row in self.rows]
        groups = [row[2] for row in self.rows]
        return make_split(
            np.array([row[1] for row in self.rows]),
            CLASSES,
            ids,
            components(len(ids), ids, groups),
            groups,
            given,
            setting or SplitSettings(),
            known,
        )


def plain(counts: Sequence[int]) -> Table:
    """As many single pictures of each class."""
    labels = np.repeat(np.arange(len(counts)), counts).tolist()
    return Table(tuple((f"{row:04d}", label, None) for row, label in enumerate(labels)))


def sides_by_class(table: Table, split: Split, label: int) -> dict[str, int]:
    mine = [row for row, one in enumerate(table.rows) if one[1] == label]
    names, counts = np.unique(split.sides[mine], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def test_a_fifth_of_every_class_is_tested() -> None:
    table = plain((100, 50, 10))
    split = table.split()
    assert sides_by_class(table, split, 0) == {"train": 80, "test": 20}
    assert sides_by_class(table, split, 1) == {"train": 40, "test": 10}
    assert sides_by_class(table, split, 2) == {"train": 8, "test": 2}
    assert not split.given
    assert split.headline == "test"
    assert split.proof["holds"]
    assert split.proof["worst_deviation"] == 0.0
    assert split.proof["pictures"] == {"train": 128, "test": 32}
    assert split.proof["sentence"] == "No picture, copy or group stands on two sides."


def test_classes_of_seven_do_not_all_round_the_same_way() -> None:
    labels = [label for label in range(50) for _ in range(7)]
    ids = [f"{row:04d}" for row in range(350)]
    split = make_split(
        np.array(labels),
        tuple(f"c{code}" for code in range(50)),
        ids,
        components(350, ids),
        [None] * 350,
        None,
        SplitSettings(),
    )
    assert (split.sides == "test").sum() > 60  # not 50, one of each


def test_val_only_where_asked() -> None:
    table = plain((100, 100))
    split = table.split(SplitSettings(test=0.2, val=0.1))
    assert sides_by_class(table, split, 0) == {"train": 70, "val": 10, "test": 20}
    assert table.split(SplitSettings(test=0.0, val=0.2)).headline == "val"


def test_the_seed_changes_the_split() -> None:
    table = plain((50, 50))
    assert (table.split().sides != table.split(SplitSettings(seed=1)).sides).any()
    assert (table.split().sides == table.split().sides).all()


picture = st.tuples(
    st.integers(0, 40).map(str),
    st.integers(0, 2),
    st.one_of(st.none(), st.integers(0, 8).map(lambda one: f"g{one}")),
)


def splittable(rows: Sequence[tuple[str, int, str | None]]) -> bool:
    labels = np.array([row[1] for row in rows])
    found = components(len(rows), [row[0] for row in rows], [row[2] for row in rows])
    return all(len(np.unique(found[labels == code])) >= 2 for code in np.unique(labels))


tables = st.lists(picture, min_size=4, max_size=60).filter(splittable)


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False), st.sampled_from([(0.2, 0.0), (0.3, 0.2)]))
def test_nothing_leaks_whatever_the_order(
    rows: list[tuple[str, int, str | None]], random: object, shares: tuple[float, float]
) -> None:
    setting = SplitSettings(test=shares[0], val=shares[1])
    split = Table(tuple(rows)).split(setting)
    for one in (0, 2):  # ids, groups
        sides: dict[str, set[str]] = {}
        for row, side in zip(rows, split.sides.tolist(), strict=True):
            if row[one] is not None:
                sides.setdefault(str(row[one]), set()).add(side)
        assert all(len(found) == 1 for found in sides.values())
    assert split.proof["holds"]
    assert not split.leaked.any()

    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = Table(tuple(rows[place] for place in order)).split(setting)
    assert split.sides[order].tolist() == shuffled.sides.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=6), min_size=2, max_size=3))
def test_every_class_is_learned_and_judged(sizes: list[list[int]]) -> None:
    rows = [
        (f"{label}-{group}-{row}", label, f"{label}-{group}")
        for label, groups in enumerate(sizes)
        for group, size in enumerate(groups)
        for row in range(size)
    ]
    for val in (0.0, 0.2):
        table = Table(tuple(rows))
        split = table.split(SplitSettings(test=0.2, val=val))
        for label, groups in enumerate(sizes):
            found = sides_by_class(table, split, label)
            assert {"train", "test"} <= set(found)
            assert "val" in found or not val or len(groups) < 3
        assert not split.proof["missing_classes"]["train"] + split.proof["missing_classes"]["test"]


def test_large_groups_go_to_the_side_that_can_hold_them() -> None:
    sizes = (60, 5, 5, 5, 5, 5, 5, 5, 5)  # the largest must be learned from, whatever its place
    for seed in range(10):
        rows = [
            (f"{group}-{row}", label, f"g{group}")
            for group, size in enumerate(sizes)
            for row in range(size)
            for label in (0, 1)
        ]
        split = Table(tuple((f"{one[0]}-{one[1]}", *one[1:]) for one in rows)).split(
            SplitSettings(seed=seed)
        )
        assert (split.sides == "test").sum() == 40
        assert split.proof["worst_deviation"] == 0.0


def test_a_class_in_one_group_is_refused_by_name() -> None:
    rows = [("a", 0, None), ("b", 0, None), ("c", 1, "shot"), ("d", 1, "shot"), ("e", 2, None)]
    with pytest.raises(DataError, match="class 'bee' has 2 pictures in one independent group"):
        Table(tuple(rows)).split()
    with pytest.raises(DataError, match="leave the class out with --classes ant,cat"):
        Table(tuple(rows)).split()


def test_a_given_split_may_train_on_one() -> None:
    table = plain((3, 1))
    split = table.split(given=["train", "train", "test", "train"])
    assert split.given
    assert split.sides.tolist() == ["train", "train", "test", "train"]
    assert split.proof["seed"] is None
    assert split.proof["missing_classes"] == {"train": [], "test": ["bee"]}


def test_a_class_without_training_pictures_is_said() -> None:
    split = plain((3, 2)).split(given=["train", "train", "test", "test", "test"])
    assert split.left_out == (
        "Class 'bee' has no training pictures: it cannot be learned, and its 2 evaluation pictures"
        " do not count.",
    )


def test_a_given_split_with_val_alone_is_judged_there() -> None:
    assert plain((2, 2)).split(given=["train", "val", "train", "val"]).headline == "val"


def test_a_given_split_that_names_training_pictures_only_is_dealt() -> None:
    split = plain((10, 10)).split(given=["train"] * 20)
    assert not split.given
    assert (split.sides == "test").sum() == 4
    assert split.proof["origin"] == "dealt, because the data names training pictures only"


def test_a_given_split_without_training_pictures_is_refused() -> None:
    with pytest.raises(DataError, match=r"no training pictures \(only test\): add a train side"):
        plain((2, 2)).split(given=["test"] * 4)


def test_a_given_split_that_leaks_is_kept_and_marked() -> None:
    rows = (
        ("a", 0, None), ("a", 0, None), ("b", 1, "g"), ("c", 1, "g"), ("d", 0, None), ("e", 1, None)
    )  # fmt: skip
    split = Table(rows).split(given=["train", "test", "train", "val", "test", "train"])
    assert split.leaked.tolist() == [False, True, False, True, False, False]
    assert split.rows("test").tolist() == [4]
    assert split.rows("test", with_leaked=True).tolist() == [1, 4]
    assert split.proof["pairs"]["same_file"]["train-test"] == 1
    assert split.proof["pairs"]["same_group"]["train-val"] == 1
    assert split.proof["holds"]
    assert split.proof["leaked"] == 2
    assert split.proof["sentence"].startswith(
        "The given split leaks: 2 evaluation pictures with a copy or group on another side are"
    )


def test_val_leaks_into_test() -> None:
    rows = (("a", 0, None), ("b", 0, None), ("b", 0, None), ("c", 1, None))
    split = Table(rows).split(given=["train", "val", "test", "train"])
    assert split.leaked.tolist() == [False, False, True, False]


def test_copies_inside_a_side_count_once_for_each_label() -> None:
    rows = (("a", 0, None), ("a", 0, None), ("a", 1, None), ("b", 1, None), ("a", 0, None))
    split = Table(rows).split(given=["train", "train", "train", "test", "test"])
    assert split.counted.tolist() == [True, False, True, True, True]
    assert split.proof["copies_counted_once"] == 1


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        (SplitSettings(test=1.0), "--test is a share of the pictures, 0 to below 1; got 1"),
        (SplitSettings(val=-0.1), "--val is a share of the pictures, 0 to below 1; got -0.1"),
        (SplitSettings(test=float("nan")), "--test is a share of the pictures"),
        (SplitSettings(test=0.6, val=0.4), "--test 0.6 and --val 0.4 leave nothing to train on"),
        (SplitSettings(test=0.0), "--test 0 leaves no pictures that judge"),
    ],
)
def test_shares_that_are_none(setting: SplitSettings, line: str) -> None:
    with pytest.raises(OptionError, match=line):
        plain((5, 5)).split(setting)


def test_known_pictures_stay_and_new_ones_are_dealt() -> None:
    table = plain((10, 10))
    known: list[str | None] = [None] * 20
    known[0], known[1], known[10] = "test", "train", "test"
    split = table.split(known=known)
    assert split.sides[[0, 1, 10]].tolist() == ["test", "train", "test"]
    assert (split.sides == "test").sum() == 4
    assert split.proof["origin"].startswith("3 pictures held on the sides of the known split")


def test_a_known_val_side_is_held_though_nothing_new_goes_there() -> None:
    known: list[str | None] = ["val", *[None] * 19]
    split = plain((10, 10)).split(known=known)
    assert split.sides[0] == "val"
    assert (split.sides == "val").sum() == 1


def test_a_new_picture_joins_the_side_of_its_copy() -> None:
    rows = (("a", 0, None), ("b", 0, "g"), ("c", 1, "g"), ("d", 1, None), ("e", 1, "g"))
    split = Table(rows).split(known=["train", "test", None, "train", None])
    assert split.sides.tolist() == ["train", "test", "test", "train", "test"]


def test_a_new_picture_that_links_two_sides_is_left_out_and_listed() -> None:
    rows = (("a", 0, "g"), ("b", 0, "h"), ("a", 0, "h"), ("c", 1, None), ("d", 1, None))
    split = Table(rows).split(known=["train", "test", None, "train", "test"])
    assert split.sides.tolist() == ["train", "test", "", "train", "test"]
    assert split.left_out == (
        "1 new picture left out: a copy or group links two sides of the known split.",
    )


def alike_split(given: Sequence[str] | None = None) -> tuple[Split, np.ndarray]:
    """A chain of 121 alike pictures among 200, which must be cut."""
    ids = [f"{row:04d}" for row in range(200)]
    labels = np.arange(200) % 2
    pairs = np.array([(row, row + 1) for row in range(120)])
    scores = np.linspace(0.9, 0.7, 120)
    joined = join_alike(components(200, ids), labels, ids, pairs, scores)
    split = make_split(
        labels, ("a", "b"), ids, joined, [None] * 200, given, SplitSettings(), None, pairs
    )
    return split, pairs


def test_cut_pairs_are_named_and_their_evaluation_pictures_do_not_count() -> None:
    split, pairs = alike_split()
    across = [
        (one, other) for one, other in pairs.tolist() if split.sides[one] != split.sides[other]
    ]
    assert across, "the seed must part a cut pair, or this test says nothing"
    for one, other in across:
        judge = one if split.sides[one] == "test" else other
        assert split.leaked[judge]
        assert judge not in split.rows("test")
    assert split.leaked.sum() == len(
        {row for pair in across for row in pair}
        & set(np.flatnonzero(split.sides == "test").tolist())
    )
    assert set(map(tuple, across)) <= set(map(tuple, split.cut.tolist()))
    assert [f"{one:04d}" for one in split.cut[0]] in split.proof["cut"]
    assert split.proof["pairs"]["alike"]["train-test"] == len(across)
    assert split.proof["pairs_that_count"]["alike"]["train-test"] == 0
    assert split.proof["holds"]
    assert split.proof["sentence"].startswith("Chains of likeness were cut: ")


def test_alike_pictures_of_a_given_split_leak() -> None:
    split, _ = alike_split(given=["train"] * 30 + ["test"] * 170)
    assert split.leaked[30]
    assert not split.leaked[45:].any()
    assert split.proof["holds"]
