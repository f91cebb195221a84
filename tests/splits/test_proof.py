"""The proof is computed from the finished sides: a split that leaks cannot pass it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from tellapart.settings import SplitSettings
from tellapart.splits import Split, components
from tellapart.splits.proof import prove

IDS = ["a", "b", "b", "c", "d"]
GROUPS = [None, None, None, "g", "g"]
LABELS = np.array([0, 0, 0, 1, 1])
ALIKE = np.array([[0, 3]])


def proven(sides: list[str]) -> dict[str, object]:
    split = Split(
        sides=np.array(sides),
        counted=np.ones(5, bool),
        leaked=np.zeros(5, bool),
        components=components(5, IDS, GROUPS),
        given=False,
        headline="test",
        proof={},
    )
    return prove(split, LABELS, ("x", "y"), IDS, GROUPS, ALIKE, SplitSettings())


def test_a_sound_split_holds() -> None:
    proof = proven(["test", "train", "train", "test", "test"])
    assert proof["holds"]
    assert json.loads(json.dumps(proof)) == proof


def test_the_same_file_on_two_sides_is_found() -> None:
    proof = proven(["test", "train", "test", "test", "test"])
    assert not proof["holds"]
    assert proof["pairs"]["same_file"] == {"train-val": 0, "train-test": 1, "val-test": 0}  # type: ignore[index]
    assert proof["sentence"] == "The split leaks: pictures that count stand on two sides."


def test_a_group_on_two_sides_is_found() -> None:
    proof = proven(["test", "train", "train", "val", "test"])
    assert not proof["holds"]
    assert proof["pairs"]["same_group"]["val-test"] == 1  # type: ignore[index]


def test_alike_pictures_on_two_sides_are_found() -> None:
    proof = proven(["train", "train", "train", "test", "test"])
    assert not proof["holds"]
    assert proof["pairs"]["alike"]["train-test"] == 1  # type: ignore[index]


def test_shares_and_their_worst_difference() -> None:
    proof = proven(["test", "train", "train", "test", "test"])
    assert proof["class_shares"] == {
        "train": {"x": 1.0, "y": 0.0},
        "test": {"x": 0.333333, "y": 0.666667},
    }
    assert proof["worst_deviation"] == 0.666667
    assert proof["missing_classes"] == {"train": ["y"], "test": []}


def test_what_does_not_count_cannot_break_it() -> None:
    split = Split(
        sides=np.array(["train", "train", "test", "test", "test"]),
        counted=np.ones(5, bool),
        leaked=np.array([False, False, True, True, False]),
        components=components(5, IDS, GROUPS),
        given=True,
        headline="test",
        proof={},
    )
    proof = prove(split, LABELS, ("x", "y"), IDS, GROUPS, ALIKE, SplitSettings())
    assert proof["holds"]
    assert proof["counted"] == {"train": 2, "test": 1}
    leaking = replace(split, leaked=np.zeros(5, bool))
    assert not prove(leaking, LABELS, ("x", "y"), IDS, GROUPS, ALIKE, SplitSettings())["holds"]
