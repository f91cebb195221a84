"""A small feed-forward network: it predicts with numpy alone, scikit-learn fits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.heads.linear import CHUNK, each_alone, softmax
from tellapart.heads.prepare import chunks

if TYPE_CHECKING:
    from tellapart.heads.prepare import Preparation, Table
    from tellapart.heads.settings import Setting

FORMS = ("128", "64", "256", "128,64")  # widths of the hidden layers
DECAY = 1e-2  # scikit-learn's alpha: the penalty on squared weights
BATCH = 64
PASS = 2_000  # pictures that a pass sees at least: few pictures are seen several times in one
RATE = 1e-3  # Adam's, scikit-learn's default

Floats = NDArray[np.float32]
Layers = tuple[tuple[Floats, Floats], ...]


@dataclass(frozen=True)
class MlpHead:
    """A classifier on features: one or two hidden layers of rectified units, then softmax.

    layers  (weights float32 [inputs, units], bias float32 [units]) each, preparing folded in
    """

    kind: str
    layers: Layers

    def probabilities(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return float32 [n, k] for features [n, d]; rows sum to 1.

        A row's answer is the same, to the bit, whatever rows stand beside it.
        """
        columns = [(np.ascontiguousarray(weights.T), bias) for weights, bias in self.layers]
        out = np.empty((len(features), len(columns[-1][1])), np.float32)
        for start in range(0, len(features), CHUNK):
            rows = np.asarray(features[start : start + CHUNK], np.float32)
            for place, (weights, bias) in enumerate(columns):
                rows = each_alone(np.maximum(rows, 0) if place else rows, weights) + bias
            out[start : start + CHUNK] = rows
        return softmax(out)

    def scores(self, features: NDArray[np.floating[Any]]) -> Floats:
        """Return float32 [n, k], fast: the last digits may hang on the rows beside a row."""
        rows = np.asarray(features, np.float32)
        for place, (weights, bias) in enumerate(self.layers):
            rows = (np.maximum(rows, 0) if place else rows) @ weights + bias
        return rows

    def tempered(self, temperature: float) -> MlpHead:
        """Return the head whose scores are divided by `temperature`."""
        weights, bias = self.layers[-1]
        last = (
            np.asarray(weights / temperature, np.float32),
            np.asarray(bias / temperature, np.float32),
        )
        return MlpHead(self.kind, (*self.layers[:-1], last))

    def on_raw(self, prepare: Preparation) -> MlpHead:
        """Return the head for features as they come, from this one for prepared features."""
        return MlpHead(self.kind, (prepare.fold(*self.layers[0]), *self.layers[1:]))

    def arrays(self) -> dict[str, Floats]:
        """Return the arrays that make the head, by name."""
        named = {}
        for place, (weights, bias) in enumerate(self.layers):
            named[f"weights_{place}"] = np.ascontiguousarray(weights, np.float32)
            named[f"bias_{place}"] = np.asarray(bias, np.float32)
        return named

    @classmethod
    def from_arrays(cls, kind: str, arrays: Mapping[str, Floats]) -> MlpHead:
        """Return the head that `arrays` came from."""
        return cls(
            kind,
            tuple(
                (arrays[f"weights_{place}"], arrays[f"bias_{place}"])
                for place in range(len(arrays) // 2)
            ),
        )

    @staticmethod
    def layout(
        arrays: Mapping[str, NDArray[Any]], features: int, classes: int
    ) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return name -> (dtype, shape) that the arrays must have."""
        depth = 3 if "weights_2" in arrays else 2
        units = [int(np.size(arrays.get(f"bias_{place}", ()))) for place in range(depth - 1)]
        wanted: dict[str, tuple[str, tuple[int, ...]]] = {}
        for place, (before, after) in enumerate(
            zip([features, *units], [*units, classes], strict=True)
        ):
            wanted[f"weights_{place}"] = ("float32", (before, after))
            wanted[f"bias_{place}"] = ("float32", (after,))
        return wanted


def fit_mlp(
    table: Table, labels: NDArray[np.intp], k: int, settings: Sequence[Setting], seed: int
) -> list[MlpHead]:
    """Return the heads for settings that differ in the number of passes alone: one training.

    Rows are visited in an order drawn from the seed, BATCH at a time.
    """
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        tuple(int(width) for width in settings[0].form.split(",")),
        alpha=DECAY, batch_size=min(BATCH, len(labels)), learning_rate_init=RATE,
        random_state=seed,
    )  # fmt: skip
    wanted = [int(one.strength) for one in settings]
    drawn = np.random.default_rng(seed)
    found: dict[int, MlpHead] = {}
    for done in range(1, max(wanted) + 1):
        times = -(-PASS // len(labels)) if len(labels) < PASS else 1
        order = np.concatenate([drawn.permutation(len(labels)) for _ in range(times)])
        for chunk in chunks(len(order)):
            some = order[chunk]
            network.partial_fit(table.rows(some), labels[some], classes=np.arange(k))
        if done in wanted:
            found[done] = MlpHead("mlp", _layers(network))
    return [found[passes] for passes in wanted]


def _layers(network: Any) -> Layers:
    """Return copies of a fitted network's layers, with a score for each of two classes."""
    pairs = [
        (np.array(weights, np.float32), np.array(bias, np.float32))
        for weights, bias in zip(network.coefs_, network.intercepts_, strict=True)
    ]
    weights, bias = pairs[-1]
    if weights.shape[1] == 1:  # one unit: the second class against the first
        weights = np.hstack([-weights / 2, weights / 2])
        pairs[-1] = (weights, np.concatenate([-bias / 2, bias / 2]))
    return tuple(pairs)
