"""Weights out of PyTorch's legacy file format, with numpy alone and without running its pickles.

The format (torch.save before version 1.6) is a row of pickles: a magic number, a protocol number, a
description of the machine, the object itself and the keys of its storages; then each storage as a
64-bit element count and raw little-endian numbers. An unpickler that knows five names and refuses
every other one reads it: no code of the file runs.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tellapart.errors import BackboneError

Weights = dict[str, NDArray[Any]]

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_legacy_weights(content: bytes, name: str) -> Weights:
    """Return the tensors (float32 or int64) of a legacy torch file, in the order they stand there.

    `name` is what messages call the file; raises BackboneError where it is anything else than a
    dictionary of dense tensors.
    """
    file = io.BytesIO(content)
    try:
        if _unpickled(file) != MAGIC or _unpickled(file) != PROTOCOL:
            raise pickle.UnpicklingError("it is no legacy torch file")
        if not _unpickled(file)["little_endian"]:
            raise pickle.UnpicklingError("it was written on a big-endian machine")
        tensors = _unpickled(file)
        storages = _read_storages(file, _unpickled(file), tensors)
        return {key: tensor.array(storages) for key, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError,
            AttributeError, OverflowError, MemoryError) as problem:  # fmt: skip
        raise BackboneError(
            f"{name} cannot be read as weights: {problem}; install its package again"
        ) from problem


class _Storage(tuple[str, np.dtype[Any], int]):
    """(key, dtype, number of elements) of a storage that the file describes."""


class _Tensor:
    """A tensor as the file describes it: a window with strides into a storage."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        if not isinstance(storage, _Storage) or offset < 0 or len(shape) != len(strides):
            raise ValueError("a tensor is described wrongly")
        if math.prod(shape) and (min(shape, default=0) < 0 or min(strides, default=0) < 0):
            raise ValueError("a tensor is described wrongly")
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
        flat = storages[self.storage[0]]
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        if math.prod(self.shape) and last >= flat.size:
            raise ValueError("a tensor is larger than its storage")
        steps = tuple(stride * flat.itemsize for stride in self.strides)
        window = np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, steps)
        return window.copy()


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_rest: object
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, count, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("it holds something else than tensors")
        return _Storage((str(key), dtype, int(count)))


def _unpickled(file: BinaryIO) -> Any:
    return _Unpickler(file).load()


def _read_storages(file: BinaryIO, keys: list[str], tensors: Any) -> dict[str, NDArray[Any]]:
    described = {tensor.storage[0]: tensor.storage for tensor in tensors.values()}
    storages = {}
    for key in keys:
        _, dtype, count = described[key]
        stored = int.from_bytes(file.read(8), "little", signed=True)
        content = file.read(count * dtype.itemsize) if stored == count else b""
        if len(content) != count * dtype.itemsize:
            raise ValueError("it ends too early")
        storages[key] = np.frombuffer(content, dtype)
    return storages
