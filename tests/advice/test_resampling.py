"""Differences between answers with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from tellapart.advice.measure import Part, Sample
from tellapart.advice.resampling import guess, replicates


def test_answers_that_did_not_change_prove_little() -> None:
    sizes = (10, 40)
    labels = np.repeat([0, 1], sizes)
    rows = np.arange(50)
    sample = Sample(np.zeros((50, 1), np.float32), labels, rows, [str(row) for row in rows], 2)
    held = np.zeros((0, 1), np.float32)
    part = Part(0, np.zeros(0, np.intp), rows, np.zeros(0, np.intp), held, held, None)
    by = replicates(sample, [part], seed=0)

    each = [by.unchanged([code]) for code in (0, 1)]
    both = by.unchanged([0, 1])

    # one answer gained and one lost among two more pictures of a class: a variance of 2 / (n + 2)^2
    known = [2**0.5 / (size + 2) / 2 for size in sizes]
    assert [one.std() for one in each] == pytest.approx(known, rel=0.1)
    assert both.std() == pytest.approx(np.hypot(*known), rel=0.1)
    assert guess(both).low < 0 < guess(both).high
