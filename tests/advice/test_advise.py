"""The advice names the cause that was planted, and rests on the training pictures alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tellapart.advice import Advice, Guess, Suspect
from tellapart.advice import advise as advise_module
from tellapart.advice.advise import Larger, advise, backbone_rows
from tellapart.advice.words import points
from tellapart.audits.mislabeled import MARGIN, label_scores
from tellapart.audits.ridge import coordinates
from tellapart.heads.logistic import fit_head, one_thread_quietly
from tellapart.heads.settings import Setting
from tellapart.progress import Progress

SETTING = Setting(0.1, balanced=True, standardised=False)
Known = Any  # conftest's
Real = Callable[[str], Known]


class Kept:
    """A cache of fits in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}

    def load_arrays(self, key: str) -> Any:
        return self.held.get(key)

    def save_arrays(self, key: str, arrays: Any, meta: Any) -> None:
        self.held[key] = (arrays, meta)


def cut(known: Known, code: int, left: int, seed: int = 0) -> Known:
    """Return the set with `left` pictures of one class."""
    own = np.flatnonzero(known.labels == code)
    kept = np.random.default_rng(seed).choice(own, left, replace=False)
    return known.take(np.sort(np.concatenate([np.flatnonzero(known.labels != code), kept])))


def flipped(known: Known, share: float, seed: int = 0) -> Known:
    """Return the set with a share of the labels turned into others."""
    random = np.random.default_rng(seed)
    rows = random.choice(len(known.labels), round(share * len(known.labels)), replace=False)
    labels = known.labels.copy()
    labels[rows] = (labels[rows] + random.integers(1, len(known.names), len(rows))) % len(
        known.names
    )
    return replace(known, labels=labels)


def weakened(known: Known, width: int = 12) -> Known:
    """Return the set seen through a weaker network: its features projected at random."""
    matrix = np.random.default_rng(1).normal(size=(known.features.shape[1], width))
    features = known.features @ matrix
    features *= np.sqrt(known.features.var(axis=0).sum() / features.var(axis=0).sum())
    return replace(known, features=features.astype(np.float32))


def suspects_of(known: Known) -> list[Suspect]:
    """Return what the audit suspects."""
    with one_thread_quietly():
        scores = label_scores(coordinates(known.features), known.labels, len(known.names))
    enough = np.bincount(known.labels)[known.labels] >= 5
    rows = np.flatnonzero((scores.margin < -MARGIN) & enough)
    return [Suspect(int(row), int(scores.proposed[row])) for row in rows]


def advice_on(known: Known, cache: Kept | None = None, **options: Any) -> Advice:
    """Return the advice, with the audit's suspects."""
    return advised(known, cache, **options)[0]


def advised(known: Known, cache: Kept | None = None, **options: Any) -> tuple[Advice, int]:
    return advise(
        known.features, known.labels, known.names, known.components, known.ids,
        **{
            "setting": SETTING, "suspects": suspects_of(known), "seed": 0,
            "cache": cache or Kept(), "progress": Progress(), **options,
        },
    )  # fmt: skip


def better(known: Known, rows: NDArray[np.intp] | None = None) -> Larger:
    """Return a known set's features as those of another backbone."""
    rows = np.arange(len(known.labels)) if rows is None else rows
    return Larger("finer", rows, known.features[rows])


@pytest.mark.parametrize(("name", "code"), [("land_cover", 1), ("food_mini", 0)])
def test_a_class_cut_to_a_tenth_is_what_pictures_are_asked_of(
    real_set: Real, name: str, code: int
) -> None:
    known = real_set(name)
    pictures = int((known.labels == code).sum())
    short = cut(known, code, pictures // 10)
    first = advice_on(short).options[0]
    assert (first.kind, first.name) == ("more_pictures", known.names[code])
    assert first.gain.value > 0.01
    assert 0.7 * pictures < first.pictures < 1.2 * pictures  # as many as the others have


@pytest.mark.parametrize("name", ["land_cover", "food_mini"])
def test_flipped_labels_are_what_should_be_looked_at(real_set: Real, name: str) -> None:
    first = advice_on(flipped(real_set(name), 0.12)).options[0]
    assert first.kind == "relabel"
    assert first.gain.value > 0.02
    assert "truly wrong" in first.why


@pytest.mark.parametrize("name", ["land_cover", "food_mini"])
def test_a_weaker_backbone_is_what_should_be_changed(real_set: Real, name: str) -> None:
    known = real_set(name)
    first = advice_on(weakened(known), larger=better(known)).options[0]
    assert (first.kind, first.name) == ("backbone", "finer")
    assert first.gain.low > 0.05


@pytest.mark.parametrize("name", ["land_cover", "food_mini"])
def test_in_a_set_as_it_is_nothing_stands_out(real_set: Real, name: str) -> None:
    known = real_set(name)
    found = advice_on(known, larger=better(known))
    assert found.options[0].gain.value < 0.02
    (same,) = [one for one in found.options if one.kind == "backbone"]
    assert same.gain.value == 0  # the same features again
    assert all("truly wrong" not in one.why for one in found.options)


def test_what_doubling_brings_is_what_was_said(real_set: Real) -> None:
    """Half of every class's pictures are kept aside: the gain foretold holds the one that comes."""
    known = real_set("land_cover")
    random = np.random.default_rng(3)
    judge = random.random(len(known.labels)) < 0.3
    rest = random.permutation(np.flatnonzero(~judge))
    few, all_of_them = known.take(np.sort(rest[: len(rest) // 2])), known.take(np.sort(rest))
    said = advice_on(few).doubling
    test = known.take(np.flatnonzero(judge))
    came = _score(all_of_them, test) - _score(few, test)
    assert said is not None
    assert said.low - 0.03 <= came <= said.high + 0.03  # 0.03: of the judging pictures' own chance


def _score(learned: Known, test: Known) -> float:
    head = fit_head(learned.features, learned.labels, len(learned.names), SETTING, 1.0)
    hits = head.probabilities(test.features).argmax(axis=1) == test.labels
    return float(np.mean([hits[test.labels == code].mean() for code in range(len(test.names))]))


def test_the_order_of_pictures_and_numbers_of_components_do_not_matter(
    small_set: Callable[..., Known],
) -> None:
    known = small_set((24, 24, 6), apart=0.4)
    order = np.random.default_rng(1).permutation(len(known.labels))
    turned = replace(known.take(order), components=1000 - known.components[order])
    cache = Kept()
    first, computed = advised(known, cache, larger=better(known))
    again, kept = advised(turned, cache, larger=better(turned))
    assert (computed, kept) == (1, 0)  # one key: the order is no part of it
    assert first == again == advice_on(turned, Kept(), larger=better(turned))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"suspects": ()},
        {"larger": Larger("finer", np.arange(40), np.ones((40, 3), np.float32))},
        {"setting": replace(SETTING, strength=1.0)},
    ],
    ids=["seed", "suspects", "larger", "setting"],
)
def test_what_advice_depends_on_is_in_its_key(
    small_set: Callable[..., Known], change: dict[str, Any]
) -> None:
    known, cache = flipped(small_set((24, 24), apart=1.0), 0.1), Kept()
    assert suspects_of(known)
    advised(known, cache)
    assert advised(known, cache, **change)[1] == 1


def test_kept_advice_is_the_same_and_takes_the_notes_of_now(
    small_set: Callable[..., Known],
) -> None:
    known, cache = small_set(), Kept()
    first, _ = advised(known, cache, notes=("said then",))
    second, computed = advised(known, cache, notes=("said now",))
    assert computed == 0
    assert second == replace(first, notes=("said now",))
    assert Advice.from_json(first.to_json()) == first


def test_a_large_set_is_measured_on_a_share_and_says_so(
    small_set: Callable[..., Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advise_module, "MOST_PICTURES", 60)
    known = small_set((50, 50, 50), apart=0.4)
    found = advice_on(known)
    assert 30 < found.pictures <= 60
    assert f"a stratified share of {found.pictures} of 150 training pictures" in found.notes[0]
    assert {one.pictures for one in found.options if one.kind == "more_pictures"} == {50}


def test_of_many_classes_those_with_most_errors_are_measured(
    small_set: Callable[..., Known],
) -> None:
    found = advice_on(small_set((8,) * 15, apart=0.5))
    assert len([one for one in found.options if one.kind == "more_pictures"]) == 12
    assert "Only the 12 classes with the most errors were measured, of 15." in found.notes


def test_where_nothing_can_be_held_out_there_is_no_advice(
    small_set: Callable[..., Known],
) -> None:
    found = advice_on(small_set((1, 5)), suspects=())
    assert (found.options, found.doubling, found.curves) == ((), None, ())
    assert "nothing can be measured" in found.notes[0]


def test_components_stay_whole(small_set: Callable[..., Known]) -> None:
    """A class of ten times the same five pictures knows no more than five: it is not learned."""
    known = small_set((40, 40), apart=0.0)
    pairs = replace(
        known,
        features=np.repeat(known.features[::2], 2, axis=0),
        labels=np.repeat(known.labels[::2], 2),
        components=np.repeat(np.arange(40), 2),
    )
    alone = replace(pairs, components=np.arange(80))
    assert (advice_on(alone, suspects=()).score or 0) > 0.75  # each picture's twin was learned
    assert (advice_on(pairs, suspects=()).score or 1) < 0.7


def test_the_rows_for_another_backbone_are_few_and_among_those_measured(
    small_set: Callable[..., Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advise_module, "MOST_PICTURES", 80)
    monkeypatch.setattr(advise_module, "BACKBONE_PICTURES", 40)
    known = small_set((60, 60), apart=0.5)
    rows = backbone_rows(known.labels, known.components, known.ids, 2, 0)
    assert 20 < len(rows) <= 40
    assert np.bincount(known.labels[rows]).min() > 8
    found = advice_on(known, larger=better(known, rows))
    (other,) = [one for one in found.options if one.kind == "backbone"]
    assert other.why == f"measured out of fold on {len(rows)} training pictures"


def test_a_logistic_regression_stands_in_for_another_head(small_set: Callable[..., Known]) -> None:
    known = small_set(apart=0.4)
    found = advice_on(known, setting=replace(SETTING, kind="knn", strength=5))
    assert found.notes == ("Measured with a logistic regression in place of the head knn.",)
    assert found.options == advice_on(known).options
    reduced = advice_on(known, setting=replace(SETTING, pca=2))  # the head's own steps are taken
    assert reduced.score != found.score


def test_nothing_is_not_less_than_nothing() -> None:
    assert points(Guess(-0.0004, -0.009, 0.0001)) == "+0.0 points (-0.9 to 0.0)"
