"""Networks of torch libraries as backbones: converted once, then read without torch.

A source loads a torch module with its transform (`Loaded`). From it come the network as OpenVINO
IR and a record of what it is; both are kept in the cache under the name that the user gave, so
that later neither torch nor the source's library is imported.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tellapart.backbones.records import GRAPH_VERSION, Backbone
from tellapart.errors import BackboneError
from tellapart.images.transforms import Transform
from tellapart.optional import import_openvino, need_torch
from tellapart.settings import NetworkSettings

if TYPE_CHECKING:
    import openvino

CONVERT_VERSION = 1  # raise it whenever the same module becomes another network
RECORD, XML = "backbone.json", "network.xml"
TRACED_BATCH = 2  # one picture would let the tracer take the batch for a constant


class KeepsFolders(Protocol):
    """The cache, seen from here: a folder that is made once by `make` and then found by its key."""

    def kept_folder(self, kind: str, key: str, make: Callable[[Path], None]) -> Path: ...


@dataclass(frozen=True)
class Loaded:
    """A torch module and what its library says of it.

    module     float32 [b, 3, size, size], normalised, -> float32 [b, features]
    transform  how its pictures are made
    licence    of the weights, "unknown" where the library does not say
    source     where the weights came from
    resizes    whether it takes pictures of other sizes
    pool       how it makes one vector of its tokens, part of what it is: other vectors must not
               be taken for its own; "" where its library leaves no choice
    """

    module: Any
    transform: Transform
    licence: str
    source: str
    resizes: bool
    pool: str = ""


Load = Callable[[NetworkSettings], Loaded]


def converted(
    name: str, identity: str, load: Load, settings: NetworkSettings, kept: KeepsFolders | None
) -> Backbone:
    """Return the backbone `name`, loading and converting it only where `kept` lacks it.

    identity  what beside name and settings decides about the network: a digest of the user's own
              files, "" where the library's name says it all

    Raises BackboneError and MissingExtra as `load` does.
    """
    if kept is None:
        loaded = load(settings)
        model, record = _convert(name, loaded)
        return _backbone(record, load, identity, settings, None, build=lambda: model)
    key = _digest((name, identity, settings, CONVERT_VERSION, GRAPH_VERSION))
    folder = kept.kept_folder("backbones", key, partial(_write, name, load, settings))
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return _backbone(record, load, identity, settings, kept, partial(_read, folder / XML))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BackboneError(
            f"what is kept of {name} in {folder} is damaged ({problem}): delete that folder"
        ) from problem


def _write(name: str, load: Load, settings: NetworkSettings, folder: Path) -> None:
    model, record = _convert(name, load(settings))
    import_openvino().save_model(model, folder / XML, compress_to_fp16=True)
    (folder / RECORD).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


def _read(xml: Path) -> openvino.Model:
    return import_openvino().Core().read_model(xml)


def _backbone(
    record: dict[str, Any], load: Load, identity: str, settings: NetworkSettings,
    kept: KeepsFolders | None, build: Callable[[], openvino.Model],
) -> Backbone:  # fmt: skip
    name = str(record["name"])

    def resize(size: int) -> Backbone:
        return converted(name, identity, load, settings.at_size(size), kept)

    return Backbone(
        name=name,
        features=int(record["features"]),
        transform=Transform.from_json(record["transform"]),
        weights_digest=str(record["weights_digest"]),
        licence=str(record["licence"]),
        parameters=int(record["parameters"]),
        source=str(record["source"]),
        build=build,
        torch_module=lambda: load(settings).module,
        resize=resize if record["resizes"] else None,
    )


def _convert(name: str, loaded: Loaded) -> tuple[openvino.Model, dict[str, Any]]:
    """Return the network, uint8 [b, size, size, bands] -> float32 [b, features], and its
    record.
    """
    model, features = convert_module(name, loaded.module, loaded.transform)
    record = {
        "name": name,
        "features": features,
        "transform": loaded.transform.to_json(),
        "weights_digest": weights_digest(loaded.module.state_dict(), loaded.pool),
        "licence": loaded.licence,
        "parameters": sum(one.numel() for one in loaded.module.parameters()),
        "source": loaded.source,
        "resizes": loaded.resizes,
    }
    return model, record


def convert_module(name: str, module: Any, transform: Transform) -> tuple[openvino.Model, int]:
    """Return a torch network as OpenVINO's, uint8 [b, size, size, bands] -> float32 [b, features],
    and the number of features; raises BackboneError where it cannot be converted.
    """
    torch, openvino = need_torch(), import_openvino()
    size = transform.size
    example = torch.zeros(TRACED_BATCH, transform.bands, size, size)
    # torch's short cut for attention is one operation that cannot be converted
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.inference_mode():
            found = module.eval()(example)
        if not isinstance(found, torch.Tensor) or found.ndim != 2:
            raise ValueError("it does not give one vector a picture")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls the way that OpenVINO goes deprecated
            model = openvino.convert_model(
                module, example_input=example, input=[-1, transform.bands, size, size]
            )
        model = _with_pixels(model, transform)
    except (RuntimeError, ValueError, AssertionError, TypeError, IndexError) as problem:
        raise BackboneError(
            f"{name} cannot be converted for pictures of {size} pixels:"
            f" {str(problem).strip().splitlines()[0]}"
        ) from problem
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return model, int(found.shape[1])


def _with_pixels(model: openvino.Model, transform: Transform) -> openvino.Model:
    """Put scaling in front: uint8, colour last, as pictures come."""
    openvino = import_openvino()
    steps = openvino.preprocess.PrePostProcessor(model)
    given = steps.input()
    given.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    given.model().set_layout(openvino.Layout("NCHW"))
    given.preprocess().convert_element_type(openvino.Type.f32)
    given.preprocess().mean(list(transform.mean)).scale(list(transform.std))
    steps.output().tensor().set_element_type(openvino.Type.f32)
    return steps.build()


def weights_digest(state: dict[str, Any], pool: str = "") -> str:
    """Return the SHA-256 of a state dict: names, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256(pool.encode())
    for name in sorted(state):
        values = np.ascontiguousarray(state[name].detach().cpu().float().numpy())
        digest.update(f"{name} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _digest(parts: tuple[Any, ...]) -> str:
    text = "\n".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
