"""How good a probe is, how sure that is, and how steep its learning curve: cheap, from features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.advice.advise import MOST_PICTURES, STAND_IN
from tellapart.advice.measure import Sample, fewer
from tellapart.advice.options import doubling, measured
from tellapart.advice.records import Guess
from tellapart.advice.resampling import guess
from tellapart.heads.prepare import Rows
from tellapart.heads.settings import Setting


@dataclass(frozen=True)
class Outlook:
    """Of a probe on its training pictures, out of fold; both of balanced accuracy, 0..1.

    score     what it reaches
    doubling  what twice the pictures of every class would add, carried on from a quarter and a half
    """

    score: Guess
    doubling: Guess


def outlook(
    features: NDArray[np.floating[Any]], labels: Rows, components: Rows, ids: Sequence[str],
    *, setting: Setting, seed: int,
) -> Outlook | None:  # fmt: skip
    """Return the outlook of a head of `setting`; None where nothing can be held out.

    features [n, d], labels [n] in 0..k-1 with every class present, components [n], in an order that
    hangs on the pictures alone. Of many pictures a stratified share is measured.
    """
    k = int(labels.max()) + 1
    everything = Sample(np.zeros((0, 0), np.float32), labels, components, ids, k)
    rows = fewer(everything, ids, MOST_PICTURES, seed)
    sample = Sample(
        np.asarray(features[rows], np.float32), labels[rows], components[rows],
        [ids[row] for row in rows], k,
    )  # fmt: skip
    setting = setting if setting.kind == "logistic" else STAND_IN
    counts = np.bincount(labels, minlength=k)
    found = measured(sample, [str(code) for code in range(k)], setting, counts, seed)
    if found is None:
        return None
    return Outlook(guess(found.by.score(found.hits)), doubling(found, seed))
