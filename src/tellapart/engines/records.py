"""What every engine offers, and what it needs from the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs a backbone; `embed` may be called from several threads at once.

    name       "openvino" or "torch"; of classical features the library that computes them
    version    of that library
    precision  in which it really computes: "f32", "bf16", "f16" or "int8"
    batch      pictures in one call that use it best; fewer are padded, so that neither the
               company of a picture nor the number of threads changes its vector
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def batch(self) -> int: ...

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [b, features] for uint8 [b, size, size, bands], b >= 0."""
        ...


@dataclass(frozen=True)
class EngineInfo:
    """What ran: stored in run.json and in models, part of the key of features."""

    name: str
    version: str
    precision: str


class KeepsFolders(Protocol):
    """The cache, seen from here: a folder that is made once by `make` and then found by its key."""

    def kept_folder(self, kind: str, key: str, make: Callable[[Path], None]) -> Path: ...


def engine_info(engine: Engine) -> EngineInfo:
    """Return the description of an engine."""
    return EngineInfo(engine.name, engine.version, engine.precision)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
