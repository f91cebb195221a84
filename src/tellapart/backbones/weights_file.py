"""Backbones from a file of weights: `file:PATH@ARCHITECTURE`.

The architecture is a name of timm, or of torchvision with its prefix. Files are safetensors, or
torch's own read with `weights_only=True`: no code of a file runs.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

from tellapart.backbones import timm, torchvision
from tellapart.backbones.converting import KeepsFolders, Loaded, converted
from tellapart.backbones.records import Backbone
from tellapart.backbones.weights import misfit
from tellapart.errors import BackboneError
from tellapart.optional import need_torch
from tellapart.settings import NetworkSettings

PREFIX = "file:"
INSIDE = ("state_dict", "model", "model_state_dict", "state_dict_ema")  # where checkpoints keep it
WRAPPERS = ("module.", "model.", "backbone.", "encoder.")  # what trainers put before every name
HEADS = ("fc.", "classifier.", "head.", "heads.", "head_dist.", "_fc.")  # what names the classes


def get_file(name: str, settings: NetworkSettings, kept: KeepsFolders | None) -> Backbone:
    """Return a network with weights from a file; raises BackboneError where they do not fit."""
    path, architecture = _parts(name)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    shown = f"{PREFIX}{path.name}@{architecture}"
    return converted(shown, digest, partial(load_file, name), settings, kept)


def load_file(name: str, settings: NetworkSettings) -> Loaded:
    """Build the architecture and put the file's weights into it, all of them but the head's."""
    path, architecture = _parts(name)
    random = NetworkSettings(**{**vars(settings), "weights": "none"})
    if architecture.startswith(torchvision.PREFIX):
        loaded = torchvision.load_torchvision(architecture, random)
    else:
        loaded = timm.load_timm(architecture, random)
    state = read_state(path)
    if architecture.startswith(f"{torchvision.PREFIX}mobilenet_v2"):
        state = modern_mobilenet_v2(state)
    fill(loaded.module, state, name=architecture, file=str(path))
    return Loaded(
        module=loaded.module,
        transform=loaded.transform,
        licence="unknown",
        source=f"{path.name} in {architecture}",
        resizes=loaded.resizes,
    )


def _parts(name: str) -> tuple[Path, str]:
    place, at, architecture = name.removeprefix(PREFIX).rpartition("@")
    if not at or not architecture:
        raise BackboneError(
            f"{name} does not say of which network the weights are: write"
            " file:WEIGHTS@ARCHITECTURE, as file:weights.pth@resnet18 (timm's) or"
            " file:weights.pth@torchvision:resnet18"
        )
    path = Path(place).expanduser().absolute()
    if not path.is_file():
        raise BackboneError(f"no such file of weights: {path}")
    return path, architecture.removeprefix(timm.PREFIX)


def read_state(path: Path) -> dict[str, Any]:
    """Return the tensors of a file by name; raises BackboneError where it holds something else."""
    torch = need_torch()
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file as load_safetensors

            return dict(load_safetensors(path))
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a file may hold anything, and torch raises as much
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackboneError(f"{path} cannot be read as weights: {reason[:200]}") from error
    for key in INSIDE:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(torch.is_tensor(one) for one in found.values()):
        raise BackboneError(f"{path} holds no dictionary of tensors (a state dict)")
    return found


def fill(module: Any, state: dict[str, Any], *, name: str, file: str) -> None:
    """Put weights into a network; raises BackboneError, naming layers, where they do not fit."""
    wanted = module.state_dict()
    state = _unwrapped(state, wanted)
    counters = {key for key in wanted if key.endswith("num_batches_tracked")}
    missing = [key for key in wanted if key not in state and key not in counters]
    foreign = [key for key in state if key not in wanted and not key.startswith(HEADS)]
    shapes = [
        f"{key} {tuple(state[key].shape)} for {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    if missing or foreign or shapes:
        raise misfit(name, file, missing, foreign, shapes)
    module.load_state_dict({key: state[key] for key in wanted if key in state}, strict=False)


def modern_mobilenet_v2(state: dict[str, Any]) -> dict[str, Any]:
    """Return a MobileNetV2 under the names that torchvision gives its layers since version 0.3.

    Before, a block's convolutions, norms and activations stood in one row; so do many checkpoints.
    """
    if not any(key.endswith("features.1.conv.0.weight") for key in state):
        return state

    def renamed(key: str) -> str:
        match = _BLOCK.match(key)
        if match is None:
            return key
        before, block, place, after = match.groups()
        places = _FIRST_BLOCK if block == "1" else _BLOCKS
        return f"{before}features.{block}.conv.{places.get(place, place)}{after}"

    return {renamed(key): value for key, value in state.items()}


_BLOCK = re.compile(r"^(.*?)features\.(\d+)\.conv\.(\d+)(\..*)$")
_BLOCKS = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}
_FIRST_BLOCK = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}  # it does not expand


def _unwrapped(state: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Take off what a trainer put before every name, where the names fit better without it."""
    for wrapper in WRAPPERS:
        short = {key.removeprefix(wrapper): value for key, value in state.items()}
        if sum(key in wanted for key in short) > sum(key in wanted for key in state):
            state = short
    return state
