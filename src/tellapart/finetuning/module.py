"""What Lightning's Trainer drives: the module that is trained, and what happens at epochs' ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.finetuning.layers import rates
from tellapart.finetuning.losses import epoch_order, mixed
from tellapart.finetuning.records import Epoch, History, Rows
from tellapart.finetuning.training import (
    BEST,
    EVERY,
    LAST,
    Diverged,
    Training,
    as_epochs,
    epoch_rng,
    save_checkpoint,
    schedule,
)
from tellapart.finetuning.views import normalised
from tellapart.heads.temperature import UNSEEN, without_unseen
from tellapart.optional import need_lightning, need_torch
from tellapart.progress import Progress, Stage

MOST_SEED = 2**31


class Batches:
    """One epoch's batches as Lightning iterates them: (inputs, rows)."""

    def __init__(self, training: Training, rows: Rows, epoch: int | None) -> None:
        size = training.recipe.batch
        self._store, self._epoch = training.store, epoch
        self._batches = [rows[start : start + size] for start in range(0, len(rows), size)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        torch = need_torch()
        if self._epoch is None:
            found = self._store.whole(self._batches)
        else:
            found = self._store.training(self._batches, self._epoch)
        for batch, inputs in zip(self._batches, found, strict=True):
            yield inputs, torch.from_numpy(np.ascontiguousarray(batch))


def make_module(training: Training) -> Any:
    """Return the LightningModule of a training."""
    torch, lightning = need_torch(), need_lightning()
    recipe, halves = training.recipe, training.halves
    labels = torch.from_numpy(training.labels)
    classes = training.head.out_features

    LightningModule: Any = lightning.LightningModule

    class Module(LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network, self.head = halves.network, training.head
            self.epochs: list[Epoch] = []
            self.losses: list[float] = []
            self.scores: list[Any] = []
            self.held: dict[int, Any] = {}  # epoch -> its scores of the pictures held out, in order
            self.stopped = ""
            self.last_rate = 0.0

        def history(self) -> History:
            return History(training.name, tuple(self.epochs), self.stopped)

        def train(self, mode: bool = True) -> Any:
            """Keep what is frozen as it is, and batch norm's statistics unless they are learned."""
            super().train(mode)
            for one in self.network.modules():
                values = list(one.parameters())
                frozen = bool(values) and not any(value.requires_grad for value in values)
                statistics = isinstance(one, torch.nn.modules.batchnorm._BatchNorm)
                if frozen or (statistics and not recipe.learn_statistics):
                    one.eval()
            return self

        def training_step(self, batch: Any, number: int) -> Any:
            inputs, rows = batch
            targets = torch.nn.functional.one_hot(labels.to(rows.device)[rows], classes).float()
            inputs = self.prepared(inputs)
            rng = epoch_rng(training.seed, training.name, self.current_epoch, number)
            inputs, targets = mixed(inputs, targets, recipe.mixup, recipe.cutmix, rng)
            loss = training.loss(self.head(self.features(inputs)), targets)
            if not torch.isfinite(loss):
                raise Diverged(self.global_step + 1, self.rate())
            self.losses.append(float(loss.detach()))
            self.last_rate = self.rate()
            return loss

        def prepared(self, inputs: Any) -> Any:
            """Return the upper half's inputs: pixels are scaled and go through the frozen half."""
            if inputs.dtype == torch.uint8:
                inputs = normalised(inputs, training.transform, self.device)
                if halves.lower is not None:
                    with torch.no_grad():
                        inputs = halves.lower.to(self.device)(inputs)
            return inputs if recipe.half else inputs.float()

        def features(self, inputs: Any) -> Any:
            return halves.upper(inputs)

        def rate(self) -> float:
            return float(self.optimizers().param_groups[0]["lr"])

        def validation_step(self, batch: Any, number: int) -> None:
            inputs, rows = batch
            logits = self.head(self.features(self.prepared(inputs)))
            self.scores.append((torch.log_softmax(logits.float(), dim=1).cpu(), rows.cpu()))

        def on_train_epoch_start(self) -> None:
            self.train()  # Lightning leaves a network in the mode that it is given
            rng = epoch_rng(training.seed, training.name, self.current_epoch)
            torch.manual_seed(int(rng.integers(MOST_SEED)))  # dropout and its like

        def train_dataloader(self) -> Any:
            rng = epoch_rng(training.seed, training.name, self.current_epoch)
            own = epoch_order(training.labels[training.rows], recipe.imbalance, rng)
            return Batches(training, training.rows[own], self.current_epoch)

        def val_dataloader(self) -> Any:
            return Batches(training, training.held, None) if len(training.held) else []

        def configure_optimizers(self) -> Any:
            groups = rates(halves, self.head, recipe.rate, recipe.layer_decay)
            steps = recipe.epochs * recipe.steps(len(training.rows))
            optimizer = OPTIMIZERS[recipe.optimizer](torch.optim, groups, recipe.weight_decay)
            changed = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule(recipe, steps))
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": changed, "interval": "step"},
            }

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["tellapart"] = [asdict(one) for one in self.epochs]
            checkpoint["held"] = self.held

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.epochs = list(as_epochs(checkpoint["tellapart"]))
            self.held = checkpoint["held"]

    return Module()


OPTIMIZERS: dict[str, Any] = {
    "adamw": lambda optim, groups, decay: optim.AdamW(groups, weight_decay=decay),
    "adam": lambda optim, groups, decay: optim.Adam(groups, weight_decay=decay),
    "sgd": lambda optim, groups, decay: optim.SGD(
        groups, momentum=0.9, nesterov=True, weight_decay=decay
    ),
}


def make_callback(training: Training, stage: Stage, progress: Progress) -> Any:
    """Return what shows progress, notes each epoch, saves checkpoints and stops early."""
    lightning = need_lightning()
    recipe = training.recipe

    Callback: Any = lightning.Callback

    class Keeper(Callback):  # type: ignore[misc]
        def on_train_start(self, trainer: Any, module: Any) -> None:
            done = trainer.current_epoch * recipe.batches(len(training.rows))
            if done:
                progress.say(f"{training.name}: goes on after epoch {trainer.current_epoch}")
                stage.advance(done)

        def on_train_batch_end(self, *_: Any) -> None:
            stage.advance()

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            epoch = _epoch(module, trainer, training)
            module.epochs.append(epoch)
            module.held = _still_held(module, training)
            module.losses, module.scores = [], []
            progress.say(f"{training.name}, {epoch_words(epoch, recipe.epochs)}")
            module.log_dict(_logged(epoch))
            self._save(trainer, module, epoch)
            if _is_stuck(module.epochs, recipe.patience):
                module.stopped = f"no progress in {recipe.patience} epochs"
                trainer.should_stop = True
            elif epoch.number < recipe.epochs and _is_over(training.deadline):
                module.stopped = f"the time budget was used up after epoch {epoch.number}"
                trainer.should_stop = True

        def _save(self, trainer: Any, module: Any, epoch: Epoch) -> None:
            names = [LAST]
            if recipe.save_every and epoch.number % recipe.save_every == 0:
                names.insert(0, EVERY.format(epoch.number))
            if epoch.held_loss is not None and epoch.held_loss == min(
                one.held_loss for one in module.epochs if one.held_loss is not None
            ):
                names.insert(0, BEST)
            save_checkpoint(trainer, training.folder, names)

    return Keeper()


def _epoch(module: Any, trainer: Any, training: Training) -> Epoch:
    torch = need_torch()
    done = Epoch(
        number=trainer.current_epoch + 1,
        steps=trainer.global_step,
        rate=module.last_rate,
        train_loss=float(np.mean(module.losses)),
    )
    if not module.scores:
        return done
    scores = _held_scores(module, training)
    labels = training.labels[torch.cat([rows for _, rows in module.scores]).numpy()]
    of_truth = scores[np.arange(len(labels)), labels]
    known = of_truth > UNSEEN
    hits = scores.argmax(axis=1) == labels
    recalls = [hits[labels == one].mean() for one in np.unique(labels)]
    return replace(
        done,
        held_loss=float(-of_truth[known].mean()) if known.any() else None,
        held_accuracy=float(np.mean(recalls)),
    )


def _held_scores(module: Any, training: Training) -> NDArray[np.float32]:
    """Return the epoch's log probabilities [h, k] of the pictures held out, in their order."""
    scores = need_torch().cat([one for one, _ in module.scores]).numpy()
    return without_unseen(scores, training.labels[training.rows])


def _still_held(module: Any, training: Training) -> dict[int, Any]:
    """Return the scores of the pictures held out by epoch: of those whose checkpoints are kept."""
    if not module.scores:
        return {}
    scores = need_torch().from_numpy(_held_scores(module, training))
    save_every, last = training.recipe.save_every, module.epochs[-1].number
    judged = [one for one in module.epochs if one.held_loss is not None]
    best = min(judged, key=lambda one: one.held_loss).number if judged else last
    held = {**module.held, last: scores}
    return {
        number: one
        for number, one in held.items()
        if number in (last, best) or (save_every and number % save_every == 0)
    }


def epoch_words(epoch: Epoch, of: int) -> str:
    """Return one epoch in words."""
    held = ""
    if epoch.held_loss is not None:
        held = (
            f"; held out: loss {epoch.held_loss:.3f}, balanced accuracy {epoch.held_accuracy:.3f}"
        )
    return f"epoch {epoch.number} of {of}: loss {epoch.train_loss:.3f}{held}"


def _logged(epoch: Epoch) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in asdict(epoch).items()
        if name not in ("number", "steps") and value is not None
    }


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() > deadline


def _is_stuck(epochs: list[Epoch], patience: int) -> bool:
    losses = [one.held_loss for one in epochs if one.held_loss is not None]
    if not patience or len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])
