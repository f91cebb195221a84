"""What fine-tuning takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.data.pictures import Source
from tellapart.heads.linear import LinearHead

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """The n training pictures: nothing else takes part in any choice.

    labels      [n] in 0..k-1, every class present
    features    [n, d] of the untouched backbone: what the probe was fitted on
    components  [n] pictures that stay together when folds are made
    """

    sources: Sequence[Source]
    ids: Sequence[str]
    labels: Rows
    features: NDArray[Any]
    components: Rows
    classes: tuple[str, ...]

    def sorted(self) -> Examples:
        """Return the same pictures in an order that hangs on them alone."""
        order = sorted(range(len(self.ids)), key=lambda row: (self.ids[row], self.labels[row]))
        return Examples(
            sources=[self.sources[row] for row in order],
            ids=[self.ids[row] for row in order],
            labels=self.labels[order],
            features=self.features[order],
            components=self.components[order],
            classes=self.classes,
        )


@dataclass(frozen=True)
class Epoch:
    """One pass of one training.

    number         counted from 1; steps: of the optimiser, done by its end
    rate           learning rate of the head at its last step
    train_loss     mean loss of its steps, as trained (augmented, smoothed, weighted)
    held_loss      log loss on the pictures held out; None where none are
    held_accuracy  their balanced accuracy
    """

    number: int
    steps: int
    rate: float
    train_loss: float
    held_loss: float | None = None
    held_accuracy: float | None = None


@dataclass(frozen=True)
class History:
    """How one training went: `name` is "fold 1" ... or "all"; stopped says why it ended early."""

    name: str
    epochs: tuple[Epoch, ...]
    stopped: str = ""


@dataclass(frozen=True)
class Mix:
    """What one alpha reaches out of fold: log loss and balanced accuracy with standard error."""

    alpha: float
    loss: float
    accuracy: float
    error: float


@dataclass(frozen=True)
class Tuned:
    """What came of fine-tuning.

    backbone    the tuned network, which any engine runs; None where the probe is kept
    head        its head, None likewise
    weights     torch's tensors of the tuned network by name, for weights.safetensors
    alpha       the share of the tuned weights that was kept
    histories   of every training that was done
    mixes       what each alpha reached on pictures that its training had not seen
    samples     a JPEG: a picture a row, as it is judged and then its augmented views
    choices     {"what", "chosen", "why"} for run.json and the page
    words       sentences for a person
    """

    backbone: Backbone | None
    head: LinearHead | None
    weights: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    alpha: float = 0.0
    histories: tuple[History, ...] = ()
    mixes: tuple[Mix, ...] = ()
    choices: tuple[dict[str, str], ...] = ()
    words: tuple[str, ...] = ()
    samples: bytes = field(default=b"", repr=False)
