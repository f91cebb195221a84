"""One training with Lightning's Trainer: from a start to tuned weights, resumable at any epoch."""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import OptionError, OutputError, counted
from tellapart.finetuning.layers import Halves
from tellapart.finetuning.losses import Loss
from tellapart.finetuning.recipes import Recipe
from tellapart.finetuning.records import Epoch, History, Rows
from tellapart.finetuning.views import Store
from tellapart.images import Transform
from tellapart.optional import need_lightning, need_torch
from tellapart.places import writing
from tellapart.progress import Progress

Done = TypeVar("Done")

RANGE = "range"  # the schedule of the learning rate range test
RANGE_RATES = (1e-6, 1.0)
LAST, BEST, EVERY = "last.ckpt", "best.ckpt", "epoch-{:03}.ckpt"


@dataclass(frozen=True)
class Training:
    """All that one training needs.

    halves, head  the start; both are changed by it
    rows          [m] of the store that are learned from; held [h] those held out, may be empty
    labels        [n] of all pictures of the store
    folder        where its checkpoints stand
    """

    name: str
    halves: Halves
    head: Any
    store: Store
    rows: Rows
    held: Rows
    labels: Rows
    loss: Loss
    recipe: Recipe
    transform: Transform
    folder: Path
    seed: int
    deadline: float | None = None  # of time.monotonic(): no epoch begins after it


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the trained tensors by name (network.*, head.*) and its history.

    held  epoch -> log probabilities [h, k] of the pictures held out, where its checkpoint is kept
    """

    state: Mapping[str, Any]
    history: History
    held: Mapping[int, NDArray[np.float32]]


class Diverged(Exception):
    """The loss is no number any more: at which step (from 1) and learning rate."""

    def __init__(self, step: int, rate: float) -> None:
        super().__init__(step, rate)
        self.step, self.rate = step, rate


def state_of(halves: Halves, head: Any) -> dict[str, Any]:
    """Return copies of the trained tensors by name, on the CPU."""
    named = [(f"network.{name}", one) for name, one in halves.network.named_parameters()]
    named += [(f"network.{name}", one) for name, one in halves.network.named_buffers()]
    named += [(f"head.{name}", one) for name, one in head.named_parameters()]
    return {name: one.detach().cpu().clone() for name, one in named}


def load_state(halves: Halves, head: Any, state: Mapping[str, Any]) -> None:
    """Put tensors of `state_of` back."""
    for prefix, module in (("network.", halves.network), ("head.", head)):
        own = {name.removeprefix(prefix): one for name, one in state.items()
               if name.startswith(prefix)}  # fmt: skip
        module.load_state_dict(own, strict=False)


def train(training: Training, progress: Progress, *, resume: bool) -> Trained:
    """Train, from the last whole epoch where `resume` is set and a checkpoint is there.

    A loss that is no number ends the training with the weights of the last whole epoch. Raises
    OutputError where a checkpoint cannot be written, OptionError as `within_memory` does.
    """
    return within_memory(
        training, lambda one, start: _train(one, start, progress, resume=resume), progress
    )


def within_memory(
    training: Training, work: Callable[[Training, Mapping[str, Any]], Done], progress: Progress
) -> Done:
    """Return what `work` makes of a training and its start; with `auto_batch`, of half batches
    where the memory of a GPU does not hold them.

    Raises OptionError where it does not hold a batch (with `auto_batch` a single picture).
    """
    torch, recipe = need_torch(), training.recipe
    start = state_of(training.halves, training.head)
    try:
        return work(training, start)
    except torch.OutOfMemoryError as problem:
        held = f"the GPU's memory does not hold {counted(recipe.batch, 'picture')} of"
        if not recipe.auto_batch or recipe.batch == 1:
            raise OptionError(
                f"{held} {recipe.size} px: give a smaller --batch (and --accumulate to keep its"
                " effect, or --auto-batch for both) or a smaller --size"
            ) from problem
    smaller = recipe.halved()
    progress.say(
        f"{training.name}: {held} {recipe.size} px: {smaller.batch} at once are tried, and"
        f" {smaller.accumulate} such batches added up"
    )
    torch.cuda.empty_cache()
    load_state(training.halves, training.head, start)
    return within_memory(replace(training, recipe=smaller), work, progress)


def _train(
    training: Training, start: Mapping[str, Any], progress: Progress, *, resume: bool
) -> Trained:
    """Train as `train` says; raises torch's own error where a batch does not fit into memory."""
    from tellapart.finetuning.module import make_callback, make_module

    with writing(training.folder):
        training.folder.mkdir(parents=True, exist_ok=True)
    last = training.folder / LAST
    steps = training.recipe.epochs * training.recipe.batches(len(training.rows))
    with progress.stage(f"train {training.name}", steps, "steps") as stage, quiet_lightning():
        module = make_module(training)
        callback = make_callback(training, stage, progress)
        trainer = make_trainer(training.recipe, [callback], training.folder)
        try:
            trainer.fit(
                module, ckpt_path=str(last) if resume and last.is_file() else None,
                weights_only=True,
            )  # fmt: skip
        except Diverged as problem:
            return _last_good(training, start, module, problem, progress)
    history = module.history()
    state = state_of(training.halves, training.head)
    if training.recipe.patience and history.stopped and (training.folder / BEST).is_file():
        state = checkpoint_state(training.folder / BEST)
    return Trained(state, history, _held(module))


def _held(module: Any) -> dict[int, NDArray[np.float32]]:
    return {number: one.numpy() for number, one in module.held.items()}


def _last_good(
    training: Training,
    start: Mapping[str, Any],
    module: Any,
    problem: Diverged,
    progress: Progress,
) -> Trained:
    last, history = training.folder / LAST, module.history()
    state = checkpoint_state(last) if history.epochs and last.is_file() else start
    kept = f"epoch {len(history.epochs)}" if history.epochs else "the start"
    words = (
        f"it diverged: the loss was no number at step {problem.step}, at a learning rate of"
        f" {problem.rate:.3g}; the weights of {kept} are kept, and a lower --lr may help"
    )
    progress.say(f"{training.name}: {words}")
    load_state(training.halves, training.head, state)
    return Trained(state, replace(history, stopped=words), _held(module))


def checkpoint_state(path: Path) -> dict[str, Any]:
    """Return the trained tensors of a checkpoint; reads nothing but tensors and plain values."""
    torch = need_torch()
    stored = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    return {name: value for name, value in stored.items() if name.startswith(("network.", "head."))}


def make_trainer(recipe: Recipe, callbacks: list[Any], folder: Path) -> Any:
    """Return Lightning's Trainer for a recipe."""
    lightning = need_lightning()
    if recipe.ema:
        averaging = lightning.callbacks.EMAWeightAveraging(decay=recipe.ema)
        callbacks = [averaging, *callbacks]
    return lightning.Trainer(
        accelerator=recipe.accelerator,
        devices=recipe.devices,
        strategy=recipe.strategy,
        precision=recipe.precision,
        max_epochs=recipe.epochs,
        accumulate_grad_batches=recipe.accumulate,
        gradient_clip_val=recipe.clip or None,
        logger=make_logger(recipe.logger, folder),
        callbacks=callbacks,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        default_root_dir=str(folder),
    )


def make_logger(name: str | None, folder: Path) -> Any:
    """Return Lightning's own logger by name, False for none; raises where its library is absent."""
    if name is None:
        return False
    loggers = need_lightning().loggers
    made = {
        "tensorboard": lambda: loggers.TensorBoardLogger(str(folder / "logs")),
        "mlflow": lambda: loggers.MLFlowLogger(save_dir=str(folder / "mlruns")),
    }
    try:
        return made[name]()
    except ModuleNotFoundError as problem:
        raise OptionError(
            f"--logger {name} needs its own library ({problem.name}): pip install {name}"
        ) from problem


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning from talking of data loaders and devices: we say what matters."""
    need_lightning()  # its import sets the levels that are changed here
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [one.level for one in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)


def save_checkpoint(trainer: Any, folder: Path, names: Sequence[str]) -> None:
    """Write one checkpoint under each name, the last of them last, each whole or not at all: what
    stood there stays until then. Torch writes once; the rest are copies, which cost far less.
    """
    *others, last = names
    written, copy = folder / f".{last}.partial", folder / ".copy.partial"
    try:
        trainer.save_checkpoint(written)
        if not trainer.is_global_zero:  # several devices: one of them writes
            return
        for name in others:
            shutil.copyfile(written, copy)
            copy.replace(folder / name)
        written.replace(folder / last)
    except (OSError, RuntimeError) as problem:  # torch's writer turns a full disk into the second
        for partial in (written, copy):
            partial.unlink(missing_ok=True)
        reason = getattr(problem, "strerror", None) or str(problem).splitlines()[0]
        raise OutputError(
            f"cannot write the checkpoint {folder / last}: {reason}; the last good one stays:"
            " free some space, then go on with --resume"
        ) from problem


Factor = Callable[[int], float]


def schedule(recipe: Recipe, steps: int) -> Factor:
    """Return what the learning rate is multiplied by at each of `steps` steps, from 0.

    cosine    up in a straight line for the share `warmup`, then down to 0 along a cosine
    onecycle  up from 1/25 for 30 %, then down to 1e-5, along cosines (Smith and Topin 2018,
              arXiv:1708.07120, in fastai's form)
    constant  1
    range     up from 1e-6 to 1, each step by the same factor
    """
    rise = max(1, round(recipe.warmup * steps))

    def cosine(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))

    def onecycle(step: int) -> float:
        top = max(1, round(0.3 * steps))
        if step < top:
            return _between(1 / 25, 1.0, step / top)
        return _between(1.0, 1e-5, (step - top) / max(1, steps - top))

    low, high = RANGE_RATES

    def growing(step: int) -> float:
        return float(low * (high / low) ** min(1.0, step / 99))

    if recipe.schedule == RANGE:
        return growing
    return {"cosine": cosine, "onecycle": onecycle, "constant": lambda _: 1.0}[recipe.schedule]


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def epoch_rng(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return the generator of one epoch (and step) of one training: a resumed one draws the same"""
    return np.random.default_rng([seed, *name.encode(), *numbers])


def as_epochs(stored: list[dict[str, Any]]) -> tuple[Epoch, ...]:
    """Return the epochs that a checkpoint holds as plain values."""
    return tuple(Epoch(**one) for one in stored)
