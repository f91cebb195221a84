"""Nearest neighbours: the training pictures themselves, and a vote. Imports numpy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.linear import each_alone, softmax

if TYPE_CHECKING:
    from tellapart.heads.prepare import Preparation, Table
    from tellapart.heads.settings import Setting

FORMS = ("cosine", "euclidean")
PRIOR = 0.5  # votes that every class has beforehand (Jeffreys), so that none is ruled out
AT_ONCE = 4_000_000  # distances in memory at a time
LEAST_LENGTH = 1e-12

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class KnnHead:
    """A classifier on features: the votes of the nearest training pictures.

    mean, scale  float32 [d]: features are prepared as (x - mean) / scale
    turn         float32 [d, p], by which they are then multiplied, or None (p is d)
    points       float32 [n, p], prepared training pictures; of length 1 where cosine is set
    labels       int32 [n] in 0..k-1
    votes        float32 [k], the vote of a neighbour of each class
    neighbours   how many vote
    temperature  by which the logarithms of the votes are divided
    """

    kind: str
    mean: Floats
    scale: Floats
    turn: Floats | None
    points: Floats
    labels: NDArray[np.int32]
    votes: Floats
    neighbours: int
    cosine: bool
    temperature: float = 1.0

    def probabilities(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return float32 [n, k] for features [n, d]; rows sum to 1.

        A row's answer is the same, to the bit, whatever rows stand beside it.
        """
        out = np.empty((len(features), len(self.votes)), np.float32)
        step = max(1, AT_ONCE // max(self.points.size // 64, len(self.points), 1))
        for start in range(0, len(features), step):
            rows = np.asarray(features[start : start + step], np.float32)
            rows = (rows - self.mean) / self.scale
            if self.turn is not None:
                rows = each_alone(rows, np.ascontiguousarray(self.turn.T))
            if self.cosine:
                rows = of_length_one(rows)
            products = each_alone(rows, self.points)
            out[start : start + step] = self._scores(products, (self.neighbours,))[0]
        return softmax(out)

    def scores(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return float32 [n, k], fast: the last digits may hang on the rows beside a row."""
        return self.path(features, (self.neighbours,))[0]

    def path(self, features: NDArray[np.floating[Any]], counts: Sequence[int]) -> list[Floats]:
        """Return the scores [n, k] for several numbers of neighbours, from one sorting."""
        rows = (np.asarray(features, np.float32) - self.mean) / self.scale
        if self.turn is not None:
            rows = rows @ self.turn
        if self.cosine:
            rows = of_length_one(rows)
        step = max(1, AT_ONCE // max(len(self.points), 1))
        parts = [
            self._scores(np.asarray(rows[start : start + step] @ self.points.T, np.float32), counts)
            for start in range(0, len(rows), step)
        ]
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def _scores(self, products: Floats, counts: Sequence[int]) -> list[Floats]:
        """Return scores for the products of rows with all points; of equal ones the first counts.

        The squared distance is |x|^2 - 2 x.p + |p|^2; |x|^2 is the same for all points.
        """
        lengths = np.vecdot(self.points, self.points)
        most = min(max(counts), len(self.points))
        nearest = np.argsort(lengths - 2 * products, axis=1, kind="stable")[:, :most]
        given = self.votes[self.labels[nearest]]
        k, found = len(self.votes), []
        for count in counts:
            votes = np.full((len(products), k), PRIOR, np.float32)
            for place in range(min(count, most)):
                rows = np.arange(len(products))
                votes[rows, self.labels[nearest[:, place]]] += given[:, place]
            found.append(np.asarray(np.log(votes) / self.temperature, np.float32))
        return found

    def tempered(self, temperature: float) -> KnnHead:
        """Return the head whose scores are divided by `temperature`."""
        return replace(self, temperature=self.temperature * temperature)

    def on_raw(self, prepare: Preparation) -> KnnHead:
        """Return the head for features as they come, from this one for prepared features."""
        return replace(self, mean=prepare.mean, scale=prepare.scale, turn=prepare.turn)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that make the head, by name."""
        turn = {} if self.turn is None else {"turn": self.turn}
        rule = np.array([self.neighbours, self.cosine, self.temperature], np.float32)
        return {
            "mean": self.mean, "scale": self.scale, **turn, "points": self.points,
            "labels": self.labels, "votes": self.votes, "rule": rule,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, kind: str, arrays: Mapping[str, NDArray[Any]]) -> KnnHead:
        """Return the head that `arrays` came from; raises ValueError where they mean nothing."""
        neighbours, cosine, temperature = arrays["rule"].tolist()
        labels = arrays["labels"]
        if neighbours < 1 or temperature <= 0 or not (arrays["scale"] > 0).all():
            raise ValueError("its neighbours, temperature or scale are not above 0")
        if not len(labels) or labels.min() < 0 or labels.max() >= len(arrays["votes"]):
            raise ValueError("its labels are no numbers of classes")
        return cls(
            kind, arrays["mean"], arrays["scale"], arrays.get("turn"), arrays["points"], labels,
            arrays["votes"], int(neighbours), bool(cosine), float(temperature),
        )  # fmt: skip

    @staticmethod
    def layout(
        arrays: Mapping[str, NDArray[Any]], features: int, classes: int
    ) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return name -> (dtype, shape) that the arrays must have."""
        n, p = int(np.size(arrays.get("labels", ()))), features
        turn: dict[str, tuple[str, tuple[int, ...]]] = {}
        if "turn" in arrays and arrays["turn"].ndim == 2:
            p = arrays["turn"].shape[1]
            turn = {"turn": ("float32", (features, p))}
        return {
            "mean": ("float32", (features,)), "scale": ("float32", (features,)), **turn,
            "points": ("float32", (n, p)), "labels": ("int32", (n,)),
            "votes": ("float32", (classes,)), "rule": ("float32", (3,)),
        }  # fmt: skip


def of_length_one(rows: Floats) -> Floats:
    """Return the rows divided by their lengths."""
    lengths = np.sqrt(np.vecdot(rows, rows))[:, None]
    return np.asarray(rows / np.maximum(lengths, LEAST_LENGTH), np.float32)


def fit_knn(
    table: Table, labels: NDArray[np.intp], k: int, settings: Sequence[Setting], seed: int
) -> list[KnnHead]:
    """Return the heads for settings that differ in the number of neighbours alone."""
    points = np.ascontiguousarray(table.all())
    cosine = settings[0].form == "cosine"
    votes = np.ones(k, np.float32)
    if settings[0].balanced:
        votes = (len(labels) / (k * np.bincount(labels, minlength=k))).astype(np.float32)
    d = points.shape[1]
    head = KnnHead(
        "knn", np.zeros(d, np.float32), np.ones(d, np.float32), None,
        of_length_one(points) if cosine else points, labels.astype(np.int32), votes, 1, cosine,
    )  # fmt: skip
    return [replace(head, neighbours=int(one.strength)) for one in settings]
