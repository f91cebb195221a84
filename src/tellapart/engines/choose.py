"""Which engine runs, by name or by what is there."""

from __future__ import annotations

import ctypes
import importlib.util
import sys

from tellapart.backbones.records import Backbone
from tellapart.engines.classical import ClassicalEngine
from tellapart.engines.openvino import open_openvino
from tellapart.engines.records import Engine, KeepsFolders
from tellapart.errors import OptionError, did_you_mean
from tellapart.optional import need

ENGINES = ("auto", "openvino", "torch")
CUDA_DRIVERS = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def choose_engine(name: str) -> str:
    """Return "openvino" or "torch"; "auto" takes torch where it is installed with a CUDA device.

    torch is imported only where an NVIDIA driver is there: the import costs seconds. Raises
    OptionError for an unknown name, MissingExtra where torch is asked for and not installed.
    """
    if name not in ENGINES:
        raise OptionError(
            f"unknown engine '{name}'{did_you_mean(name, ENGINES)} (known: {', '.join(ENGINES)})"
        )
    if name == "torch":
        need("torch", "torch")
    if name != "auto":
        return name
    installed = all(importlib.util.find_spec(one) is not None for one in ("torch", "timm"))
    return "torch" if installed and has_cuda_driver() and _torch_sees_cuda() else "openvino"


def has_cuda_driver() -> bool:
    """Whether an NVIDIA driver can be loaded; takes milliseconds."""
    driver = CUDA_DRIVERS.get(sys.platform)
    if driver is None:
        return False
    try:
        ctypes.CDLL(driver)
    except OSError:
        return False
    return True


def _torch_sees_cuda() -> bool:
    from tellapart.engines.torch import torch_device

    return torch_device() == "cuda"


def open_engine(
    backbone: Backbone,
    name: str,
    cache: KeepsFolders,
    *,
    threads: int | None = None,
) -> Engine:
    """Return a backbone ready to run on the engine that `choose_engine` returned.

    Classical features run on their own engine, whatever the name.

    threads  how many will call it at once: what OpenVINO shares the cores among; None: all cores
    """
    chosen = choose_engine(name)
    if not backbone.is_network:
        return ClassicalEngine(backbone)
    if chosen == "torch":
        from tellapart.engines.torch import TorchEngine, torch_device

        return TorchEngine(backbone, torch_device())
    return open_openvino(backbone, cache, threads)
