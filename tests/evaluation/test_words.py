import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.evaluation.evaluate import evaluate
from tellapart.evaluation.records import Estimate
from tellapart.evaluation.words import (
    about_of,
    baseline_words,
    estimate_words,
    headline_words,
    mixed_up_words,
    percent,
    range_words,
    share_words,
)


def judged(confusion, components=None, classes=("ants", "bees", "wasps")):
    """Evaluate predictions that give this confusion matrix."""
    pairs = [(i, j) for i, row in enumerate(confusion) for j, n in enumerate(row) for _ in range(n)]
    truth, predicted = np.array(pairs).T
    shares = np.eye(len(confusion), dtype=np.float32)[predicted] * 0.7 + 0.3 / len(confusion)
    names = classes[: len(confusion)]
    return evaluate(shares, truth, classes=names, components=components, baseline_class=names[-1])


def test_unequal_classes_are_called_an_average_over_classes():
    words = headline_words(judged([[66, 4], [3, 80]]), "test")
    assert words == (
        "Averaged over the classes, about 19 of 20 right (90 to 98 %), judged on 153 test pictures"
        " it never saw; it mixes up 'ants' with 'bees' (7 times)."
    )


def test_equal_classes_are_plainly_right():
    words = headline_words(judged([[95, 5], [5, 95]]), "val")
    assert words.startswith("About 19 of 20 right (")
    assert "judged on 200 val pictures it never saw" in words


def test_small_sets_are_counted():
    words = headline_words(judged([[11, 1], [2, 10]]), "test")
    assert words.startswith("21 of 24 right (")


def test_a_perfect_score_says_what_is_known():
    words = headline_words(judged([[30, 0], [0, 30]]), "test")
    assert words == "No mistake seen (93 to 100 %), judged on 60 test pictures it never saw."


def test_nothing_right():
    assert headline_words(judged([[0, 5], [5, 0]]), "test").startswith("Not one right (0 to ")


def test_few_groups_are_said():
    words = headline_words(judged([[20, 1], [2, 20]], np.arange(43) % 6), "test")
    assert "(6 independent groups)" in words
    assert "rests on 6 groups and is not reliable (it needs 10)" in words
    assert "cross-validation over groups" in words


def test_missing_classes_are_said():
    words = headline_words(judged([[20, 1, 0], [2, 20, 0], [0, 0, 0]]), "test")
    assert words.endswith("Not judged, for want of pictures: 'wasps'.")


def test_what_is_mixed_up():
    assert mixed_up_words(judged([[5, 0], [0, 5]])) == ""
    assert mixed_up_words(judged([[5, 1], [3, 5]])) == "it mixes up 'bees' with 'ants' (4 times)"
    most = mixed_up_words(judged([[9, 1, 0], [0, 9, 3], [0, 2, 9]]))
    assert most == "it mixes up 'bees' with 'wasps' most (5 times)"
    tied = mixed_up_words(judged([[9, 1, 1], [0, 9, 0], [0, 0, 9]]))
    assert tied == "it mixes up, among others, 'ants' with 'bees' (once)"


def test_baseline():
    words = baseline_words(judged([[11, 1], [2, 22]]))
    assert words.startswith("Of all pictures alike, 33 of 36 (")
    assert words.endswith("always guessing 'bees' would get 24 of 36.")


@pytest.mark.parametrize(
    ("value", "width", "words"),
    [
        (0.954, 0.07, "19 of 20"),
        (0.5, 0.0, "1 of 2"),
        (0.667, 0.0, "2 of 3"),
        (0.987, 0.0, "99 of 100"),
        (0.9999, 0.0, "more than 999 of 1,000"),
        (0.0001, 0.0, "less than 1 of 1,000"),
        (0.88, 0.4, "9 of 10"),
    ],
)
def test_about(value, width, words):
    assert about_of(value, width) == words


@settings(deadline=None, max_examples=50)
@given(st.floats(0.001, 0.999))
def test_about_is_near_and_never_all_or_none(value):
    part, whole = about_of(value).replace(",", "").replace("more than ", "").split(" of ")
    share = int(part.replace("less than ", "")) / int(whole)
    assert 0 < share < 1
    assert abs(share - value) <= 0.005


def test_percent_and_counts():
    assert percent(0.954) == "95 %"
    assert percent(0.9999) == "above 99 %"
    assert percent(0.0001, 1) == "below 0.1 %"
    assert (percent(1.0), percent(0.0), percent(None)) == ("100 %", "0 %", "-")
    assert share_words(5, 24) == "5 of 24"
    assert share_words(450, 500) == "90 %"
    assert share_words(1801, 2000) == "90.0 %"


def test_ranges_are_rounded_outwards():
    assert range_words(Estimate(0.95, 0.919, 0.981, 153)) == "91 to 99 %"
    assert range_words(Estimate(0.95, 0.9412, 0.9588, 5000)) == "94.1 to 95.9 %"
    assert range_words(Estimate(1.0, 0.9, 1.0, 30)) == "90 to 100 %"
    assert range_words(Estimate(0.1, None, None, 30)) == ""


def test_estimates_for_tables():
    assert estimate_words(Estimate(0.75, 0.5, 0.9, 24)) == "18 of 24 (50 to 90 %)"
    assert estimate_words(Estimate(0.75, 0.7, 0.8, 400)) == "75 % (70 to 80 %)"
    assert estimate_words(Estimate(None, None, None, 0)) == "-"


def test_cross_validation_says_who_judged():
    words = headline_words(judged([[66, 4], [3, 80]]), "cv")
    assert "judged on 153 pictures, each by a model that never saw it; it mixes up" in words
    few = judged([[66, 4], [3, 80]], np.arange(153) % 5)
    assert "(--evaluate cv)" in headline_words(few, "test")
    assert headline_words(few, "cv").endswith("is not reliable (it needs 10).")
