"""The tuned network as a backbone that every engine runs, and its weights as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.converting import convert_module
from tellapart.backbones.records import Backbone
from tellapart.optional import need_torch

if TYPE_CHECKING:
    import openvino

SUFFIX = " (fine-tuned)"

Weights = Mapping[str, NDArray[Any]]


def tuned_backbone(backbone: Backbone, weights: Weights) -> Backbone:
    """Return the backbone with other weights, named as in its torch module.

    Its digest is that of the new weights, so that nothing kept of the old ones is taken for it.
    """
    return replace(
        backbone,
        name=f"{backbone.name}{SUFFIX}",
        weights_digest=digest_of(weights),
        source=f"{backbone.source}, fine-tuned",
        build=partial(_build, backbone, weights),
        torch_module=partial(_module, backbone, weights),
        rebuild=None,
        resize=None,
    )


def weights_of(network: Any) -> dict[str, NDArray[Any]]:
    """Return the tensors of a torch network by name, in rows (channels first)."""
    tensors = network.state_dict().items()
    return {name: np.array(one.detach().cpu().numpy(), order="C") for name, one in tensors}


def digest_of(weights: Weights) -> str:
    """Return the SHA-256 of tensors with their names, hex."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(f"{name} {weights[name].dtype} {weights[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def _module(backbone: Backbone, weights: Weights) -> Any:
    torch = need_torch()
    network = backbone.torch_module()
    tensors = {name: torch.from_numpy(np.array(one)) for name, one in weights.items()}
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def _build(backbone: Backbone, weights: Weights) -> openvino.Model:
    """Build the OpenVINO model by the backbone's own builder, or by conversion of the module."""
    if backbone.rebuild is not None:
        return backbone.rebuild(weights)
    model, _ = convert_module(backbone.name, _module(backbone, weights), backbone.transform)
    return model
