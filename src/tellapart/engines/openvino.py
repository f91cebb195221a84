"""Running a backbone with OpenVINO, on the CPU and without torch."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import GRAPH_VERSION, Backbone
from tellapart.engines.network_file import check_network
from tellapart.engines.records import KeepsFolders, usable_cores
from tellapart.errors import BackboneError, ModelError
from tellapart.optional import import_openvino, installed_version

if TYPE_CHECKING:
    import openvino

BATCH = (
    8  # every call has this size. Larger ones are no faster, and hold more memory in each thread
)
XML, BIN = "network.xml", "network.bin"

Precision = Literal["auto", "f32", "bf16"]


class OpenVinoEngine:
    """A compiled network: uint8 [b, size, size, bands] -> float32 [b, features]; safe for threads.

    Each thread has an infer request of its own, and each request runs on one core: so threads that
    decode and infer keep all cores busy, and a vector is the same whatever else runs.
    """

    name = "openvino"
    batch = BATCH

    def __init__(self, compiled: openvino.CompiledModel, *, quantised: bool = False) -> None:
        self._compiled = compiled
        self._own = threading.local()
        self._making = threading.Lock()
        self.version = openvino_version()
        hint: str = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self.precision = "int8" if quantised else hint
        self.size, self.bands = (int(side) for side in list(compiled.input(0).shape)[2:])
        self.features = int(compiled.output(0).shape[1])

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [b, features] for uint8 [b, size, size, bands]; b may be any number."""
        shape = (self.size, self.size, self.bands)
        if pixels.shape[1:] != shape or pixels.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 [b, {', '.join(map(str, shape))}], got {pixels.shape}"
            )
        own = self._mine()
        out = np.empty((len(pixels), self.features), np.float32)
        for start in range(0, len(pixels), BATCH):
            part = pixels[start : start + BATCH]
            own.given[: len(part)] = part
            own.given[len(part) :] = 0  # missing pictures are black
            own.request.infer()
            out[start : start + len(part)] = own.found[: len(part)]
        return out

    def _mine(self) -> _Request:
        """Return this thread's own request, made by one thread at a time.

        OpenVINO's Python layer fills tables of types on first use, and two threads that do so at
        once can wait for each other and the GIL for ever (seen with 2026.4).
        """
        if not hasattr(self._own, "request"):
            with self._making:
                request = self._compiled.create_infer_request()
                given = request.get_input_tensor(0).data
                found = request.get_output_tensor(0).data
            self._own.request = _Request(request, given, found)
        mine: _Request = self._own.request
        return mine


class _Request(NamedTuple):
    """An infer request with its memory: given uint8 [BATCH, size, size, bands], found float32."""

    request: Any
    given: NDArray[np.uint8]
    found: NDArray[np.float32]


def load_network(
    xml: Path, *, threads: int | None = None, precision: Precision = "auto"
) -> OpenVinoEngine:
    """Read and compile a network for `threads` threads (None: all cores); costs about 0.1 s.

    precision "auto" lets OpenVINO choose: bf16 where the CPU computes in it. The engine says which
    one it took. Raises ModelError where the files cannot be read as a network.
    """
    openvino = import_openvino()
    cores = threads or usable_cores()
    # one stream, and with it one core, for each thread: arithmetic that no other thread changes
    config: dict[str, Any] = {"NUM_STREAMS": str(cores), "INFERENCE_NUM_THREADS": cores}
    if precision != "auto":
        config["INFERENCE_PRECISION_HINT"] = precision
    try:
        core = openvino.Core()
        model = core.read_model(xml)
        model.reshape([BATCH, *list(model.input(0).partial_shape)[1:]])
        quantised = any(one.get_type_name() == "FakeQuantize" for one in model.get_ops())
        return OpenVinoEngine(core.compile_model(model, "CPU", config), quantised=quantised)
    except RuntimeError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise ModelError(
            f"{xml} cannot be loaded as a network by OpenVINO {openvino_version()}: {reason}"
        ) from problem


def network_folder(backbone: Backbone, cache: KeepsFolders) -> Path:
    """Return the folder with a backbone's network.xml and network.bin, written once per cache."""
    parts = (
        backbone.weights_digest,
        backbone.name,
        str(backbone.transform.to_json()),
        openvino_version(),
        str(GRAPH_VERSION),
    )
    key = hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
    return cache.kept_folder("networks", key, partial(write_network, backbone))


def write_network(backbone: Backbone, folder: Path) -> None:
    """Write a backbone as OpenVINO IR with fp16 weights: network.xml and network.bin."""
    openvino = import_openvino()
    try:
        openvino.save_model(backbone.build(), folder / XML, compress_to_fp16=True)
    except RuntimeError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise BackboneError(
            f"cannot write the network of {backbone.name} to {folder}: {reason}"
        ) from problem


def open_openvino(
    backbone: Backbone, cache: KeepsFolders, threads: int | None = None
) -> OpenVinoEngine:
    """Return the engine for a backbone, converting it first where the cache lacks it."""
    return load_network(network_folder(backbone, cache) / XML, threads=threads)


def openvino_version() -> str:
    """Return OpenVINO's version as its distribution has it, without importing it."""
    return installed_version("openvino") or "0"


__all__ = [
    "BATCH",
    "OpenVinoEngine",
    "Precision",
    "check_network",
    "load_network",
    "network_folder",
    "open_openvino",
    "openvino_version",
    "write_network",
]
