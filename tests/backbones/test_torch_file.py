"""The reader of torch's legacy format, on the real file and on hostile ones."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct

import numpy as np
import pytest

from tellapart.backbones.lite import LITES, find_weights
from tellapart.backbones.torch_file import MAGIC, PROTOCOL, read_legacy_weights
from tellapart.errors import BackboneError


@pytest.fixture(scope="module")
def lite0() -> bytes:
    return find_weights(LITES["lite0"]).read_bytes()


def test_real_file_has_its_tensors(lite0: bytes) -> None:
    weights = read_legacy_weights(lite0, "lite0")
    assert len(weights) == 296
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_conv_stem.weight"].dtype == np.float32
    assert weights["_bn0.num_batches_tracked"].dtype == np.int64
    assert all(np.isfinite(one).all() for one in weights.values())


def test_equal_to_torch_to_the_bit(lite0: bytes) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    theirs = torch.load(io.BytesIO(lite0), weights_only=True)
    ours = read_legacy_weights(lite0, "lite0")
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        np.testing.assert_array_equal(ours[name], tensor.numpy())


def test_strides_and_offsets_are_followed() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: nothing to compare with")
    whole = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    tensors = {"turned": whole.t(), "window": whole[1:3, 2:5], "scalar": torch.tensor(7)}
    file = io.BytesIO()
    torch.save(collections.OrderedDict(tensors), file, _use_new_zipfile_serialization=False)
    ours = read_legacy_weights(file.getvalue(), "made here")
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(ours[name], tensor.numpy())


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.getenv, ("PATH",)


def _legacy(tensors: object, keys: object = ()) -> bytes:
    parts = (MAGIC, PROTOCOL, {"little_endian": True}, tensors, list(keys))  # type: ignore[call-overload]
    return b"".join(pickle.dumps(part, protocol=2) for part in parts)


def test_code_in_a_file_is_refused() -> None:
    with pytest.raises(BackboneError, match=r"bad.pth cannot be read as weights: it asks for os"):
        read_legacy_weights(_legacy({"weight": _Runs()}), "bad.pth")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "bad.pth cannot be read as weights"),
        (b"PK\x03\x04 a zip", "bad.pth cannot be read as weights"),
        (pickle.dumps(1), "it is no legacy torch file"),
        (_legacy({"weight": 3}), "bad.pth cannot be read as weights"),
        (_legacy([1, 2]), "bad.pth cannot be read as weights"),
    ],
)
def test_other_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(BackboneError, match=reason):
        read_legacy_weights(content, "bad.pth")


def test_cut_file_is_refused(lite0: bytes) -> None:
    with pytest.raises(BackboneError, match=r"ends too early; install its package again"):
        read_legacy_weights(lite0[: len(lite0) // 2], "cut.pth")


def test_storage_of_another_length_is_refused(lite0: bytes) -> None:
    count = struct.pack("<q", 864)  # of the stem's weights, the largest block of that length
    place = lite0.rfind(count)
    damaged = lite0[:place] + struct.pack("<q", 2**40) + lite0[place + 8 :]
    with pytest.raises(BackboneError, match="ends too early"):
        read_legacy_weights(damaged, "bad.pth")
