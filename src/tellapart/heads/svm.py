"""A linear support vector machine, one class against the others; made probable by temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tellapart.heads.linear import LinearHead
from tellapart.heads.logistic import softmax_form
from tellapart.heads.prepare import Rows, Table
from tellapart.heads.settings import Setting

STEPS = 300  # of liblinear's Newton method, which needs a few tens
TOLERANCE = 1e-3


def fit_svm(
    table: Table, labels: Rows, k: int, settings: Sequence[Setting], seed: int
) -> list[LinearHead]:
    """Return the heads for settings that differ in C alone (squared hinge loss, L2 penalty).

    C is `strength` over the mean squared length of the rows, whatever the features' scale.
    """
    from sklearn.svm import LinearSVC

    rows = table.all().astype(np.float64)
    turn = None
    if len(rows) <= table.width // 2:  # as many coordinates as rows: the same fit, faster
        turn, _ = np.linalg.qr(rows.T)
        rows = rows @ turn
    length = max(float((rows**2).sum(axis=1).mean()), 1e-30)
    heads = []
    for one in settings:
        model = LinearSVC(
            C=one.strength / length,
            class_weight="balanced" if one.balanced else None,
            dual=False,
            tol=TOLERANCE,
            max_iter=STEPS,
            intercept_scaling=float(np.sqrt(length)),
        ).fit(rows, labels)
        weights, bias = softmax_form(model, k)
        wide = weights if turn is None else np.asarray(turn @ weights, np.float32)
        heads.append(LinearHead("svm", wide, bias))
    return heads
