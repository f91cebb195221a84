"""The type that a vector is kept in; `predict` rounds through it as the store does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_LOSS = 1e-3  # of the vector's largest entry


def as_stored(vector: NDArray[np.float32]) -> NDArray[np.float16] | NDArray[np.float32]:
    """Return float16 [d], or float32 where float16 would overflow or lose more than MOST_LOSS."""
    with np.errstate(over="ignore"):
        short = vector.astype(np.float16)
    largest = float(np.abs(vector).max(initial=0.0))
    loss = float(np.abs(short.astype(np.float32) - vector).max(initial=0.0))
    return short if loss <= MOST_LOSS * largest else vector
