"""Linear heads: what predicts. Imports numpy alone, because `predict` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tellapart.heads.prepare import Preparation

CHUNK = 4_096  # rows turned into float32 at a time


@dataclass(frozen=True)
class LinearHead:
    """A classifier on features: softmax(features @ weights + bias), preparing folded in.

    kind     how it was fitted: "logistic", "ridge", "lda", "svm" or "mean"
    weights  float32 [d, k]
    bias     float32 [k]
    """

    kind: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return float32 [n, k] for features [n, d]; rows sum to 1.

        Every score is a dot product of its own: a matrix product would round a row's answer by
        the number of rows beside it, and one picture predicted alone must get what it got among
        others, to the bit.
        """
        columns = np.ascontiguousarray(self.weights.T)
        out = np.empty((len(features), len(self.bias)), np.float32)
        for start in range(0, len(features), CHUNK):
            rows = np.asarray(features[start : start + CHUNK], np.float32)
            out[start : start + CHUNK] = each_alone(rows, columns)
        return softmax(out + self.bias)

    def scores(self, features: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return float32 [n, k], fast: the last digits may hang on the rows beside a row."""
        return np.asarray(features @ self.weights + self.bias, np.float32)

    def tempered(self, temperature: float) -> LinearHead:
        """Return the head whose scores are divided by `temperature`."""
        return LinearHead(
            self.kind,
            np.ascontiguousarray(self.weights / temperature, dtype=np.float32),
            np.asarray(self.bias / temperature, np.float32),
        )

    def on_raw(self, prepare: Preparation) -> LinearHead:
        """Return the head for features as they come, from this one for prepared features."""
        return LinearHead(self.kind, *prepare.fold(self.weights, self.bias))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the arrays that make the head, by name."""
        return {"weights": self.weights, "bias": self.bias}

    @classmethod
    def from_arrays(cls, kind: str, arrays: Mapping[str, NDArray[np.float32]]) -> LinearHead:
        """Return the head that `arrays` came from."""
        return cls(kind, arrays["weights"], arrays["bias"])

    @staticmethod
    def layout(
        arrays: Mapping[str, NDArray[Any]], features: int, classes: int
    ) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return name -> (dtype, shape) that the arrays must have."""
        return {"weights": ("float32", (features, classes)), "bias": ("float32", (classes,))}


def each_alone(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows [m, d] times columns [k, d], [m, k]: every entry a dot product of its own."""
    return np.asarray(np.vecdot(np.ascontiguousarray(rows)[:, None, :], columns), np.float32)


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities [n, k] for scores [n, k]."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
