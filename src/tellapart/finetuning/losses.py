"""What a training minimises, and how pictures of a batch are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tellapart.finetuning.records import Rows
from tellapart.optional import need_torch

IMBALANCES = ("none", "weights", "sampler", "focal", "logits")
FOCUS = 2.0  # gamma of the focal loss (Lin et al. 2017, arXiv:1708.02002)


@dataclass(frozen=True)
class Loss:
    """Cross entropy of soft targets, with what an imbalance option adds.

    weights  float32 [k], what a picture of a class counts; 1 on average over the pictures
    offsets  float32 [k], added to the logits in training alone (logit adjustment, Menon et al.
             2021, arXiv:2007.07314): rare classes must win by more, and do so without it
    """

    weights: Any
    offsets: Any
    smoothing: float
    focus: float

    def __call__(self, logits: Any, targets: Any) -> Any:
        """Return the mean loss for logits [b, k] and soft targets [b, k] that sum to 1."""
        torch = need_torch()
        k = logits.shape[1]
        targets = targets * (1 - self.smoothing) + self.smoothing / k
        chances = torch.log_softmax(logits.float() + self.offsets.to(logits.device), dim=1)
        each = -(targets * chances).sum(dim=1)
        if self.focus:
            each = each * (1 - (targets * chances.exp()).sum(dim=1)) ** self.focus
        worth = targets @ self.weights.to(logits.device)
        return (worth * each).sum() / worth.sum()


def make_loss(imbalance: str, counts: Rows, smoothing: float) -> Loss:
    """Return the loss of an option of IMBALANCES for classes of `counts` [k] pictures."""
    torch = need_torch()
    present = np.maximum(counts, 1)
    share = present / present.sum()
    even = np.ones(len(counts))
    weights = 1 / (share * len(counts)) if imbalance == "weights" else even
    offsets = np.log(share) if imbalance == "logits" else np.zeros(len(counts))
    return Loss(
        weights=torch.tensor(weights, dtype=torch.float32),
        offsets=torch.tensor(offsets, dtype=torch.float32),
        smoothing=smoothing,
        focus=FOCUS if imbalance == "focal" else 0.0,
    )


def epoch_order(labels: Rows, imbalance: str, rng: np.random.Generator) -> Rows:
    """Return the rows of one epoch: each once, or (sampler) as many of every class, drawn."""
    if imbalance != "sampler":
        return rng.permutation(len(labels))
    counts = np.bincount(labels)
    chances = 1 / (counts[labels] * np.count_nonzero(counts))
    return rng.choice(len(labels), len(labels), p=chances)


def mixed(
    inputs: Any, targets: Any, mixup: float, cutmix: float, rng: np.random.Generator
) -> tuple[Any, Any]:
    """Return a batch whose pictures are blended (mixup, Zhang et al. 2018, arXiv:1710.09412) or
    patched (cutmix, Yun et al. 2019, arXiv:1905.04899) with one another, and its targets.

    With both asked for, each batch takes one of them by lot. Behind a frozen half it is that
    half's outputs that are mixed (manifold mixup, Verma et al. 2019, arXiv:1806.05236).
    """
    chosen = [kind for kind, alpha in (("mix", mixup), ("cut", cutmix)) if alpha > 0]
    if not chosen:
        return inputs, targets
    torch = need_torch()
    kind = chosen[rng.integers(len(chosen))]
    order = torch.from_numpy(rng.permutation(len(inputs))).to(inputs.device)
    alpha = mixup if kind == "mix" else cutmix
    share = float(rng.beta(alpha, alpha))
    if kind == "mix":
        inputs = share * inputs + (1 - share) * inputs[order]
    else:
        top, bottom, left, right = _patch(inputs.shape[-2:], share, rng)
        inputs = inputs.clone()
        inputs[..., top:bottom, left:right] = inputs[order][..., top:bottom, left:right]
        height, width = inputs.shape[-2:]
        share = 1 - (bottom - top) * (right - left) / (height * width)
    return inputs, share * targets + (1 - share) * targets[order]


def _patch(
    shape: tuple[int, int], share: float, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right of a patch that leaves about `share` of the picture."""
    ends = []
    for length in shape:
        side = round(length * float(np.sqrt(1 - share)))
        middle = int(rng.integers(length))
        ends += [max(0, middle - side // 2), min(length, middle + (side + 1) // 2)]
    top, bottom, left, right = ends
    return top, bottom, left, right
