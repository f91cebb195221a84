"""Backbones of transformers: `hf:ID` on the Hugging Face hub, or `hf:FOLDER` on the disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tellapart.backbones.converting import KeepsFolders, Loaded, converted
from tellapart.backbones.licences import CARD, UNKNOWN, licence_of_card
from tellapart.backbones.records import Backbone
from tellapart.backbones.weights import changed, misfit, no_weights, seeded
from tellapart.errors import BackboneError, OptionError
from tellapart.images.transforms import FILTERS, Transform
from tellapart.optional import need_transformers
from tellapart.settings import NetworkSettings

PREFIX = "hf:"
CONFIG, WEIGHTS = "config.json", "model.safetensors"
PROCESSOR = "preprocessor_config.json"
WHOLE_FROM = 384  # pixels from which ConvNeXt's processor squashes the whole picture
HALF = (0.5, 0.5, 0.5)  # mean and deviation that transformers takes where a model says nothing
PIL_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


@dataclass(frozen=True)
class Family:
    """How the networks of one kind give a vector.

    model    the class of transformers that builds them
    pool     what "auto" means: "mean" of the picture's tokens, "cls" token or "pooled"
    pools    what can be asked for
    first    tokens in front that stand for no part of the picture (class, registers)
    told     whether it must be told to stretch its positions for pictures of another size than
             its own; the others do so by themselves, or have no positions
    """

    model: str
    pool: str
    pools: tuple[str, ...]
    first: int = 1
    told: bool = False


TOKENS = ("mean", "cls", "pooled")
FAMILIES = {  # by `model_type` of config.json
    "beit": Family("BeitModel", "pooled", TOKENS),
    "convnext": Family("ConvNextModel", "pooled", ("pooled",)),
    "convnextv2": Family("ConvNextV2Model", "pooled", ("pooled",)),
    "deit": Family("DeiTModel", "cls", ("mean", "cls"), first=2, told=True),
    "dinov2": Family("Dinov2Model", "cls", TOKENS),
    "dinov2_with_registers": Family("Dinov2WithRegistersModel", "cls", ("cls", "pooled")),
    "resnet": Family("ResNetModel", "pooled", ("pooled",)),
    "siglip": Family("SiglipVisionModel", "pooled", ("mean", "pooled"), first=0, told=True),
    "siglip_vision_model": Family(
        "SiglipVisionModel", "pooled", ("mean", "pooled"), first=0, told=True
    ),
    "swin": Family("SwinModel", "pooled", ("mean", "pooled"), first=0, told=True),
    "vit": Family("ViTModel", "cls", ("mean", "cls"), told=True),
}


def get_huggingface(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    """Return a network of transformers; raises BackboneError where it is not there or unknown."""
    place = Path(name.removeprefix(PREFIX)).expanduser()
    identity = ""
    if place.is_dir():
        if not (place / CONFIG).is_file():
            raise BackboneError(
                f"{place} holds no {CONFIG}: give the folder that transformers' save_pretrained"
                " wrote"
            )
        identity = _folder_digest(place)
    return converted(name, identity, partial(load_huggingface, name), settings, kept)


def load_huggingface(name: str, settings: NetworkSettings) -> Loaded:
    """Load a network with its own image processor; no code of a repository ever runs."""
    transformers = need_transformers()
    place = name.removeprefix(PREFIX)
    local = Path(place).expanduser()
    where = str(local) if local.is_dir() else place
    try:
        config = transformers.AutoConfig.from_pretrained(where, trust_remote_code=False)
    except Exception as problem:  # whatever the hub's client raises without a network
        raise _not_loaded(name, where, CONFIG, problem) from problem
    family = _family(name, config.model_type)
    pool = _pool(name, family, settings.pool)
    vision = getattr(config, "vision_config", config)
    own = getattr(vision, "image_size", None)
    stretched = family.told and settings.size not in (None, own)
    inner = _create(name, where, getattr(transformers, family.model), vision, settings, pool)
    return Loaded(
        module=_pooled(inner, pool, family.first, stretched=stretched),
        transform=changed(_transform(where, vision, settings.size), settings),
        licence=_licence(where) if settings.weights == "pretrained" else "none",
        source=f"transformers: {place}" if settings.weights == "pretrained" else "random weights",
        resizes=True,
        pool=pool,
    )


def _family(name: str, kind: str) -> Family:
    if kind not in FAMILIES:
        raise BackboneError(
            f"{name} is a '{kind}': of transformers the families {', '.join(FAMILIES)} are known"
        )
    return FAMILIES[kind]


def _pool(name: str, family: Family, asked: str) -> str:
    if asked == "auto":
        return family.pool
    if asked not in family.pools:
        raise OptionError(
            f"--pool {asked} cannot be had of {name} (it has: {', '.join(family.pools)})"
        )
    return asked


def _create(
    name: str, where: str, model: Any, config: Any, settings: NetworkSettings, pool: str
) -> Any:
    with seeded(settings.seed):
        if settings.weights == "none":
            return model(config).eval()
        try:
            network, told = model.from_pretrained(
                where, config=config, trust_remote_code=False, output_loading_info=True,
                ignore_mismatched_sizes=True,
            )  # fmt: skip
        except Exception as problem:
            raise _not_loaded(name, where, WEIGHTS, problem) from problem
    _check_whole(name, told, pool)
    return network.eval()


def _not_loaded(name: str, where: str, file: str, problem: Exception) -> BackboneError:
    """Return the one line that says why transformers could not load a folder or an ID."""
    if not Path(where).is_dir():
        return no_weights(name, problem, f"{where}/{file}")
    return BackboneError(
        f"{file} in {where} cannot be loaded ({_reason(problem)}): give a folder as transformers'"
        " save_pretrained wrote it"
    )


def _reason(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:160]


def _check_whole(name: str, told: dict[str, Any], pool: str) -> None:
    """Raise BackboneError where layers that are used found no weights and were drawn at random."""
    missing = [one for one in told["missing_keys"] if pool == "pooled" or "pooler." not in one]
    shapes = [str(one[0]) for one in told["mismatched_keys"]]
    if missing or shapes:
        raise misfit(f"{name}/{CONFIG}", WEIGHTS, sorted(missing), [], sorted(shapes))


def _pooled(inner: Any, pool: str, first: int, *, stretched: bool) -> Any:
    """Return a module that gives one vector a picture."""
    from torch import nn

    told = {"interpolate_pos_encoding": True} if stretched else {}

    class Pooled(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, pixels: Any) -> Any:
            found = self.inner(pixel_values=pixels, return_dict=True, **told)
            if pool == "pooled":
                return found.pooler_output.flatten(1)
            tokens = found.last_hidden_state
            return tokens[:, 0] if pool == "cls" else tokens[:, first:].mean(dim=1)

    return Pooled().eval()


def _transform(where: str, config: Any, size: int | None) -> Transform:
    """Return the transform of the image processor that lies beside the weights, if one does."""
    processor = _processor(where)
    resized = _side(processor.get("size")) or int(getattr(config, "image_size", None) or 224)
    crops = bool(processor.get("do_center_crop"))
    own = (_side(processor.get("crop_size")) or resized) if crops else resized
    filter_ = PIL_FILTERS.get(int(processor.get("resample", 3)), "bicubic")
    share = processor.get("crop_pct") or min(1.0, own / resized)
    if "crop_pct" in processor and resized >= WHOLE_FROM:
        share = 1.0
    return Transform(
        size=size or own,
        fit="crop" if share < 1 else "squash",
        crop_share=float(share),
        interpolation=filter_ if filter_ in FILTERS else "bicubic",  # type: ignore[arg-type]
        mean=tuple(255 * float(one) for one in processor.get("image_mean") or HALF),
        std=tuple(255 * float(one) for one in processor.get("image_std") or HALF),
    )


def _processor(where: str) -> dict[str, Any]:
    """Return the settings of the image processor, {} where none lies there.

    Raises BackboneError for one that is damaged: other means and sizes would make other features.
    """
    transformers = need_transformers()
    try:
        found, _ = transformers.ImageProcessingMixin.get_image_processor_dict(where)
        return dict(found)
    except Exception as problem:  # whatever the hub's client raises without a network
        file = _here(where, PROCESSOR)
        if file is None:
            return {}
        raise BackboneError(
            f"{file} cannot be read: {_reason(problem)}; fetch it again, or remove it and give"
            " --mean, --std, --resize and --image-size"
        ) from problem


def _here(where: str, name: str) -> Path | None:
    """Return a file of a folder or of the hub's cache, None where it is not on this machine."""
    if Path(where).is_dir():
        return Path(where) / name if (Path(where) / name).is_file() else None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(where, name)
    return Path(found) if isinstance(found, str) else None


def _side(size: Any) -> int | None:
    """Return the side in pixels that an image processor's `size` or `crop_size` says."""
    if isinstance(size, dict):
        return int(size.get("height") or size.get("shortest_edge") or 0) or None
    return size if isinstance(size, int) else None


def _licence(where: str) -> str:
    """Return the licence that the model card names, in a folder or on the hub."""
    if Path(where).is_dir():
        return licence_of_card(Path(where) / CARD)
    from huggingface_hub import hf_hub_download

    try:
        return licence_of_card(Path(hf_hub_download(where, CARD)))
    except Exception:  # whatever the hub's client raises without a network or a card
        return UNKNOWN


def _folder_digest(folder: Path) -> str:
    """Return a digest of the names, sizes and times of a folder's files."""
    states = sorted(
        (one.name, one.stat().st_size, one.stat().st_mtime_ns)
        for one in folder.iterdir()
        if one.is_file()
    )
    return hashlib.blake2b(repr(states).encode(), digest_size=16).hexdigest()
