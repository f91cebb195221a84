"""The training pictures nearest to an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tellapart.reports import neighbours
from tellapart.reports.neighbours import nearest_rows, told
from tellapart.reports.records import Pictures


def some_pictures(number: int = 60, **changes: list[str]) -> Pictures:
    random = np.random.default_rng(2)
    held = {
        "paths": [f"{row:03}.jpg" for row in range(number)],
        "ids": [f"{random.integers(2**62):032x}" for _ in range(number)],
        "labels": ["ants" if row % 2 else "bees" for row in range(number)],
        "sides": ["test" if row % 3 == 0 else "train" for row in range(number)],
    }
    features = random.normal(size=(number, 16)).astype(np.float16)
    return Pictures(**{**held, **changes}, features=features)


@pytest.mark.parametrize("chunk", [7, 8_192])
def test_they_are_the_nearest_by_cosine(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "CHUNK", chunk)
    pictures = some_pictures()
    train = np.array([row for row, side in enumerate(pictures.sides) if side == "train"])
    centred = pictures.features.astype(np.float64) - pictures.features[train].mean(0, np.float64)
    known = NearestNeighbors(n_neighbors=4, metric="cosine").fit(centred[train])
    for path, rows in nearest_rows(pictures, ["000.jpg", "003.jpg", "030.jpg"]).items():
        (expected,) = known.kneighbors(centred[[int(path[:3])]], return_distance=False)
        assert rows == train[expected].tolist()


def test_copies_of_the_error_are_left_out_and_copies_of_others_count_once() -> None:
    pictures = some_pictures()
    ids = list(pictures.ids)
    features = pictures.features.copy()
    ids[1], features[1] = ids[0], features[0]  # the error itself, on the training side
    ids[2] = ids[4] = ids[5] = ids[7]  # one picture, four times, the nearest of all
    features[[2, 4, 5, 7]] = features[0] * np.float16(1.01)
    held = {"labels": list(pictures.labels), "sides": list(pictures.sides)}
    changed = Pictures(list(pictures.paths), ids, **held, features=features)
    (rows,) = nearest_rows(changed, ["000.jpg"]).values()
    assert rows[0] == 2
    assert not {1, 4, 5, 7} & set(rows)
    assert len(rows) == 4


def test_the_order_of_pictures_does_not_matter() -> None:
    pictures = some_pictures()
    order = np.random.default_rng(0).permutation(len(pictures.paths)).tolist()
    turned = Pictures(
        *([held[row] for row in order] for held in (
            pictures.paths, pictures.ids, pictures.labels, pictures.sides)),
        features=pictures.features[order],
    )  # fmt: skip
    (one,), (other,) = (nearest_rows(of, ["006.jpg"]).values() for of in (pictures, turned))
    assert [pictures.paths[row] for row in one] == [turned.paths[row] for row in other]


def test_without_training_pictures_nothing_is_near() -> None:
    assert nearest_rows(some_pictures(9, sides=["test"] * 9), ["000.jpg"]) == {"000.jpg": []}


def test_labels_are_counted() -> None:
    near = [neighbours.Neighbour("", "", label, "") for label in ("a", "b", "b")]
    assert told(near) == (("b", " ×2"), ("a", ""))


def test_in_cross_validation_they_come_from_the_other_folds() -> None:
    pictures = some_pictures(sides=["cv"] * 60)
    folds = np.arange(60) % 3
    near = nearest_rows(replace(pictures, folds=folds), ["000.jpg", "004.jpg"])
    for path, rows in near.items():
        assert len(rows) == 4
        assert folds[int(path[:3])] not in folds[rows]
