"""What pretraining is worth: a network from random weights beside the pretrained one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tellapart.evaluation.compare import points_words
from tellapart.evaluation.records import Estimate, Evaluation


@dataclass(frozen=True)
class PretrainingEffect:
    """The probe, which is a head on the frozen pretrained network, against a network of the same
    kind that was trained from random weights; both on the same pictures.

    pretrained  how the probe did; scratch: the other, by the whole picture alone as the probe
    difference  balanced accuracy of the first less the second, paired, with its 95 % interval
    """

    pretrained: Evaluation
    scratch: Evaluation
    difference: Estimate

    def to_json(self) -> dict[str, Any]:
        """Return the object that stands in run.json."""
        return {
            "balanced_accuracy": self.pretrained.headline.value,
            "confusion": self.pretrained.confusion.tolist(),
            "difference": asdict(self.difference),
        }


def pretraining_words(effect: PretrainingEffect) -> str:
    """Return the difference in a sentence."""
    return (
        "Pretraining: the pretrained network, frozen, with a fitted head has a balanced accuracy"
        f" of {effect.pretrained.headline.value:.3f} on the same pictures, the same network trained"
        f" from random weights {effect.scratch.headline.value:.3f}: pretraining is worth"
        f" {points_words(effect.difference)}."
    )
