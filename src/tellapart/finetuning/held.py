"""What every kept checkpoint answers on held-out training pictures: so that one can be chosen.

The held-out answers of epoch 3 are those of all trainings that held pictures out, after their third
epoch; its checkpoint is the mean of those of the trainings whose weights are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import OptionError
from tellapart.finetuning.records import History, Rows
from tellapart.finetuning.training import BEST, EVERY, LAST
from tellapart.places import read_json, write_bytes, write_json

SCORES, RECORD = "held.safetensors", "held.json"
PROBE, KEPT = "probe", "kept"

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Held:
    """The stored answers on m training pictures, none by a training that learned from it.

    scores      "probe", "kept" (the model of the run), "epoch-1" ... -> log probabilities [m, k]
    files       name -> its checkpoints, relative to their folder; epochs alone
    labels      [m] in 0..k-1; components [m] pictures that hang together
    crossed     whether several trainings, each with pictures of its own, answered
    """

    scores: Mapping[str, Scores]
    files: Mapping[str, tuple[str, ...]]
    labels: Rows
    components: Rows
    classes: tuple[str, ...]
    crossed: bool


def epoch_files(folder: Path, trainings: Mapping[str, History]) -> dict[int, tuple[str, ...]]:
    """Return epoch -> its checkpoint in each training's folder, by name, where all have kept it."""
    found = [_epoch_files(folder, name, history) for name, history in trainings.items()]
    common = set.intersection(*map(set, found)) if found else ()
    return {number: tuple(files[number] for files in found) for number in sorted(common)}


def _epoch_files(folder: Path, place: str, history: History) -> dict[int, str]:
    epochs = history.epochs
    losses = {one.number: one.held_loss for one in epochs if one.held_loss is not None}
    named = {one.number: EVERY.format(one.number) for one in epochs}
    if losses:
        named |= {min(losses, key=lambda number: losses[number] or 0.0): BEST}
    named |= {one.number: LAST for one in epochs[-1:]}
    return {
        number: f"{place}/{name}"
        for number, name in named.items()
        if (folder / place / name).is_file()
    }


def save(folder: Path, held: Held) -> None:
    """Write what `load` returns, among the checkpoints of a run."""
    from safetensors.numpy import save as packed

    arrays: dict[str, NDArray[Any]] = {
        f"scores {name}": np.ascontiguousarray(one) for name, one in held.scores.items()
    }
    arrays |= {"labels": held.labels, "components": held.components}
    write_bytes(folder / SCORES, packed(arrays))
    told = {"classes": list(held.classes), "files": dict(held.files), "crossed": held.crossed}
    write_json(folder / RECORD, told)


def load(folder: Path) -> Held:
    """Return what `save` wrote; raises OptionError where a run was not fine-tuned."""
    from safetensors.numpy import load_file

    if not (folder / RECORD).is_file():
        raise OptionError(
            f"{folder.parent} holds no checkpoints to choose from: --checkpoint takes the folder of"
            " a fine-tuned run (tellapart finetune DATA --save-every 1)"
        )
    told, arrays = read_json(folder / RECORD), load_file(folder / SCORES)
    scores = {
        name.removeprefix("scores "): one
        for name, one in arrays.items()
        if name.startswith("scores ")
    }
    return Held(
        scores=scores,
        files={name: tuple(files) for name, files in told["files"].items()},
        labels=arrays["labels"].astype(np.intp),
        components=arrays["components"].astype(np.intp),
        classes=tuple(told["classes"]),
        crossed=told["crossed"],
    )
