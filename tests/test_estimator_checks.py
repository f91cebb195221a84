"""The estimators under scikit-learn's own checks.

The checks feed matrices of numbers. Each row is drawn as a small gray picture, and the estimators
see those pictures; everything else about them is as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import tellapart as ta
from tellapart import estimators

pytestmark = pytest.mark.usefixtures("cache")

CANNOT_APPLY = {
    "check_estimator_sparse_tag": "there are no sparse pictures",
    "check_estimator_sparse_array": "there are no sparse pictures",
    "check_estimator_sparse_matrix": "there are no sparse pictures",
    "check_transformer_preserve_dtypes": "features are float32, whatever pictures are given as",
}
NEVER_ASKED = {  # scikit-learn leaves them out where the tag `no_validation` is set
    "check_n_features_in": "pictures of one set differ in size: X has no number of features",
    "check_fit1d": "a flat list is what pictures come in",
    "check_fit2d_predict1d": "a flat list is what pictures come in",
    "check_complex_data": "pixels are uint8; test_what_is_no_picture_is_refused says so",
    "check_estimators_nan_inf": "uint8 has no NaN",
    "check_dtype_object": "an object array of paths or bytes is a list of pictures",
}


def drawn(X: Any) -> Any:
    """Return a matrix [n, d] as n gray pictures of d fields; anything else as it is."""
    try:
        values = np.asarray(X)
    except ValueError:
        return X
    if values.ndim != 2 or values.dtype == object:
        return X if values.ndim != 2 else drawn(values.astype(float))
    n, d = values.shape
    side = int(np.ceil(np.sqrt(d)))
    fields = np.zeros((n, side * side), np.uint8)
    fields[:, :d] = np.clip((values.astype(float) + 5) * 25, 0, 255)
    gray = fields.reshape(n, side, side, 1).repeat(8, axis=1).repeat(8, axis=2)
    return gray.repeat(3, axis=3)


def of_matrices(tags: Any) -> Any:
    tags.input_tags.two_d_array = True
    tags.input_tags.one_d_array = tags.input_tags.string = False
    return tags


class EmbedderOfMatrices(ta.ImageEmbedder):
    def _pictures(self, X: Any) -> Any:
        return super()._pictures(drawn(X))

    def __sklearn_tags__(self) -> Any:
        return of_matrices(super().__sklearn_tags__())


class ClassifierOfMatrices(ta.ImageClassifier):
    def _pictures(self, X: Any) -> Any:
        return super()._pictures(drawn(X))

    def __sklearn_tags__(self) -> Any:
        return of_matrices(super().__sklearn_tags__())


@pytest.fixture(scope="module")
def one_engine() -> Any:
    """open_engine that opens once: the checks make hundreds of calls."""
    real, opened = estimators.open_engine, {}

    def once(backbone: Any, *rest: Any) -> Any:
        if backbone.name not in opened:
            opened[backbone.name] = real(backbone, *rest)
        return opened[backbone.name]

    return once


def checks() -> Iterator[Any]:
    # ridge, as it fits fastest: how an estimator behaves does not hang on its head
    for estimator in (EmbedderOfMatrices(), ClassifierOfMatrices(head="ridge")):
        for one, check in estimator_checks_generator(estimator):
            name = check.func.__name__
            marks = (
                [pytest.mark.xfail(reason=CANNOT_APPLY[name], strict=True)]
                if name in CANNOT_APPLY
                else []
            )
            yield pytest.param(one, check, id=f"{type(one).__name__}-{name}", marks=marks)


@pytest.mark.filterwarnings("ignore")  # of scikit-learn, on its own data
@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learns_checks(
    estimator: Any, check: Any, one_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimators, "open_engine", one_engine)
    check(estimator)
