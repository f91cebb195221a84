"""What a training with held-out pictures left, on disk: a resumed run does not do it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import OptionError, first_few
from tellapart.finetuning.recipes import Recipe
from tellapart.finetuning.records import Epoch, History
from tellapart.optional import need_torch
from tellapart.places import write_bytes, write_json, writing
from tellapart.splits.components import numbered

if TYPE_CHECKING:
    from tellapart.finetuning.finetune import Question

ASKED = "asked.json"
WRITTEN = ("format", "tellapart")  # what `write_json` adds: another version may go on
SCORES, STATE, RECORD = "scores.safetensors", "state.safetensors", "done.json"
FREE = ("save_every", "logger", "auto_batch")  # what a resumed fine-tuning may do in another way


@dataclass(frozen=True)
class Done:
    """scores: alpha -> log probabilities [m, k] of the pictures held out; epochs: the same of the
    trained weights, by epoch; state: the trained tensors; seconds it took."""

    scores: Mapping[float, NDArray[np.float32]]
    epochs: Mapping[int, NDArray[np.float32]]
    history: History
    state: Mapping[str, Any]
    seconds: float


def asked_of(question: Question, recipe: Recipe) -> dict[str, Any]:
    """Return what must be the same for a fine-tuning to go on: plain values."""
    examples = question.examples
    together = numbered(examples.components, examples.ids)
    pictures = "\n".join(
        f"{id_} {label} {component}"
        for id_, label, component in zip(examples.ids, examples.labels, together, strict=True)
    )
    return {
        "pictures": hashlib.blake2b(pictures.encode(), digest_size=8).hexdigest(),
        "classes": list(examples.classes),
        "backbone": question.backbone.name,
        "weights": question.backbone.weights_digest[:16],
        "input": question.backbone.transform.to_json(),
        "bands": [list(question.bands), list(question.decoding.bands or ())],
        "mirror": question.mirror,
        "seed": question.seed,
        "folds": question.settings.folds,
        "one training above": question.settings.tune_above,
        **{name: value for name, value in asdict(recipe).items() if name not in FREE},
    }


def check_same(folder: Path, asked: Mapping[str, Any], *, resume: bool) -> None:
    """Note what a fine-tuning was asked for; raise OptionError where a resumed one differs.

    asked  plain values: the recipe, and what tells the data, the network and the split
    """
    place = folder / ASKED
    now = json.loads(json.dumps(dict(asked)))
    if resume and place.is_file():
        before = json.loads(place.read_text(encoding="utf-8"))
        other = [
            f"{name} was {before.get(name)}, is {now.get(name)}"
            for name in (*before, *(one for one in now if one not in before))
            if name not in WRITTEN and before.get(name) != now.get(name)
        ]
        if other:
            raise OptionError(
                f"--resume goes on with the same data and recipe only: {first_few(other)}; give"
                " what it was begun with, or begin anew with --force"
            )
        return
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(place, now)


def save(folder: Path, done: Done) -> None:
    """Write it, its record last: what a kill leaves is whole or not there."""
    from safetensors.numpy import save as packed

    scores = {f"alpha {alpha!r}": one for alpha, one in done.scores.items()}
    scores |= {f"epoch {number}": one for number, one in done.epochs.items()}
    write_bytes(folder / SCORES, packed(scores))
    state = {name: np.array(one.numpy(), order="C") for name, one in done.state.items()}
    write_bytes(folder / STATE, packed(state))
    write_json(folder / RECORD, {**asdict(done.history), "seconds": done.seconds})


def load(folder: Path) -> Done | None:
    """Return what `save` wrote, None where it has not."""
    from safetensors.numpy import load as unpacked

    try:
        stored = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        scores = unpacked((folder / SCORES).read_bytes())
        state = unpacked((folder / STATE).read_bytes())
    except FileNotFoundError:
        return None
    torch = need_torch()
    by_kind: dict[str, dict[str, NDArray[np.float32]]] = {"alpha": {}, "epoch": {}}
    for name, one in scores.items():
        kind, _, number = name.partition(" ")
        by_kind[kind][number] = one
    return Done(
        {float(number): one for number, one in by_kind["alpha"].items()},
        {int(number): one for number, one in by_kind["epoch"].items()},
        History(stored["name"], tuple(Epoch(**one) for one in stored["epochs"]), stored["stopped"]),
        {name: torch.from_numpy(one) for name, one in state.items()},
        stored["seconds"],
    )
