"""Logistic regression on frozen features: its settings, and how it is fitted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tellapart.heads.linear import LinearHead
from tellapart.heads.prepare import Floats, Rows, Table, moments, preparation, scaled
from tellapart.heads.settings import Setting
from tellapart.heads.temperature import UNSEEN

# Of the gradient. scikit-learn's default leaves probabilities up to 0.02 off the optimum: good
# enough to choose by, not to keep.
CHOOSING_TOLERANCE = 1e-4
TOLERANCE = 1e-6
MOST_STEPS = 1_000  # of L-BFGS
CHOOSING_STEPS = 300  # at one value of C; warm starts need few


def fit_head(
    features: Floats, labels: Rows, k: int, setting: Setting, temperature: float
) -> LinearHead:
    """Fit the head with a setting on all rows, standardising and temperature folded in.

    features float32 [n, d], labels [n] in 0..k-1 with every class present.
    """
    with one_thread_quietly():
        prepare = preparation(features, standardised=setting.standardised, pca=setting.pca)
        fitted = model(setting, TOLERANCE, MOST_STEPS).fit(prepare(features), labels)
    weights, bias = prepare.fold(*softmax_form(fitted, k))
    return LinearHead(
        "logistic",
        np.ascontiguousarray(weights / temperature, dtype=np.float32),
        np.asarray(bias / temperature, np.float32),
    )


def fit_logistic(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the heads for settings that differ in C alone, each begun where the last one ended."""
    rows, fitted = table.all(), model(settings[0])
    heads = []
    for one in settings:
        fitted.set_params(C=one.strength).fit(rows, labels)
        heads.append(LinearHead("logistic", *softmax_form(fitted, k)))
    return heads


def model(
    setting: Setting, tolerance: float = CHOOSING_TOLERANCE, steps: int = CHOOSING_STEPS
) -> Any:
    """Return scikit-learn's model for a setting; fitted again, it starts where it ended."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=setting.strength,
        class_weight="balanced" if setting.balanced else None,
        max_iter=steps,
        tol=tolerance,
        warm_start=True,
    )


def softmax_form(fitted: Any, k: int) -> tuple[Floats, Floats]:
    """Return weights [d, k] and bias [k] for all k classes; unseen ones score UNSEEN."""
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # kept as one column: the second class against the first
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    weights = np.zeros((coefficients.shape[1], k), np.float32)
    bias = np.full(k, UNSEEN, np.float32)
    weights[:, fitted.classes_] = coefficients.T
    bias[fitted.classes_] = intercepts
    return weights, bias


@contextmanager
def one_thread_quietly() -> Iterator[None]:
    """Keep BLAS to one thread, and scikit-learn from warning of what is meant.

    That a path's end has not converged: an unregularised fit of separable classes has no optimum;
    its C loses to smaller ones. That classes of a picture or two look like numbers to fit. And that
    a network's last batch is smaller. Around threads, not within them: filters are the process's.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        warnings.filterwarnings("ignore", "Got `batch_size`", UserWarning)
        yield


__all__ = [
    "CHOOSING_STEPS",
    "CHOOSING_TOLERANCE",
    "MOST_STEPS",
    "TOLERANCE",
    "Floats",
    "Rows",
    "Setting",
    "fit_head",
    "fit_logistic",
    "model",
    "moments",
    "one_thread_quietly",
    "scaled",
    "softmax_form",
]
