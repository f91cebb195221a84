from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tellapart.audits.records import Audit, Finding, PictureRef
from tellapart.reports import choose
from tellapart.reports.records import Pictures, Predictions


def _pictures(sides: list[str], labels: list[str] | None = None) -> Pictures:
    n = len(sides)
    return Pictures(
        paths=[f"{i:05}.jpg" for i in range(n)],
        ids=[f"{(i * 7919) % 100_003:032x}" for i in range(n)],
        labels=labels or ["a"] * n,
        sides=sides,
        features=np.zeros((n, 2), np.float32),
    )


def _shuffled(pictures: Pictures, order: np.ndarray) -> Pictures:
    def pick(values: Any) -> list[str]:
        return [values[i] for i in order]

    return Pictures(
        pick(pictures.paths),
        pick(pictures.ids),
        pick(pictures.labels),
        pick(pictures.sides),
        pictures.features[order],
    )


def test_the_map_takes_judging_pictures_first_and_a_thousand_at_most() -> None:
    pictures = _pictures(["train"] * 1500 + ["test"] * 300 + [""] * 10)
    rows = choose.map_rows(pictures, "test")
    assert len(rows) == 1000
    sides = [pictures.sides[row] for row in rows]
    assert sides.count("test") == 300
    assert "" not in sides


def test_choices_do_not_depend_on_the_order_of_pictures() -> None:
    pictures = _pictures(["train", "train", "test"] * 500, ["a", "b", "c", "d", "e"] * 300)
    moved = _shuffled(pictures, np.random.default_rng(0).permutation(1500))
    for choice in (
        lambda one: [one.paths[row] for row in choose.map_rows(one, "test")],
        lambda one: [
            [one.paths[row] for row in rows]
            for rows in choose.sample_rows(one, list("abcde")).values()
        ],
    ):
        assert choice(pictures) == choice(moved)


def test_samples_show_each_content_once_and_no_picture_left_out() -> None:
    pictures = _pictures(["train", "train", "", "test"])
    pictures = replace(pictures, ids=["1", "1", "2", "3"])
    assert choose.sample_rows(pictures, ["a", "b"]) == {"a": [0, 3], "b": []}


def test_samples_of_many_classes_stay_within_the_page() -> None:
    classes = [f"c{i}" for i in range(1000)]
    pictures = _pictures(["train"] * 5000, classes * 5)
    samples = choose.sample_rows(pictures, classes)
    assert sum(map(len, samples.values())) == choose.SAMPLES


def _predictions(probabilities: list[list[float]], truth: list[int]) -> Predictions:
    names = [f"{i}.jpg" for i in range(len(truth))]
    return Predictions(names, names, np.array(truth, int), np.array(probabilities, np.float32))


def test_the_surest_errors_come_first() -> None:
    predictions = _predictions([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], [1, 1, 1, 0])
    assert choose.wrong_rows(predictions).tolist() == [1, 3, 0]


def test_the_least_sure_have_the_narrowest_gap() -> None:
    three = [[0.5, 0.3, 0.2], [0.4, 0.39, 0.21], [0.36, 0.33, 0.31]]
    assert choose.unsure_rows(_predictions(three, [0, 0, 0])).tolist() == [1, 2, 0]


def test_nothing_to_choose_from_chooses_nothing() -> None:
    none = Predictions([], [], np.zeros(0, int), np.zeros((0, 2), np.float32))
    assert not len(choose.wrong_rows(none))
    assert not len(choose.unsure_rows(none))
    assert choose.map_rows(_pictures([]), "test") == []


def _finding(kind: str, severity: Any, number: int) -> Finding:
    pictures = tuple(PictureRef(f"{kind}{number}{i}", f"{kind}{number}{i}", None) for i in range(9))
    return Finding(kind, severity, 0.5, pictures, (), "what", "do")


def test_findings_are_grouped_gravest_first_and_capped() -> None:
    found = [_finding("dark", "note", i) for i in range(9)] + [_finding("leak", "error", 0)]
    groups = choose.grouped_findings(Audit(9, tuple(found)))
    assert [(one.kind, one.total, len(one.shown)) for one in groups] == [
        ("leak", 1, 1),
        ("dark", 9, choose.FINDINGS_PER_KIND),
    ]
    ids = choose.finding_ids(groups)
    assert ids[0] == "leak00"
    assert len(ids) == 7 * choose.PICTURES_PER_FINDING


def test_pictures_under_findings_are_capped_over_all_kinds() -> None:
    found = tuple(_finding(f"kind{k}", "note", i) for k in range(20) for i in range(6))
    assert len(choose.finding_ids(choose.grouped_findings(Audit(9, found)))) == 150
