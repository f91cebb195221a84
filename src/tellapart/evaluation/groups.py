"""What pictures that belong together are worth: those of one component are no separate answers.

The model: answers on two pictures of one component (duplicates, or the user's group) correlate by
one number rho, whatever their classes. It is the exchangeable correlation of Liang and Zeger
(Biometrika 73, 1986); 1 + (m - 1) rho is the design effect of a component of m pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.evaluation.intervals import Floats

Rows = NDArray[np.intp]

UNSURE_GROUPS = 2.0  # weight, in groups with errors, of the belief that a group is one answer
FEWEST_GROUPS = 10  # with fewer independent groups an interval is given as unreliable


def counts_table(strata: Rows, components: Rows) -> Any:
    """Return a sparse table [G, K] of the pictures of each component in each stratum.

    strata and components [n] are 0-based and leave out no number below their largest.
    """
    return indicator(components).T.tocsr() @ indicator(strata)


def indicator(values: Rows) -> Any:
    """Return a sparse table [n, largest + 1] with a 1 at each row's value."""
    import scipy.sparse

    size = len(values)
    shape = (size, int(values.max()) + 1)
    return scipy.sparse.csr_array((np.ones(size), (np.arange(size), values)), shape=shape)


def spread(counts: Any, correlation: Floats) -> Floats:
    """Return V [..., K, K] for `intervals.mean_interval`; correlation is [...], in 0..1.

    V = (1 - correlation) diag(1 / n_k) + correlation * sum_g m_gk m_gl / (n_k n_l), where m_gk
    counts the pictures of component g in stratum k.
    """
    pictures = _column_sums(counts)
    shared = (counts.T @ counts).toarray() / np.outer(pictures, pictures)
    rho = np.asarray(correlation, np.float64)[..., None, None]
    return np.asarray((1.0 - rho) * np.diag(1.0 / pictures) + rho * shared)


def effective_pictures(counts: Any, correlation: float) -> Floats:
    """Return how many independent pictures each stratum's pictures are worth, [K]."""
    pictures = _column_sums(counts)
    shared = _column_sums(counts * counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = pictures / (1.0 - correlation + correlation * shared / pictures)
    return np.asarray(np.where(pictures > 0, worth, 0.0))


def correlation(hits: NDArray[np.bool_], strata: Rows, components: Rows) -> Floats:
    """Return how alike the answers inside a component are, [...] in 0..1, for hits [..., n].

    A moment estimate: the squared sums of residuals (hit - recall of the stratum) over components
    against what they would be at correlation 0 and 1. It knows little where few components hold an
    error, so it is pulled towards 1 ("a component is one answer") with the weight of
    UNSURE_GROUPS components with errors; without any error it is 1.
    """
    counts = counts_table(strata, components)
    pictures = _column_sums(counts)
    of_component = indicator(components)
    right = np.asarray(hits, np.float64)
    recalls = (right @ indicator(strata)) / pictures
    found = (((right - recalls[..., strata]) @ of_component) ** 2).sum(axis=-1)
    squares = recalls * (1.0 - recalls) * pictures / np.maximum(pictures - 1.0, 1.0)
    at_zero, at_one = _expected_squares(counts, squares)
    estimate = np.clip((found - at_zero) / np.maximum(at_one - at_zero, 1e-12), 0.0, 1.0)
    alone = pictures[strata] == np.asarray(counts[components, strata]).ravel()
    erring = (((right < 0.5) & ~alone) @ of_component > 0).sum(axis=-1)
    return np.asarray((estimate * erring + UNSURE_GROUPS) / (erring + UNSURE_GROUPS))


def _expected_squares(counts: Any, squares: Floats) -> tuple[Floats, Floats]:
    """Return the expected sum of squared residual sums at correlation 0 and at correlation 1.

    The residuals are M h with M the centring inside strata, so a component's sum is 1_g' M h and
    its expected square 1_g' M C M 1_g, where C holds the answers' covariances and `squares`
    [..., K] their variances.
    """
    pictures = _column_sums(counts)
    together = (counts.T @ counts).toarray()
    at_zero = (squares * (pictures - np.diag(together) / pictures)).sum(axis=-1)
    crossed = (counts.T @ (counts * counts)).toarray() / pictures
    pairs = together - crossed - crossed.T + together**2 / np.outer(pictures, pictures)
    deviations = np.sqrt(squares)
    return at_zero, ((deviations @ pairs) * deviations).sum(axis=-1)


def _column_sums(counts: Any) -> Floats:
    return np.asarray(counts.sum(axis=0), np.float64).ravel()
