"""The workbench of a fine-tuning: the network cut in two, its start, the pictures made ready."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.engines.allocation import keep_freed_pages
from tellapart.engines.torch import torch_device
from tellapart.errors import OptionError
from tellapart.finetuning.blending import LOWEST
from tellapart.finetuning.depthwise import speed_up
from tellapart.finetuning.layers import Halves, cut
from tellapart.finetuning.pictures import Pictures, hold_tables
from tellapart.finetuning.recipes import Recipe, make_recipe
from tellapart.finetuning.records import Rows
from tellapart.finetuning.training import state_of
from tellapart.finetuning.views import AT_ONCE, Store, make_store, normalised
from tellapart.images import Transform
from tellapart.optional import need_torch
from tellapart.progress import Progress

if TYPE_CHECKING:
    from tellapart.finetuning.finetune import Question

SCORED = 64  # pictures scored at once, on a GPU no more than are trained on


@dataclass(frozen=True)
class Bench:
    """What all trainings of one fine-tuning share; `halves` and `head` hold one state at a time.

    network  the whole network with its starting weights
    first    the trained tensors' starting values, the head's left out
    """

    recipe: Recipe
    network: Any
    halves: Halves
    head: Any
    first: Mapping[str, Any]
    store: Store
    pictures: Pictures
    transform: Transform
    device: str
    folder: Path
    resume: bool
    deadline: float | None  # of time.monotonic()

    def start(self, question: Question, part: NDArray[np.bool_] | None) -> dict[str, Any]:
        """Return the tensors that a training on the rows `part` (None: all) starts from."""
        torch = need_torch()
        if self.recipe.head == "new":
            return dict(self.first)
        head = question.start if part is None or part.all() else question.fit_head(
            np.flatnonzero(part)
        )  # fmt: skip
        bias = np.maximum(np.nan_to_num(head.bias, neginf=LOWEST), LOWEST)
        return {
            **self.first,
            "head.weight": torch.from_numpy(np.ascontiguousarray(head.weights.T)),
            "head.bias": torch.from_numpy(bias),
        }

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """Return log probabilities [m, k] of the pictures at `rows`, as the halves and head are."""
        torch = need_torch()
        most = SCORED if self.device == "cpu" else min(SCORED, self.recipe.batch)
        batches = [rows[start : start + most] for start in range(0, len(rows), most)]
        upper, head = self.halves.upper.to(self.device).eval(), self.head.to(self.device)
        found = []
        with torch.inference_mode(), autocast(self.recipe, self.device)():
            for inputs in self.store.whole(batches):
                inputs = self._between(inputs)
                logits = head(upper(inputs if self.recipe.half else inputs.float()))
                found.append(torch.log_softmax(logits.float(), dim=1).cpu().numpy())
        return np.concatenate(found)

    def _between(self, inputs: Any) -> Any:
        if inputs.dtype != need_torch().uint8:
            return inputs.to(self.device)
        inputs = normalised(inputs, self.transform, self.device)
        return inputs if self.halves.lower is None else self.halves.lower(inputs)

    def whole_network(self) -> Any:
        """Return the whole network with the trained tensors as they are now."""
        if self.halves.network is not self.network:
            trained = {
                name: one
                for name, one in self.halves.network.state_dict().items()
                if name in self.network.state_dict()
            }
            self.network.load_state_dict(trained, strict=False)
        return self.network.cpu()


def recipe_of(question: Question) -> Recipe:
    """Return the recipe for a question on this machine."""
    device = torch_device()
    return make_recipe(
        question.settings, input_size=question.backbone.transform.size, device=device,
        fast_half=device == "cuda" or (device == "cpu" and question.fast_half),
        pictures=len(question.examples.labels),
    )  # fmt: skip


def make_bench(question: Question, recipe: Recipe, progress: Progress) -> Bench:
    """Return the bench for a question: network cut, frozen half computed where it can be kept."""
    torch = need_torch()
    device, transform = torch_device(), question.backbone.transform
    if device == "cpu":
        keep_freed_pages()
    torch.manual_seed(question.seed)
    network = _network(question, recipe, device)
    recipe = _fitting(network, recipe, transform)
    example = torch.randn(
        2, transform.bands, recipe.size, recipe.size, generator=torch.Generator().manual_seed(0)
    )
    halves = cut(network, recipe.freeze, example)
    head = new_head(question.backbone.features, len(question.examples.classes))
    if halves.lower is not None:
        halves.lower.to(device)
    pictures = Pictures(
        sources=question.examples.sources,
        ids=question.examples.ids,
        transform=transform,
        decoding=question.decoding,
        size=recipe.size,
        policy=recipe.augment,
        mirror=question.mirror,
        seed=question.seed,
        held=hold_tables(question.examples.sources, question.decoding),
        bands=question.bands,
    )
    views = min(recipe.views, recipe.epochs)
    try:
        store = make_store(
            pictures, halves.lower, views, autocast(recipe, device), device, progress
        )
    except torch.OutOfMemoryError as problem:
        raise OptionError(
            f"the GPU's memory does not hold what the frozen half makes of {AT_ONCE} images of"
            f" {max(recipe.size, transform.size)} px: give a smaller --size or --image-size"
        ) from problem
    return Bench(
        recipe=recipe,
        network=network,
        halves=halves,
        head=head,
        first=state_of(halves, head),
        store=store,
        pictures=pictures,
        transform=transform,
        device=device,
        folder=question.folder,
        resume=question.settings.resume,
        deadline=None
        if question.settings.budget is None
        else time.monotonic() + question.settings.budget,
    )


def _network(question: Question, recipe: Recipe, device: str) -> Any:
    torch = need_torch()
    network = question.backbone.torch_module().eval()
    if recipe.learn_statistics:  # from scratch
        for module in network.modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    if device == "cpu" and recipe.half:
        speed_up(network)
    return network.to(memory_format=torch.channels_last)


def _fitting(network: Any, recipe: Recipe, transform: Transform) -> Recipe:
    """Return the recipe with a size that the network takes: some know that of their input only."""
    torch = need_torch()
    try:
        with torch.inference_mode():
            network(torch.zeros(1, transform.bands, recipe.size, recipe.size))
    except Exception:  # any: a forward of someone else's network
        return replace(recipe, size=transform.size)
    return recipe


def new_head(features: int, classes: int) -> Any:
    """Return torch's linear layer."""
    return need_torch().nn.Linear(features, classes)


def autocast(recipe: Recipe, device: str) -> Any:
    """Return what makes the context in which a network computes as the recipe says."""
    torch = need_torch()
    if not recipe.half:
        return contextlib.nullcontext
    kind = torch.bfloat16 if recipe.precision.startswith("bf16") else torch.float16
    return partial(torch.autocast, device, dtype=kind)


__all__ = ["Bench", "autocast", "make_bench", "new_head", "recipe_of"]
