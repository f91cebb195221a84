"""Every head against a known answer, alone or among others to the bit, as arrays and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from tellapart.errors import OptionError
from tellapart.heads import fitting, mlp, ridge
from tellapart.heads.fitting import fit_setting
from tellapart.heads.kinds import HEADS, check_head, families, in_words, usual_setting
from tellapart.heads.knn import fit_knn
from tellapart.heads.lda import fit_lda
from tellapart.heads.mean import fit_mean
from tellapart.heads.prepare import CHUNK, Table
from tellapart.heads.saved import CLASSES, head_from, misfit
from tellapart.heads.settings import Setting
from tellapart.heads.svm import fit_svm


def digits(n: int = 400, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    rows = np.flatnonzero(data.target < k)[:n]
    noise = np.random.default_rng(0).normal(0, 0.05, (len(rows), 64))
    return (data.data[rows] / 16 + noise).astype(np.float32), data.target[rows]


def wide(n: int = 60, d: int = 200, k: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    labels = np.arange(n) % k
    return (random.normal(0, 1, (n, d)) + 0.3 * labels[:, None]).astype(np.float32), labels


SHAPES = [digits, wide]


@pytest.mark.parametrize("make", SHAPES)
@pytest.mark.parametrize("balanced", [False, True])
def test_the_ridge_path_is_that_of_scikit_learn(make, balanced: bool) -> None:
    features, labels = make()
    labels = np.where(labels > 1, 1, labels)  # uneven
    k = labels.max() + 1
    found = ridge.decompose(
        Table(features), labels, k, ridge.row_weights(labels, k, balanced=balanced)
    )
    for penalty in (0.1, 10.0):
        theirs = RidgeClassifier(
            alpha=penalty, class_weight="balanced" if balanced else None, solver="svd"
        ).fit(features.astype(np.float64), labels)
        ours = found.head(penalty).scores(features)
        expected = theirs.decision_function(features.astype(np.float64))
        np.testing.assert_allclose(ours[:, 1] - ours[:, 0], 2 * expected, atol=2e-3)


@pytest.mark.parametrize("make", SHAPES)
@pytest.mark.parametrize("solver", ["lsqr", "eigen"])
@pytest.mark.parametrize("shrinkage", [0.1, 0.6])
def test_lda_is_that_of_scikit_learn(make, solver: str, shrinkage: float) -> None:
    features, labels = make()
    k = labels.max() + 1
    theirs = LinearDiscriminantAnalysis(solver=solver, shrinkage=shrinkage)
    theirs.fit(features.astype(float), labels)
    setting = Setting(shrinkage, False, False, "lda")
    ours = fit_lda(Table(features), labels, k, [setting], 0)[0].probabilities(features)
    np.testing.assert_allclose(ours, theirs.predict_proba(features.astype(float)), atol=2e-3)


def test_some_shrinkage_does_as_well_as_the_automatic_one() -> None:
    features, labels = digits(600)
    train, test = slice(0, 300), slice(300, None)
    auto = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    expected = auto.fit(features[train], labels[train]).score(features[test], labels[test])
    settings = [Setting(one, False, False, "lda") for one in HEADS["lda"].strengths]
    heads = fit_lda(Table(features[train]), labels[train], 10, settings, 0)
    right = [(one.scores(features[test]).argmax(1) == labels[test]).mean() for one in heads]
    assert max(right) >= expected - 0.005


def test_balanced_lda_takes_classes_as_equally_likely() -> None:
    features, labels = digits(400, 2)
    rows = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:9]])
    features, labels = features[rows], labels[rows]
    middle = (features[labels == 0].mean(axis=0) + features[labels == 1].mean(axis=0)) / 2
    for balanced in (False, True):
        head = fit_lda(Table(features), labels, 2, [Setting(0.5, balanced, False, "lda")], 0)[0]
        first = float(head.probabilities(middle[None])[0, 0])
        assert first == pytest.approx(0.5 if balanced else np.mean(labels == 0), abs=0.01)


@pytest.mark.parametrize("form", ["euclidean", "cosine"])
def test_neighbours_are_those_of_scikit_learn(form: str) -> None:
    features, labels = digits(500)
    counts = (1, 3, 5, 10)
    settings = [Setting(one, False, False, "knn", 0, form) for one in counts]
    heads = fit_knn(Table(features[:300]), labels[:300], 10, settings, 0)
    path = heads[0].path(features[300:], counts)
    for count, head, scores in zip(counts, heads, path, strict=True):
        theirs = KNeighborsClassifier(count, metric=form).fit(features[:300], labels[:300])
        np.testing.assert_array_equal(scores.argmax(axis=1), theirs.predict(features[300:]))
        votes = head.probabilities(features[300:]) * (count + 5) - 0.5
        np.testing.assert_allclose(votes, theirs.predict_proba(features[300:]) * count, atol=1e-4)


def test_the_networks_forward_pass_is_scikit_learns() -> None:
    for k, widths in ((2, (7,)), (5, (16, 6))):
        features, labels = digits(300, k)
        theirs = MLPClassifier(widths, max_iter=400, tol=1e-2, random_state=0)
        theirs.fit(features, labels)
        ours = mlp.MlpHead("mlp", mlp._layers(theirs)).probabilities(features)
        np.testing.assert_allclose(ours, theirs.predict_proba(features), atol=1e-5)


def test_a_last_batch_that_is_smaller_is_no_warning() -> None:
    features = np.random.default_rng(0).normal(size=(CHUNK + 5, 4)).astype(np.float32)
    labels = np.arange(len(features)) % 3
    head = fit_setting(features, labels, 3, Setting(1, False, False, "mlp", 0, "4"), 1.0, 0)
    assert head.scores(features[:2]).shape == (2, 3)


def test_passes_of_one_training_are_those_of_several() -> None:
    features, labels = digits(200, 4)
    path = [Setting(passes, False, False, "mlp", 0, "16") for passes in (2, 4)]
    together = mlp.fit_mlp(Table(features), labels, 4, path, 3)
    alone = mlp.fit_mlp(Table(features), labels, 4, path[1:], 3)[0]
    for name, array in alone.arrays().items():
        np.testing.assert_array_equal(together[1].arrays()[name], array)
    assert (together[0].layers[0][0] != together[1].layers[0][0]).any()


@pytest.mark.parametrize("form", ["euclidean", "cosine"])
def test_the_nearest_mean_is_scikit_learns(form: str) -> None:
    features, labels = digits(500)
    setting = replace(usual_setting("mean"), form=form)
    head = fit_mean(Table(features[:300]), labels[:300], 10, [setting], 0)[0]
    shown = features if form == "euclidean" else normalize(features)
    theirs = NearestCentroid().fit(shown[:300], labels[:300])
    if form == "cosine":
        theirs.centroids_ = normalize(theirs.centroids_)
    expected = theirs.predict(shown[300:])
    np.testing.assert_array_equal(head.scores(features[300:]).argmax(axis=1), expected)


@pytest.mark.parametrize("make", SHAPES)
def test_the_support_vectors_are_scikit_learns(make) -> None:
    features, labels = make()
    head = fit_svm(Table(features), labels, 3 if make is wide else 10,
                   [Setting(1.0, False, False, "svm")], 0)[0]  # fmt: skip
    length = float((features.astype(float) ** 2).sum(axis=1).mean())
    theirs = LinearSVC(C=1 / length, dual=False, tol=1e-6, intercept_scaling=np.sqrt(length)).fit(
        features.astype(float), labels
    )
    np.testing.assert_allclose(head.scores(features), theirs.decision_function(features), atol=0.02)


def every_setting() -> list[Setting]:
    chosen = []
    for kind in HEADS:
        for one in families(kind, pca=0)[:2] + families(kind, pca=5)[-1:]:
            pca = min(one.pca, 8)
            form = "32,16" if kind == "mlp" and one.balanced == one.standardised else one.form
            strength = usual_setting(kind).strength
            chosen.append(replace(one, strength=strength, pca=pca, form=form))
    return chosen


@pytest.mark.parametrize("setting", every_setting(), ids=in_words)
def test_any_head_alone_or_among_others_and_as_arrays(setting: Setting) -> None:
    features, labels = digits(150, 4)
    half = features.astype(np.float16)
    head = fit_setting(half, labels, 4, setting, 1.7, 0)
    found = head.probabilities(half)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found.argmax(axis=1) == labels).mean() > 0.9
    for row in (0, 77, 149):
        np.testing.assert_array_equal(head.probabilities(half[row : row + 1])[0], found[row])
    np.testing.assert_allclose(head.scores(half).argmax(axis=1), found.argmax(axis=1))
    arrays = head.arrays()
    assert misfit(setting.kind, arrays, 64, 4) is None
    again = head_from(setting.kind, arrays)
    np.testing.assert_array_equal(again.probabilities(half), found)
    sharper = fit_setting(half, labels, 4, setting, 0.85, 0)
    expected = np.log(np.maximum(found, 1e-30)) * 2
    expected -= np.log(np.exp(expected).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(sharper.probabilities(half), np.exp(expected), atol=2e-3)


def test_rows_in_chunks_give_the_head_of_all_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = digits(300, 4)
    for kind in ("ridge", "lda", "mean"):
        setting = replace(usual_setting(kind), pca=12, standardised=True)
        whole = fit_setting(features, labels, 4, setting, 1.0, 0).probabilities(features)
        with monkeypatch.context() as patch:
            patch.setattr(fitting, "MANY_ROWS", 100)
            patch.setattr("tellapart.heads.prepare.CHUNK", 37)
            found = fit_setting(features, labels, 4, setting, 1.0, 0).probabilities(features)
        np.testing.assert_allclose(found, whole, atol=1e-3)


def test_a_head_that_needs_all_rows_is_refused_past_what_it_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "MANY_ROWS", 100)
    features, labels = digits(300, 4)
    line = "--head knn holds all its training pictures in memory and takes 100 at most; these are"
    with pytest.raises(OptionError, match=line):
        fit_setting(features, labels, 4, usual_setting("knn"), 1.0, 0)


def test_every_head_can_be_saved_and_an_unknown_one_is_named() -> None:
    assert set(CLASSES) == set(HEADS)
    with pytest.raises(OptionError, match="unknown head 'rigde'; did you mean 'ridge'"):
        check_head("rigde")


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("knn", {"labels": np.array([9], np.int32)}, "labels are no numbers of classes"),
        ("knn", {"rule": np.array([0, 0, 1], np.float32)}, "not above 0"),
    ],
)
def test_arrays_that_mean_nothing(kind: str, change: dict[str, np.ndarray], said: str) -> None:
    features, labels = digits(40, 2)
    arrays = fit_setting(features, labels, 2, usual_setting(kind), 1.0, 0).arrays()
    with pytest.raises(ValueError, match=said):
        head_from(kind, {**arrays, **change})


def test_arrays_of_another_shape_do_not_fit() -> None:
    features, labels = digits(60, 2)
    for kind in ("knn", "mlp"):
        arrays = fit_setting(features, labels, 2, usual_setting(kind, 4), 1.0, 0).arrays()
        for name in arrays:
            said = misfit(kind, {**arrays, name: np.zeros((3, 3, 3), np.float32)}, 64, 2)
            assert said is not None, (kind, name)
            assert "is needed" in said
    assert "does not know" in str(misfit("forest", {}, 64, 2))
