import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tellapart.errors import DataError
from tellapart.evaluation.evaluate import evaluate


def made_up(seed=0, pictures=200, classes=4, skill=2.0):
    rng = np.random.default_rng(seed)
    truth = np.append(np.arange(classes), rng.integers(classes, size=pictures - classes))
    scores = rng.normal(size=(pictures, classes)).astype(np.float32)
    scores[np.arange(pictures), truth] += skill
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True), truth


def names(classes):
    return tuple(f"class {i}" for i in range(classes))


def judged(probabilities, truth, components=None, classes=None):
    classes = classes or names(probabilities.shape[1])
    return evaluate(
        probabilities, truth, classes=classes, components=components, baseline_class=classes[0]
    )


@pytest.mark.parametrize("classes", [2, 4, 15])
def test_values_are_scikit_learns(classes):
    probabilities, truth = made_up(1, 300, classes)
    predicted = probabilities.argmax(axis=1)
    found = judged(probabilities, truth)
    assert found.headline.value == pytest.approx(sk.balanced_accuracy_score(truth, predicted))
    values = {name: one.value for name, one in found.metrics.items()}
    shares = probabilities.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    one_hot = np.eye(classes)[truth]
    assert values["accuracy"] == pytest.approx(sk.accuracy_score(truth, predicted))
    assert values["macro_f1"] == pytest.approx(sk.f1_score(truth, predicted, average="macro"))
    assert values["log_loss"] == pytest.approx(sk.log_loss(truth, shares), rel=1e-5)
    assert values["roc_auc"] == pytest.approx(sk.roc_auc_score(one_hot, probabilities))
    assert values["average_precision"] == pytest.approx(
        sk.average_precision_score(one_hot, probabilities)
    )
    assert (found.confusion == sk.confusion_matrix(truth, predicted)).all()
    expected = sk.precision_recall_fscore_support(truth, predicted, zero_division=np.nan)
    for i, one in enumerate(found.per_class):
        scores = [one.precision.value, one.recall.value, one.f1.value, one.pictures]
        assert scores == pytest.approx([row[i] for row in expected])
        assert one.accuracy.value == pytest.approx(((predicted == i) == (truth == i)).mean())


def test_baseline_is_the_share_of_its_class():
    probabilities, truth = made_up()
    assert judged(probabilities, truth).baseline_accuracy == pytest.approx((truth == 0).mean())


def test_intervals_hold_their_values():
    for components in (None, np.arange(200) // 4):
        found = judged(*made_up(3), components)
        estimates = [found.headline, *found.metrics.values()]
        for one in found.per_class:
            estimates += [one.precision, one.recall, one.f1, one.accuracy]
            estimates += [one.roc_auc, one.average_precision]
        for one in estimates:
            if one.low is not None:
                assert 0 <= one.low <= one.value <= one.high
        bounded = [one for one in estimates if one is not found.metrics["log_loss"]]
        assert all(one.high is None or one.high <= 1 for one in bounded)
        assert found.metrics["ece"].low is None


def test_nothing_over_nothing_is_null_and_a_missing_class_is_left_out():
    truth = np.array([0, 0, 1, 1, 1])
    probabilities = np.eye(4, dtype=np.float32)[[0, 1, 1, 1, 1]]
    found = judged(probabilities, truth)
    assert found.missing_classes == ("class 2", "class 3")
    assert found.headline.value == pytest.approx((0.5 + 1) / 2)
    assert found.per_class[2].recall.value is None
    assert found.per_class[2].precision.value is None
    assert found.per_class[2].f1.value is None
    assert found.per_class[2].roc_auc.value is None
    assert found.metrics["macro_f1"].value == pytest.approx((2 / 3 + 6 / 7) / 2)
    assert found.per_class[3].accuracy.value == 1


def test_a_class_that_is_never_predicted_has_no_precision_but_an_f1_of_0():
    found = judged(np.eye(2, dtype=np.float32)[[0, 0, 0]], np.array([0, 0, 1]))
    assert found.per_class[1].precision.value is None
    assert found.per_class[1].f1.value == 0
    assert found.per_class[1].recall.value == 0


def test_one_class_alone_has_no_roc_area():
    found = judged(np.eye(2, dtype=np.float32)[[0, 0, 1]], np.array([0, 0, 0]))
    assert found.metrics["roc_auc"].value is None
    assert found.per_class[0].roc_auc.value is None


def test_a_perfect_score_is_never_certain():
    truth = np.arange(40) % 2
    found = judged(np.eye(2, dtype=np.float32)[truth] * 0.8 + 0.1, truth)
    for one in (found.headline, *[found.metrics[m] for m in ("accuracy", "macro_f1", "roc_auc")]):
        assert one.value == 1
        assert one.low < 0.95


def test_groups_widen_every_interval():
    probabilities, truth = made_up(5, 120, 2)
    order = np.lexsort((probabilities[:, 0], truth))
    probabilities, truth = probabilities[order], truth[order]
    alone = judged(probabilities, truth)
    grouped = judged(probabilities, truth, np.arange(120) // 6)
    assert (alone.groups, grouped.groups) == (120, 20)
    for name in ("accuracy", "macro_f1", "log_loss", "roc_auc", "average_precision"):
        one, other = alone.metrics[name], grouped.metrics[name]
        assert other.high - other.low > one.high - one.low, name
    for one, other in zip(alone.per_class, grouped.per_class, strict=True):
        for score in ("precision", "recall", "f1", "accuracy"):
            a, b = getattr(one, score), getattr(other, score)
            assert b.high - b.low > a.high - a.low, score


def test_fewer_than_ten_groups_are_unreliable():
    probabilities, truth = made_up(6, 60, 2)
    few = judged(probabilities, truth, np.arange(60) % 9)
    assert not few.headline.reliable
    assert not few.metrics["accuracy"].reliable
    assert not few.per_class[0].recall.reliable
    assert judged(probabilities, truth, np.arange(60) % 10).headline.reliable
    assert judged(probabilities[:8], truth[:8]).headline.reliable  # few, but independent


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_pictures_does_not_matter(random):
    probabilities, truth = made_up(7, 60, 3)
    components = np.arange(60) // 3
    rows = list(range(60))
    random.shuffle(rows)
    one = judged(probabilities, truth, components)
    other = judged(probabilities[rows], truth[rows], components[rows])
    assert one.headline.low == pytest.approx(other.headline.low)
    for name, estimate in one.metrics.items():
        assert other.metrics[name].value == pytest.approx(estimate.value)
        assert other.metrics[name].low == pytest.approx(estimate.low), name
    assert [c.x for c in one.curves] == [pytest.approx(c.x) for c in other.curves]


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)))
def test_renaming_classes_permutes_rows(order):
    probabilities, truth = made_up(8, 80, 4)
    place = np.argsort(order)  # class i stands at place[i]
    one = judged(probabilities, truth)
    other = judged(probabilities[:, order], place[truth], classes=tuple(names(4)[i] for i in order))
    assert (other.confusion == one.confusion[np.ix_(order, order)]).all()
    assert (other.headline.low, other.headline.high) == pytest.approx(
        (one.headline.low, one.headline.high)
    )
    for index, row in zip(order, other.per_class, strict=True):
        same = one.per_class[index]
        assert (row.name, row.pictures, row.predicted) == (same.name, same.pictures, same.predicted)
        for score in ("precision", "recall", "f1", "accuracy"):
            a, b = getattr(row, score), getattr(same, score)
            assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))
        assert row.roc_auc.value == pytest.approx(same.roc_auc.value)


def test_curves_of_few_classes_are_all_there_and_of_many_the_mean_and_the_worst():
    few = judged(*made_up(9, 3000, 3))
    kinds = [(one.kind, one.name) for one in few.curves]
    assert kinds == [
        *[("roc", name) for name in names(3)],
        *[("precision_recall", name) for name in names(3)],
        ("calibration", ""),
    ]
    assert all(len(one.x) == len(one.y) <= 200 for one in few.curves)
    many = judged(*made_up(9, 600, 20))
    assert sum(one.kind == "roc" for one in many.curves) == 4
    areas = {one.name: one.average_precision.value for one in many.per_class}
    shown = {one.name for one in many.curves if one.kind == "roc"} - {""}
    assert shown == set(sorted(areas, key=areas.get)[:3])


def test_the_same_seed_gives_the_same_numbers():
    assert judged(*made_up(4)).metrics == judged(*made_up(4)).metrics


def test_wrong_input():
    probabilities, truth = made_up()
    with pytest.raises(DataError, match="there is no picture to evaluate on"):
        judged(probabilities[:0], truth[:0])
    with pytest.raises(ValueError, match="not \\[pictures, classes\\]"):
        judged(probabilities, truth, classes=names(3))
    with pytest.raises(ValueError, match="199 components for 200 pictures"):
        judged(probabilities, truth, np.arange(199))
    with pytest.raises(ValueError, match="no class"):
        judged(probabilities, truth + 1)
    with pytest.raises(ValueError, match="not finite"):
        judged(np.where(probabilities > 0.5, np.nan, probabilities), truth)


def test_widening_moves_every_end_of_an_interval_outwards_and_no_value():
    probabilities, truth = made_up(3, 120, 3, skill=1.0)
    plain = judged(probabilities, truth)
    wide = evaluate(
        probabilities, truth, classes=names(3), components=None, baseline_class="class 0",
        widening=1.3,
    )  # fmt: skip
    pairs = [(plain.headline, wide.headline)]
    pairs += [(plain.metrics[name], wide.metrics[name]) for name in plain.metrics]
    for one, other in zip(plain.per_class, wide.per_class, strict=True):
        pairs += [(one.recall, other.recall), (one.precision, other.precision), (one.f1, other.f1)]
        pairs += [(one.roc_auc, other.roc_auc), (one.average_precision, other.average_precision)]
    for one, other in pairs:
        assert one.value == other.value
        if one.low is not None:
            assert other.low < one.low
            assert other.high > one.high
    grown = (wide.headline.high - wide.headline.low) / (plain.headline.high - plain.headline.low)
    assert grown == pytest.approx(1.3, abs=0.03)
