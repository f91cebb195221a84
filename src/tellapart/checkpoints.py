"""`evaluate RUN --checkpoint`: the checkpoints of a fine-tuned run, scored, and one made a model.

They are scored by stored answers on training pictures that were held out: the pictures that judge
take no part in the choice.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.backbones.adapted import BandStatistics, adapted
from tellapart.engines.openvino import XML, write_network
from tellapart.errors import OptionError, did_you_mean
from tellapart.evaluation import CROSSED_WIDENING, Evaluation, evaluate, to_metrics_json
from tellapart.features.recipes import parse_backbones
from tellapart.finetuning.held import KEPT, PROBE, Held, load
from tellapart.heads.linear import LinearHead, softmax
from tellapart.heads.temperature import best_temperature
from tellapart.images.transforms import Transform
from tellapart.models.classifier import Classifier
from tellapart.models.folder import WEIGHTS, find_model_folder, load_classifier
from tellapart.places import new_folder, read_json
from tellapart.run_folder import CHECKPOINTS, RUN_JSON
from tellapart.settings import NetworkSettings


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint and how it does on held-out training pictures.

    name        "kept" (the model of the run), "probe", "epoch-1" ...
    can_be_had  whether `write_checkpoint` can make a model of it
    """

    name: str
    evaluation: Evaluation
    can_be_had: bool

    def to_json(self) -> dict[str, Any]:
        """Return the object that `evaluate --checkpoint all --json` prints."""
        found = to_metrics_json(self.evaluation, None)
        return {"name": self.name, "can_be_had": self.can_be_had} | {
            name: found[name] for name in ("headline", "metrics", "per_class", "confusion")
        }


def score_checkpoints(run: str | Path) -> tuple[Checkpoint, ...]:
    """Return every checkpoint of a fine-tuned run with its scores, the model of the run first.

    Nothing is computed by a network: the answers were stored while it was trained. Raises a
    TellapartError, in one line, where the run has none.
    """
    held = load(Path(run) / CHECKPOINTS)
    order = sorted(held.scores, key=lambda name: (name != KEPT, name != PROBE, _number(name)))
    return tuple(
        Checkpoint(name, _evaluation(held, held.scores[name]), name in held.files) for name in order
    )


def _number(name: str) -> int:
    return int(name.rpartition("-")[2]) if "-" in name else 0


def _evaluation(held: Held, scores: NDArray[np.float32]) -> Evaluation:
    largest = int(np.bincount(held.labels).argmax())
    return evaluate(
        softmax(scores / best_temperature(scores, held.labels)), held.labels,
        classes=held.classes, components=held.components, baseline_class=held.classes[largest],
        widening=CROSSED_WIDENING if held.crossed else 1.0,
    )  # fmt: skip


def write_checkpoint(run: str | Path, name: str, out: str | Path) -> Classifier:
    """Write a checkpoint of a fine-tuned run as a model folder at `out`, new or empty; return it.

    It has not been judged yet: `evaluate` does that. Raises a TellapartError, in one line, for a
    name that is none, or a checkpoint that is gone.
    """
    from tellapart.finetuning.export import tuned_backbone

    folder = Path(run) / CHECKPOINTS
    held = load(folder)
    _check(held, name, Path(run))
    kept, place = load_classifier(run), new_folder(Path(out))
    weights, head = _tensors(Path(run), [folder / one for one in held.files[name]])
    temperature = best_temperature(held.scores[name], held.labels)
    (part,) = kept.parts
    stored = read_json(Path(run) / RUN_JSON)["settings"]
    backbone = tuned_backbone(_backbone(stored, part.transform), weights)
    with tempfile.TemporaryDirectory() as made:
        write_network(backbone, Path(made))
        classifier = replace(
            kept,
            parts=(replace(part, weights_digest=backbone.weights_digest, network=XML),),
            networks={XML: Path(made) / XML},
            head=head.tempered(temperature),
            headline=None,
            weights=weights,
            operating=None,
            card={**kept.card, "per_class": [], "settings": f"{kept.card['settings']}, {name}"},
        )
        classifier.save(place)
    return load_classifier(place)


def _check(held: Held, name: str, run: Path) -> None:
    if name in held.files:
        return
    if name in (KEPT, PROBE) and name in held.scores:
        what = "is the model of the run" if name == KEPT else "is what tellapart run makes"
        raise OptionError(f"--checkpoint {name}: that {what}; choose an epoch")
    if not held.files:
        raise OptionError(
            f"{run} keeps the probe, or its trainings kept no epoch in common: run tellapart"
            " finetune again with --save-every 1 (and --alphas 1, which keeps no probe)"
        )
    known = ("all", *held.files)
    raise OptionError(
        f"--checkpoint {name}: unknown{did_you_mean(name, known)} (known: {', '.join(known)})"
    )


def _tensors(run: Path, checkpoints: Sequence[Path]) -> tuple[dict[str, NDArray[Any]], LinearHead]:
    """Return the network's weights by name, those of the model changed to the mean of checkpoints,
    and their head.
    """
    from safetensors.numpy import load_file

    from tellapart.finetuning.blending import mean_of
    from tellapart.finetuning.training import checkpoint_state

    for one in checkpoints:
        if not one.is_file():
            raise OptionError(f"the checkpoint {one} is gone: choose another one")
    weights = load_file(find_model_folder(run) / WEIGHTS)
    state = mean_of([checkpoint_state(one) for one in checkpoints])
    trained = {name: one.numpy() for name, one in state.items()}
    for name in weights:
        weights[name] = trained.get(f"network.{name}", weights[name])
    head = LinearHead("logistic", trained["head.weight"].T, trained["head.bias"])
    return weights, head


def _backbone(settings: dict[str, Any], transform: Transform) -> Backbone:
    """Return the backbone that a run began with, for the inputs that its network takes."""
    stored: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings["network"].items()
    }
    (backbone,) = parse_backbones(settings["backbone"], NetworkSettings(**stored))
    if backbone.transform.size != transform.size and backbone.resize is not None:
        backbone = backbone.resize(transform.size)
    if transform.bands == backbone.transform.bands:
        return backbone
    any_statistics = BandStatistics((0.0,) * transform.bands, (1.0,) * transform.bands)
    return replace(adapted(backbone, transform.bands, any_statistics), transform=transform)
