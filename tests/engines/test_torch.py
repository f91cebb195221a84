"""The torch engine, on the device that is here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.engines.openvino import load_network

pytest.importorskip("torch", reason="the extra [torch] is not installed")


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    found = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return np.asarray(found)


def test_agrees_with_openvino_and_with_itself(
    lite0: Backbone, network: Path, pixels: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tellapart.engines.torch import TorchEngine

    tuned: list[bool] = []
    monkeypatch.setattr("tellapart.engines.torch.keep_freed_pages", lambda: tuned.append(True))
    engine = TorchEngine(lite0, "cpu")
    assert tuned
    assert (engine.name, engine.precision, engine.features) == ("torch", "f32", 1280)
    vectors = engine.embed(pixels)
    kept = load_network(network, precision="f32").embed(pixels)  # with weights rounded to fp16
    assert cosines(vectors, kept).min() > 0.9998
    assert engine.embed(pixels[:0]).shape == (0, 1280)
    with ThreadPoolExecutor(3) as pool:
        parts = [pixels[i : i + 3] for i in range(0, len(pixels), 3)]
        np.testing.assert_array_equal(np.concatenate(list(pool.map(engine.embed, parts))), vectors)


def test_cuda_in_bf16_beside_openvino(
    lite0: Backbone, network: Path, pixels: NDArray[np.uint8]
) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    from tellapart.engines.torch import TorchEngine

    engine = TorchEngine(lite0, "cuda")
    assert engine.precision == "bf16"
    a, b = engine.embed(pixels), load_network(network, precision="f32").embed(pixels)
    assert np.median(cosines(a, b)) >= 0.999
    assert cosines(a, b).min() >= 0.995
    np.testing.assert_array_equal(engine.embed(pixels[:1]), a[:1])
