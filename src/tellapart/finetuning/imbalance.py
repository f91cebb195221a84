"""What is done for rare classes, chosen by balanced accuracy on training pictures held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tellapart.finetuning.blending import choose_alpha, compare, paired_gain
from tellapart.finetuning.kept import Done
from tellapart.finetuning.losses import IMBALANCES
from tellapart.finetuning.recipes import Recipe
from tellapart.finetuning.records import Rows, Tuned

UNEVEN = 3.0  # times as many pictures in the largest class as in the smallest: tried from here on
SURE = 2.0  # standard errors by which the best must be ahead
NONE, AUTO = "none", "auto"


@dataclass(frozen=True)
class Option:
    """An option of IMBALANCES, the training of the first fold with it, and why it was chosen.

    tried  whether options were compared on the first fold
    """

    name: str
    first: Done
    why: str
    tried: bool = False

    @property
    def suffix(self) -> str:
        """The end of the names of the trainings that follow: another choice is another training."""
        return f" with {self.name}" if self.tried and self.name != NONE else ""

    def told(self, tuned: Tuned) -> Tuned:
        """Return the answer of a fine-tuning with this among its choices."""
        choice = {"what": "imbalance", "chosen": self.name, "why": self.why}
        return replace(tuned, choices=(*tuned.choices, choice))


def without_option(recipe: Recipe) -> Recipe:
    """Return the recipe that trains without any option until one is chosen."""
    return replace(recipe, imbalance=NONE) if recipe.imbalance == AUTO else recipe


def choose_option(
    counts: Rows, labels: Rows, components: Rows, first: Done,
    train: Callable[[str], Done | None],
) -> Option:  # fmt: skip
    """Return what to do for rare classes: nothing, unless something else is clearly better.

    counts              [k] training pictures of each class
    labels, components  [m] of the pictures that `first`, a training without any option, held out
    train               trains once more with an option; None where no time is left

    The options are compared at the share of the tuned weights that each would keep, 0 (the probe,
    which none of them changes) left out. Within SURE standard errors of the paired difference,
    nothing is done: the best of four is ahead by one of them often enough by chance.
    """
    uneven = counts.max() / max(1, counts.min())
    if uneven < UNEVEN:
        why = f"the largest class has {uneven:.1f} times the pictures of the smallest"
        return Option(NONE, first, f"{why}: nothing needed trying")
    if not any(alpha > 0 for alpha in first.scores):
        return Option(NONE, first, "only the probe is asked for: nothing needed trying")
    plain = _tuned(first, labels, components)
    if (plain.argmax(axis=1) == labels).all():
        why = f"all {len(labels):,} held-out pictures are right without"
        return Option(NONE, first, f"{why}: nothing needed trying")
    tried = {name: first if name == NONE else train(name) for name in IMBALANCES}
    done = {name: one for name, one in tried.items() if one is not None}
    scores = {name: _tuned(one, labels, components) for name, one in done.items()}
    gains = {name: paired_gain(one, plain, labels, components) for name, one in scores.items()}
    best = max(gains, key=lambda name: gains[name][0])  # the first of equals
    chosen = best if gains[best][0] > SURE * gains[best][1] else NONE
    figures = "; ".join(
        f"{name} {100 * value:+.1f} (standard error {100 * error:.1f})"
        for name, (value, error) in gains.items()
        if name != NONE
    )
    left = "" if len(done) == len(IMBALANCES) else "; the time budget left no room for more"
    return Option(
        chosen, done[chosen],
        f"points of balanced accuracy against none on {len(labels):,} held-out pictures: {figures}"
        f"{left}",
        tried=True,
    )  # fmt: skip


def _tuned(done: Done, labels: Rows, components: Rows) -> NDArray[np.float32]:
    """Return the scores [m, k] at the share of tuned weights that would be kept."""
    tuned = {alpha: one for alpha, one in done.scores.items() if alpha > 0}
    return done.scores[choose_alpha(compare(tuned, labels, components))]
