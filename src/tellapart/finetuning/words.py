"""What fine-tuning did, in words: for the terminal, run.json and the page."""

from __future__ import annotations

from collections.abc import Sequence

from tellapart.advice.outlook import Outlook
from tellapart.finetuning.blending import Gain
from tellapart.finetuning.recipes import Recipe
from tellapart.finetuning.records import History, Mix, Tuned

OVERFIT = 0.10  # rise of the held-out loss above its least, as a share
UNDERFIT = 0.05  # fall of the training loss in the last epoch, as a share
SLOW = 0.02  # fall of the training loss over a whole training, as a share


NO_ROOM = 0.995  # a probe this good, in balanced accuracy out of fold, leaves nothing to gain
FLAT = 0.01  # of balanced accuracy: a learning curve that rises by no more with twice the pictures
TOO_FEW = 40  # training pictures: out-of-fold gains of less say nothing


def worth_trying(outlook: Outlook | None, pictures: int) -> tuple[bool, str]:
    """Return, when asked to decide (auto), whether a first training is worth its time, and why.

    outlook  None where nothing can be held out
    """
    if pictures < TOO_FEW or outlook is None:
        return False, f"{pictures:,} training pictures are too few to tell whether tuning pays"
    if outlook.score.value >= NO_ROOM:
        return False, f"it is right on {_score(outlook)} out of fold, which leaves nothing to gain"
    if outlook.score.high >= NO_ROOM and outlook.doubling.high <= FLAT:
        return False, (
            f"it is right on {_score(outlook)} out of fold, and even twice the pictures would bring"
            f" {_doubling(outlook)}: there is next to nothing to gain"
        )
    return True, (
        f"the probe is right on {_score(outlook)} out of fold, and twice the pictures would bring"
        f" {_doubling(outlook)}; a first training decides whether others follow"
    )


def _score(outlook: Outlook) -> str:
    score = outlook.score
    return f"{score.value:.1%} ({100 * score.low:.1f} to {100 * score.high:.1f} %)"


def _doubling(outlook: Outlook) -> str:
    gain = outlook.doubling
    return f"{_points(gain.value)}, {100 * gain.low:.1f} to {100 * gain.high:.1f}"


def kept_words(why: str, histories: tuple[History, ...], mixes: tuple[Mix, ...] = ()) -> Tuned:
    """Return that the probe is kept, and why."""
    return Tuned(
        backbone=None,
        head=None,
        histories=histories,
        mixes=mixes,
        choices=({"what": "fine-tuning", "chosen": "the probe is kept", "why": why},),
        words=(f"Fine-tuning: the probe is kept: {why}.",),
    )


def first_words(mixes: Sequence[Mix], pictures: int) -> str:
    """Return that a first training was no better than the probe (the mix of alpha 0)."""
    probe = next(one.loss for one in mixes if one.alpha == 0)
    others = [one.loss for one in mixes if one.alpha > 0]
    least = f": log loss {min(others):.3f}, its own {probe:.3f}" if others else ""
    return f"a first training did not beat it on {pictures:,} held-out pictures{least}"


def tuned_words(found: Gain | None, alpha: float) -> tuple[str, ...]:
    """Return how the tuned network compares with the probe out of fold."""
    if found is None:
        return (
            "Fine-tuning: the trained network is used; it was not compared with the probe out"
            " of fold.",
        )
    judged = (
        "that chose nothing about it"
        if found.fair
        else "that also chose how much to keep, so it flatters a little"
    )
    return (
        f"Fine-tuning: {_points(found.value)} of balanced accuracy against the probe (standard"
        f" error {100 * found.error:.1f}), on {found.pictures:,} training pictures held out"
        f" {judged}; {alpha:.0%} of the way from the starting weights is kept.",
    )


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"


def choices_of(
    recipe: Recipe, mixes: Sequence[Mix], alpha: float, temperature: float, trainings: int
) -> tuple[dict[str, str], ...]:
    """Return what was chosen and why, as run.json has it; `trainings` made the weights."""
    tried = "; ".join(f"{one.alpha:g}: log loss {one.loss:.4f}" for one in mixes)
    why = f"least log loss out of fold ({tried})" if len(mixes) > 1 else "as the recipe says"
    return (
        {"what": "fine-tuning", "chosen": f"alpha {alpha:g}", "why": why},
        {
            "what": "training",
            "chosen": f"{recipe.epochs} epochs at {recipe.size} px",
            "why": f"learning rate {recipe.rate:g}, {recipe.optimizer}, {recipe.schedule}, batch"
            f" {recipe.batch}, {recipe.freeze:.0%} of the layer groups frozen",
        },
        *_weights_choice(trainings),
        {
            "what": "temperature",
            "chosen": f"{temperature:.3g}",
            "why": "least log loss of the scores out of fold",
        },
    )


def _weights_choice(trainings: int) -> tuple[dict[str, str], ...]:
    if trainings == 1:
        return ()
    why = "each was judged on pictures that it had not seen; together they have seen all"
    return ({"what": "weights", "chosen": f"the mean of {trainings} trainings", "why": why},)


def advice(history: History) -> tuple[str, ...]:
    """Return what a training's curves say, a sentence each; nothing where they look well."""
    epochs = history.epochs
    lines = [f"{history.name}: {history.stopped}."] if history.stopped else []
    if len(epochs) < 2:
        return tuple(lines)
    train = [one.train_loss for one in epochs]
    held = [one.held_loss for one in epochs if one.held_loss is not None]
    if held and held[-1] > min(held) * (1 + OVERFIT):
        best = held.index(min(held)) + 1
        lines.append(
            f"{history.name}: it overfits: the loss on held-out pictures was least after epoch"
            f" {best} and rose since; fewer --epochs, a lower --lr, or more augmentation may help."
        )
    elif train[-1] < train[-2] * (1 - UNDERFIT) and (not held or held[-1] == min(held)):
        lines.append(
            f"{history.name}: it was still learning when it ended: more --epochs may help."
        )
    if train[-1] > train[0]:
        lines.append(
            f"{history.name}: the training loss rose: the learning rate is too high; lower --lr."
        )
    elif train[-1] > train[0] * (1 - SLOW):
        lines.append(
            f"{history.name}: the training loss hardly fell: the learning rate is too low, or"
            " there is nothing left to learn; look with tellapart lr-find."
        )
    return tuple(lines)
