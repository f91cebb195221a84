"""The scikit-learn estimators: on drawn pictures."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

import tellapart as ta
from tellapart import estimators
from tellapart.estimators import InputError
from tellapart.heads import mlp

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def paths(shapes: Path) -> list[str]:
    return sorted(str(path) for path in shapes.rglob("*.png"))


@pytest.fixture(scope="module")
def labels(paths: list[str]) -> list[str]:
    return [Path(path).parent.name for path in paths]


def pixels_of(path: str) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


# -- the embedder


def test_every_kind_of_picture_has_the_same_features(paths: list[str], shapes: Path) -> None:
    some = paths[:5]
    features = ta.ImageEmbedder().fit_transform(some)
    assert features.shape == (5, 1280)
    assert features.dtype == np.float32
    pixels = [pixels_of(path) for path in some]
    for same in (
        np.array(some),
        np.array(some, dtype=object),
        [Path(path) for path in some],
        [Path(path).read_bytes() for path in some],
        pixels,
        np.stack(pixels),
        tuple(ta.read(shapes).sources)[:5],
    ):
        assert np.array_equal(ta.ImageEmbedder().transform(same), features)


def test_the_features_are_those_of_a_run(finished: Path, paths: list[str]) -> None:
    head = ta.load(finished).head
    expected = ta.load(finished).predict_proba(paths)
    assert np.array_equal(head.probabilities(ta.ImageEmbedder().transform(paths)), expected)


def test_rows_of_tables_are_pictures(test_data: Path) -> None:
    sources = ta.read(test_data / "cifar10").sources[:3]
    assert ta.ImageEmbedder().transform(sources).shape == (3, 1280)


def test_a_second_time_no_network_runs(paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    features = ta.ImageEmbedder().transform(paths)
    real = estimators.open_engine

    def forgetful(*given: Any, **named: Any) -> Any:
        engine = real(*given, **named)
        monkeypatch.setattr(type(engine), "embed", lambda *_: pytest.fail("embedded again"))
        return engine

    monkeypatch.setattr(estimators, "open_engine", forgetful)
    assert np.array_equal(ta.ImageEmbedder().transform(paths), features)


def test_more_pictures_than_are_held_at_a_time(
    paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    features = ta.ImageEmbedder().transform(paths)
    monkeypatch.setattr(estimators, "AT_ONCE", 7)
    assert np.array_equal(ta.ImageEmbedder().transform(paths), features)
    with pytest.raises(InputError, match=r"^picture 16 of X \('gone.jpg'\) cannot be used"):
        ta.ImageEmbedder().transform([*paths[:16], "gone.jpg"])


def test_names_of_the_features() -> None:
    names = ta.ImageEmbedder().fit(["x.png"]).get_feature_names_out()
    assert (len(names), names[0]) == (1280, "imageembedder0")


def test_bands_are_picked(paths: list[str]) -> None:
    image = Image.open(paths[0]).convert("RGB")
    turned = Image.merge("RGB", image.split()[::-1])
    expected = ta.ImageEmbedder().transform([np.asarray(turned)])
    assert np.array_equal(ta.ImageEmbedder(bands="B,G,R").transform(paths[:1]), expected)


def test_a_sum_stands_side_by_side_and_each_part_is_kept(
    paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = paths[:6]
    alone = [ta.ImageEmbedder(one).transform(some) for one in ("color", "lite0")]
    monkeypatch.setattr(estimators, "AT_ONCE", 4)
    both = ta.ImageEmbedder("color+lite0")
    assert np.array_equal(both.fit_transform(some), np.concatenate(alone, axis=1))
    assert len(both.get_feature_names_out()) == sum(one.shape[1] for one in alone)


def test_any_number_of_bands(paths: list[str], labels: list[str], tmp_path: Path) -> None:
    with Image.open(paths[0]) as image:
        image.putalpha(image.convert("L"))
        image.save(tmp_path / "four.png")
    four = [tmp_path / "four.png"]
    features = ta.ImageEmbedder(bands="R,G,B,A").transform(four)
    assert features.shape == (1, 2 * 1280)  # two composites
    assert np.array_equal(features[:, :1280], ta.ImageEmbedder(bands="R,G,B").transform(four))
    assert ta.ImageEmbedder(bands="G").transform(four).shape == (1, 1280)
    gray = ta.ImageClassifier("color", bands="G,R").fit(paths, labels)
    assert gray.predict_proba(paths).shape == (len(paths), 3)
    with pytest.raises(InputError, match="cannot be used: band A was asked for"):
        ta.ImageEmbedder(bands="R,G,B,A").transform(paths[:1])


# -- the classifier


def test_a_classifier_learns_and_says_what_it_chose(paths: list[str], labels: list[str]) -> None:
    clf = ta.ImageClassifier().fit(paths[::2], labels[::2])
    assert clf.classes_.tolist() == ["boxes", "dots", "lines"]
    assert clf.score(paths[1::2], labels[1::2]) > 0.6
    probabilities = clf.predict_proba(paths[1::2])
    assert probabilities.shape == (18, 3)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert {one["what"] for one in clf.choices_} >= {"C", "temperature"}


def test_it_is_the_probe_of_a_run(finished: Path, paths: list[str]) -> None:
    import polars as pl

    split = pl.read_parquet(finished / "split.parquet").filter(pl.col("split") == "train")
    root = Path(paths[0]).parents[1]
    mine = ta.ImageClassifier().fit([str(root / one) for one in split["path"]], split["label"])
    run = ta.load(finished)
    assert np.allclose(mine.predict_proba(paths), run.predict_proba(paths), atol=1e-6)


def test_labels_of_any_type(paths: list[str], labels: list[str]) -> None:
    numbers = np.array([len(label) for label in labels]) * 10
    found = ta.ImageClassifier().fit(paths, numbers).predict(paths)
    assert found.dtype == numbers.dtype
    assert set(found.tolist()) <= {40, 50}
    flags = [label == "dots" for label in labels]
    assert ta.ImageClassifier().fit(paths, flags).predict(paths).dtype == bool


def test_groups_and_copies_stay_together(
    paths: list[str], labels: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = estimators.fit_probe

    def noting(features: Any, codes: Any, k: int, together: Any, ids: Any, **named: Any) -> Any:
        seen.append(together)
        return real(features, codes, k, together, ids, **named)

    monkeypatch.setattr(estimators, "fit_probe", noting)
    clf = ta.ImageClassifier(head="ridge")
    clf.fit([*paths, paths[0]], [*labels, labels[0]])
    assert seen[0][0] == seen[0][-1]
    assert len(set(seen[0])) == len(paths)
    clf.fit(paths, labels, groups=[row // 2 for row in range(len(paths))])
    assert len(set(seen[1])) == len(paths) / 2


@pytest.mark.parametrize("head", ["lda", "knn", "mlp", "mean"])
def test_other_heads(
    head: str, paths: list[str], labels: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlp, "PASS", 1)  # enough to see that it is fitted, in a tenth of the time
    clf = ta.ImageClassifier(head=head).fit(paths, labels)
    assert clf.head_.kind == head
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.predict_proba(paths), clf.predict_proba(paths))


def test_a_search_over_heads(paths: list[str], labels: list[str]) -> None:
    pytest.importorskip("optuna")
    clf = ta.ImageClassifier(search=3).fit(paths, labels)
    assert next(one for one in clf.choices_ if one["what"] == "head")["chosen"] == clf.head_.kind


def test_classical_features(paths: list[str], labels: list[str]) -> None:
    assert ta.ImageEmbedder(backbone="color").fit_transform(paths).shape[0] == len(paths)
    pixels = ta.ImageClassifier(backbone="pca:20").fit(paths, labels)
    assert {"what": "principal components", "chosen": "20"}.items() <= next(
        one.items() for one in pixels.choices_ if "components" in one["what"]
    )
    assert pixels.predict_proba(paths).shape == (len(paths), 3)


def test_other_weights_are_refused(paths: list[str], labels: list[str]) -> None:
    clf = ta.ImageClassifier().fit(paths, labels)
    clf.weights_digest_ = "0" * 64
    with pytest.raises(ta.TellapartError, match=r"other weights of lite0 \(00000000\)"):
        clf.predict(paths[:1])


# -- inside scikit-learn


def test_in_a_pipeline_and_a_grid_search(paths: list[str], labels: list[str]) -> None:
    model = make_pipeline(ta.ImageEmbedder(), LogisticRegression())
    search = GridSearchCV(model, {"logisticregression__C": [0.01, 1.0]}, cv=3)
    assert search.fit(paths, labels).best_score_ > 0.5
    assert search.predict(paths).shape == (len(paths),)


def test_cross_validation_by_groups(paths: list[str], labels: list[str]) -> None:
    groups = [int(Path(path).stem) % 4 for path in paths]
    scores = cross_val_score(
        ta.ImageClassifier(head="ridge"), paths, labels, groups=groups, cv=GroupKFold(2),
        error_score="raise",
    )  # fmt: skip
    assert scores.min() > 0.4


def test_a_grid_over_parameters(paths: list[str], labels: list[str]) -> None:
    grid = {"head": ["mean", "ridge"]}
    search = GridSearchCV(ta.ImageClassifier(), grid, cv=2, error_score="raise")
    assert search.fit(paths, labels).best_params_["head"] == search.best_estimator_.head_.kind


def test_clone_and_pickle_hold_parameters_and_arrays(paths: list[str], labels: list[str]) -> None:
    clf = ta.ImageClassifier(random_state=3).fit(paths, labels)
    assert clone(clf).get_params() == clf.get_params()
    with pytest.raises(NotFittedError):
        clone(clf).predict(paths)
    kept = pickle.dumps(clf)
    assert len(kept) < 4 * clf.head_.weights.nbytes  # no engine, no features, no cache
    assert set(vars(clf)) == {
        *clf.get_params(), "classes_", "head_", "choices_", "weights_digest_"
    }  # fmt: skip
    again = pickle.loads(kept)
    assert np.array_equal(again.predict_proba(paths), clf.predict_proba(paths))


def test_a_pickle_works_in_a_new_process(
    paths: list[str], labels: list[str], tmp_path: Path
) -> None:
    clf = ta.ImageClassifier().fit(paths, labels)
    (tmp_path / "clf.pickle").write_bytes(pickle.dumps(clf))
    code = (
        "import pickle, sys; clf = pickle.load(open(sys.argv[1], 'rb'));"
        "print(clf.predict(sys.argv[2:])[0])"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "clf.pickle"), paths[0]]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == clf.predict(paths[:1])[0]


def test_the_example_of_the_readme(
    write_pictures: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = Path(__file__).parents[1] / "README.md"
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    (example,) = [block for block in blocks if "ImageEmbedder" in block]
    write_pictures(tmp_path / "photos", count=5)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(example, names)
    assert len(names["scores"]) == 5


# -- what is refused

NOT_PICTURES: dict[str, tuple[Any, str]] = {
    "one path": ("a.jpg", r"^X is one picture, where a list of pictures is needed: \['a.jpg'\]$"),
    "nothing": ([], "^X holds no picture$"),
    "a number": (3, "^X is a int: a list of pictures is needed$"),
    "a matrix": (np.zeros((4, 3)), r"^X is an array float64 \[4, 3\]: pictures are a flat list"),
    "floats": ([np.zeros((8, 8, 3))], r"^picture 0 of X is an array float64 \[8, 8, 3\]: uint8"),
    "gray": ([np.zeros((8, 8), np.uint8)], r"^picture 0 of X is an array uint8 \[8, 8\]: uint8"),
    "None": (["a.jpg", None], r"^picture 1 of X is a NoneType \(None\): a path, a file's bytes or"),
    "cut bytes": (np.array([b"a\0"]), r"^X is an array \|S2, in which numpy drops zero bytes"),
    "gone": (["gone.jpg"], r"^picture 0 of X \('gone.jpg'\) cannot be used: cannot be read: No "),
    "no image": ([b"hello"], r"^picture 0 of X \(5 bytes\) cannot be used: .*; take it out of X"),
}


@pytest.mark.parametrize("case", NOT_PICTURES)
def test_what_is_no_picture_is_refused(case: str) -> None:
    given, line = NOT_PICTURES[case]
    with pytest.raises(InputError, match=line) as refusal:
        ta.ImageEmbedder().transform(given)
    assert "\n" not in str(refusal.value)
    assert isinstance(refusal.value, ta.TellapartError)


@pytest.mark.parametrize(
    ("y", "line"),
    [
        (["a"], "^X holds 36 pictures and y 1 labels$"),
        (["a"] * 36, r"^y holds one class only \(a\): a classifier needs two or more$"),
        ([[1, 2]] * 36, "^y cannot be used as labels: "),
        (np.linspace(0, 1, 36), "^y cannot be used as labels: Unknown label type: continuous"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y: Any, line: str, paths: list[str]) -> None:
    with pytest.raises(InputError, match=line):
        ta.ImageClassifier().fit(paths, y)


def test_parameters_that_cannot_be_are_refused(paths: list[str], labels: list[str]) -> None:
    with pytest.raises(ta.TellapartError, match="unknown backbone 'lite9'; did you mean"):
        ta.ImageEmbedder(backbone="lite9").fit(paths)
    with pytest.raises(ta.TellapartError, match="unknown engine 'opnvino'; did you mean"):
        ta.ImageEmbedder(engine="opnvino").transform(paths)
    with pytest.raises(ta.TellapartError, match=r"pca:20 cannot stand in a sum"):
        ta.ImageClassifier(backbone="color+pca:20").fit(paths, labels)
    with pytest.raises(ta.TellapartError, match=r"use ImageClassifier\('pca:20'\)$"):
        ta.ImageEmbedder(backbone="pca:20").fit(paths)
    with pytest.raises(ta.TellapartError, match="'Q' is no band"):
        ta.ImageEmbedder(bands="R,Q").transform(paths)
    with pytest.raises(ta.TellapartError, match="head 'ldaa'; did you mean 'lda'"):
        ta.ImageClassifier(head="ldaa").fit(paths, labels)
    with pytest.raises(ta.TellapartError, match="^random_state is None: a whole number"):
        ta.ImageClassifier(random_state=None).fit(paths, labels)
    with pytest.raises(InputError, match="^groups holds 1 values for 36 pictures$"):
        ta.ImageClassifier().fit(paths, labels, groups=["a"])
