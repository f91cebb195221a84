"""Running a backbone with torch (extra [torch]): the way to a GPU, and the reference."""

from __future__ import annotations

import threading
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.backbones.records import Backbone
from tellapart.engines.allocation import keep_freed_pages
from tellapart.optional import need_torch

BATCHES = {"cuda": 64, "mps": 32, "cpu": 8}  # pictures in one call


class TorchEngine:
    """A network on CUDA (bf16, channels last), MPS or the CPU (float32); safe for threads.

    One call runs at a time, always with a whole batch: so a vector does not depend on the others.
    """

    name = "torch"

    def __init__(self, backbone: Backbone, device: str) -> None:
        torch = need_torch()
        if device == "cpu":
            keep_freed_pages()
        self._torch, self._lock = torch, threading.Lock()
        self.device = device
        self.version = metadata.version("torch")
        self.precision = "bf16" if device == "cuda" else "f32"
        self.batch = BATCHES[device]
        self.features = backbone.features
        self._type = torch.bfloat16 if device == "cuda" else torch.float32
        self._module = backbone.torch_module().eval().to(device, self._type)
        if device == "cuda":
            self._module = self._module.to(memory_format=torch.channels_last)
        scale = np.array([backbone.transform.mean, backbone.transform.std], np.float32)
        self._mean, self._std = torch.from_numpy(scale.reshape(2, 1, -1, 1, 1)).to(device)

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return float32 [b, features] for uint8 [b, size, size, bands]; b may be any number."""
        parts = [
            self._embed_batch(pixels[start : start + self.batch])
            for start in range(0, len(pixels), self.batch)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.features), np.float32)

    def _embed_batch(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        whole = np.zeros((self.batch, *pixels.shape[1:]), np.uint8)
        whole[: len(pixels)] = pixels
        with self._lock, self._torch.inference_mode():
            # [b, h, w, c] seen as [b, c, h, w] is channels last already
            images = self._torch.from_numpy(whole).to(self.device).permute(0, 3, 1, 2).float()
            scaled = ((images - self._mean) / self._std).to(self._type)
            vectors: Any = self._module(scaled)[: len(pixels)].float().cpu().numpy()
        return np.asarray(vectors, np.float32)


def torch_device() -> str:
    """Return the best device of torch on this machine: "cuda", "mps" or "cpu"."""
    torch = need_torch()
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
