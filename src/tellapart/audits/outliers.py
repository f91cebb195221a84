"""The check for pictures that are far from every class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.pixels import middle_and_spread
from tellapart.audits.records import Finding

NEIGHBOURS = 20  # 5 let a handful of strangers of one kind pass as each other's company
FEWEST = 50  # pictures below which twenty neighbours are half the set
MOST_COMPARED = 4_000  # above, each picture is compared with 2,000 fixed ones: time stays linear
SAMPLE = 2_000
# Log distance, in robust spreads above the median. Unaltered sets have 0 to 0.8 % beyond it.
FAR = 3.0
CHUNK = 2_048


def far_from_all(data: AuditInput) -> list[Finding]:
    """Name pictures whose 20 nearest neighbours are far away (outlier).

    The distance is 1 - cosine of the raw features: centring them first, or distances to class
    means under the classes' covariance, found planted strangers far less often.
    """
    if data.features is None or len(data.usable) < FEWEST:
        return []
    order = np.argsort(np.array([data.ids[row] for row in data.usable]), kind="stable")
    logs = np.log(neighbour_distance(data.features, order))
    middle, spread = middle_and_spread(logs)
    far = np.flatnonzero(logs > middle + max(FAR * spread, 1e-6))
    return [
        make_finding(
            data,
            "outlier",
            rows=[data.usable[one]],
            score=1 - np.exp(middle - logs[one]),
            message=f"Unlike every class: the pictures nearest to it are "
            f"{np.exp(logs[one] - middle):.1f} times as far away as usual.",
            advice="Look at it: drop it if it does not belong here, keep it if such pictures will "
            "come later too.",
        )
        for one in far
    ]


def neighbour_distance(
    features: NDArray[np.floating], order: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return each row's mean 1 - cosine to its 20 nearest others, [m].

    Above 4,000 rows the others are 2,000 rows, evenly spaced in `order` (a permutation that does
    not depend on the order of files).
    """
    count = len(features)
    compared = order
    if count > MOST_COMPARED:
        compared = order[np.linspace(0, count - 1, SAMPLE).astype(np.intp)]
    others = _unit(features[compared])
    place = np.full(count, -1)
    place[compared] = np.arange(len(compared))
    nearest = min(NEIGHBOURS, len(compared) - 1)
    distances = np.empty(count)
    for start in range(0, count, CHUNK):
        likeness = _unit(features[start : start + CHUNK]) @ others.T
        own = place[start : start + CHUNK]
        inside = np.flatnonzero(own >= 0)
        likeness[inside, own[inside]] = -np.inf
        best = np.partition(likeness, -nearest, axis=1)[:, -nearest:]
        distances[start : start + CHUNK] = 1 - best.mean(axis=1, dtype=np.float64)
    return np.maximum(distances, 1e-6)


def _unit(features: NDArray[np.floating]) -> NDArray[np.float32]:
    vectors = features.astype(np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12))
