"""Heads as arrays and back: what a model folder holds. Imports numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from tellapart.heads.knn import KnnHead
from tellapart.heads.linear import LinearHead
from tellapart.heads.mlp import MlpHead

Head = LinearHead | KnnHead | MlpHead

CLASSES: dict[str, type[LinearHead] | type[KnnHead] | type[MlpHead]] = {
    "logistic": LinearHead,
    "ridge": LinearHead,
    "lda": LinearHead,
    "svm": LinearHead,
    "mean": LinearHead,
    "knn": KnnHead,
    "mlp": MlpHead,
}


def head_from(kind: str, arrays: Mapping[str, NDArray[Any]]) -> Head:
    """Return the head that `arrays` came from; raises KeyError or ValueError where none did."""
    return CLASSES[kind].from_arrays(kind, arrays)


def misfit(
    kind: str, arrays: Mapping[str, NDArray[Any]], features: int, classes: int
) -> str | None:
    """Return what arrays from a stranger's file lack to be such a head, None where they fit."""
    if kind not in CLASSES:
        return f"its head is a {kind!r}, which this version does not know"
    held = {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}
    layout = CLASSES[kind].layout(arrays, features, classes)
    wanted = {name: f"{dtype} {shape}" for name, (dtype, shape) in layout.items()}
    if held != wanted:
        return (
            f"it holds {held}, where {wanted} is needed for {features} features and {classes}"
            " classes"
        )
    return None
