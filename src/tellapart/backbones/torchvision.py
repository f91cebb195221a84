"""Backbones of torchvision: `torchvision:NAME` or `torchvision:NAME.WEIGHTS`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tellapart.backbones.converting import KeepsFolders, Loaded, converted
from tellapart.backbones.records import Backbone
from tellapart.backbones.weights import changed, no_weights, one_size, seeded
from tellapart.errors import BackboneError, did_you_mean
from tellapart.images.transforms import Transform
from tellapart.optional import need_torch, need_torchvision
from tellapart.settings import NetworkSettings

PREFIX = "torchvision:"
LICENCE = "BSD-3-Clause"  # of the weights that torchvision trained itself (its README)
USUAL = Transform(  # torchvision's ImageClassification preset, for networks without weights
    size=224,
    fit="crop",
    crop_share=224 / 256,
    interpolation="bilinear",
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
)


def get_torchvision(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    """Return a network of torchvision; raises BackboneError where it or its weights are unknown."""
    return converted(name, "", partial(load_torchvision, name), settings, kept)


def load_torchvision(name: str, settings: NetworkSettings) -> Loaded:
    """Load a classifier of torchvision without its last layer, with its weights' own transform."""
    model_name, _, tag = name.removeprefix(PREFIX).partition(".")
    weights = weights_of(model_name, tag) if settings.weights == "pretrained" else None
    module = create(name, model_name, weights, settings.seed)
    transform = USUAL if weights is None else _transform(weights.transforms())
    resizes = not model_name.startswith("vit_")  # whose positions are learnt one by one
    if settings.size not in (None, transform.size):
        if not resizes:
            raise one_size(name, transform.size)
        transform = replace(transform, size=settings.size)
    return Loaded(
        module=module,
        transform=changed(transform, settings),
        licence="none" if weights is None else LICENCE,
        source="random weights" if weights is None else f"torchvision: {weights}",
        resizes=resizes,
    )


def model_names() -> list[str]:
    """Return the classifiers that torchvision can build."""
    models = need_torchvision().models
    return [str(one) for one in models.list_models(module=models)]


def weight_files() -> dict[str, str]:
    """Return which file torch keeps of the weights of each "torchvision:NAME.WEIGHTS"."""
    models = need_torchvision().models
    return {
        f"{PREFIX}{name}.{one.name}": str(one.url).rsplit("/", 1)[-1]
        for name in model_names()
        for one in models.get_model_weights(name)
    }


def weights_of(model_name: str, tag: str) -> Any:
    """Return the weights `tag` ("" the default ones) of a network, an enum's member."""
    models = need_torchvision().models
    _check_name(model_name)
    known = models.get_model_weights(model_name)
    if not tag:
        return known.DEFAULT
    if tag not in known.__members__:
        names = list(known.__members__)
        raise BackboneError(
            f"torchvision has no weights '{tag}' for {model_name}{did_you_mean(tag, names)}"
            f" (known: {', '.join(names)})"
        )
    return known[tag]


def create(name: str, model_name: str, weights: Any, seed: int) -> Any:
    """Return a network of torchvision that ends in features."""
    models = need_torchvision().models
    _check_name(model_name)
    with seeded(seed):
        try:
            if weights is not None:  # torchvision itself would run what a pickle asks for
                need_torch().hub.load_state_dict_from_url(
                    weights.url, map_location="cpu", check_hash=True, weights_only=True
                )
            module = models.get_model(model_name, weights=weights)
        except Exception as problem:  # whatever fetching raises without a network
            wanted = str(getattr(weights, "url", "its weights")).rsplit("/", 1)[-1]
            raise no_weights(name, problem, wanted) from problem
    return without_last_layer(module, name)


def without_last_layer(module: Any, name: str) -> Any:
    """Put an identity in place of the last linear layer, which names the classes."""
    from torch import nn

    linear = [key for key, one in module.named_modules() if isinstance(one, nn.Linear)]
    if not linear:
        raise BackboneError(f"{name} has no linear layer at its end that could be taken off")
    parent, _, last = linear[-1].rpartition(".")
    setattr(module.get_submodule(parent), last, nn.Identity())
    return module.eval()


def _check_name(model_name: str) -> None:
    names = model_names()
    if model_name not in names:
        raise BackboneError(
            f"torchvision has no classifier '{model_name}'{did_you_mean(model_name, names)}; see:"
            " tellapart backbones torchvision:PATTERN"
        )


def _transform(preset: Any) -> Transform:
    """Return the transform of an ImageClassification preset."""
    size, short = int(preset.crop_size[0]), int(preset.resize_size[0])
    return Transform(
        size=size,
        fit="crop",
        crop_share=min(1.0, size / short),
        interpolation=preset.interpolation.value,
        mean=tuple(255 * float(one) for one in preset.mean),
        std=tuple(255 * float(one) for one in preset.std),
    )
