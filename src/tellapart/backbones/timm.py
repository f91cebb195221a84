"""Backbones of timm: `timm:NAME` or `timm:NAME.TAG`."""

from __future__ import annotations

from functools import partial
from typing import Any

from tellapart.backbones.converting import KeepsFolders, Loaded, converted
from tellapart.backbones.licences import spdx
from tellapart.backbones.records import Backbone
from tellapart.backbones.weights import changed, no_weights, seeded
from tellapart.errors import BackboneError, did_you_mean
from tellapart.images.transforms import Transform
from tellapart.optional import need_timm
from tellapart.settings import NetworkSettings

PREFIX = "timm:"
FITS = {"center": "crop", "squash": "squash", "border": "crop"}  # timm's crop_mode -> ours


def get_timm(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    """Return a network of timm; raises BackboneError where it is unknown or has no weights here."""
    return converted(name, "", partial(load_timm, name), settings, kept)


def load_timm(name: str, settings: NetworkSettings) -> Loaded:
    """Load a network of timm without its head, with the transform of its own configuration."""
    timm = need_timm()
    model_name = name.removeprefix(PREFIX)
    check_timm_name(model_name)
    pretrained = settings.weights == "pretrained"
    module = create(model_name, pretrained=pretrained, seed=settings.seed, size=settings.size)
    config = timm.data.resolve_model_data_config(module)
    own = int(config["input_size"][-1])
    return Loaded(
        module=module,
        transform=changed(timm_transform(config, settings.size or own), settings),
        licence=spdx(module.pretrained_cfg.get("license")) if pretrained else "none",
        source=_source(module) if pretrained else "random weights",
        resizes=True,
    )


def pretrained_names() -> list[str]:
    """Return the names of all networks of timm that have weights, tags included."""
    return [str(one) for one in need_timm().list_pretrained()]


def check_timm_name(model_name: str) -> None:
    """Raise BackboneError, with the nearest name, unless timm knows the network and its tag."""
    timm = need_timm()
    plain, _, tag = model_name.partition(".")
    if not timm.is_model(plain):
        near = did_you_mean(plain, timm.list_models())
        raise BackboneError(
            f"timm has no network '{plain}'{near}; see: tellapart backbones PATTERN"
        )
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{plain}.*")]
    if tag and tag not in tags:
        known = ", ".join(tags) or "none"
        raise BackboneError(
            f"timm has no weights '{tag}' for {plain}{did_you_mean(tag, tags)} (known: {known})"
        )


def create(model_name: str, *, pretrained: bool, seed: int, size: int | None) -> Any:
    """Return a network of timm that ends in pooled features."""
    timm = need_timm()
    sized = {} if size is None else {"img_size": size}
    with seeded(seed):
        try:
            try:
                return timm.create_model(model_name, pretrained, num_classes=0, **sized).eval()
            except TypeError:  # convolutions take any size and no such argument
                return timm.create_model(model_name, pretrained, num_classes=0).eval()
        except RuntimeError as problem:
            if pretrained and "No pretrained weights" in str(problem):
                raise BackboneError(
                    f"timm has no pretrained weights for {model_name}: --weights none takes random"
                    " ones"
                ) from problem
            raise no_weights(f"{PREFIX}{model_name}", problem, _wanted(model_name)) from problem
        except Exception as problem:  # whatever the hub's client raises without a network
            raise no_weights(f"{PREFIX}{model_name}", problem, _wanted(model_name)) from problem


def timm_transform(config: dict[str, Any], size: int) -> Transform:
    """Return the transform that timm's configuration of a network asks for."""
    fit = FITS.get(str(config["crop_mode"]), "crop")
    return Transform(
        size=size,
        fit="squash" if fit == "squash" else "crop",
        crop_share=float(config["crop_pct"]) if fit == "crop" else 1.0,
        interpolation=config["interpolation"],
        mean=tuple(255 * float(one) for one in config["mean"]),
        std=tuple(255 * float(one) for one in config["std"]),
    )


def _wanted(model_name: str) -> str:
    """Return which file timm looks for."""
    config = need_timm().get_pretrained_cfg(model_name)
    if config is None:
        return "its weights"
    hub = getattr(config, "hf_hub_id", None)
    return f"{hub} on the Hugging Face hub" if hub else str(getattr(config, "url", "its weights"))


def _source(module: Any) -> str:
    config = module.pretrained_cfg
    return f"timm: {config.get('hf_hub_id') or config.get('url') or config.get('architecture')}"
