"""More bands for a network of three: sums of responses kept, both engines alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tellapart.backbones import get_backbone
from tellapart.backbones.adapted import BandStatistics, CannotAdapt, adapted, mixing_matrix
from tellapart.backbones.classical import colours
from tellapart.engines import load_network
from tellapart.engines.openvino import OpenVinoEngine, write_network
from tellapart.optional import need_timm

STATISTICS = BandStatistics((100.0, 110.0, 90.0, 140.0), (40.0, 44.0, 38.0, 20.0))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 4), np.uint8)
    return coarse.repeat(12, axis=1).repeat(12, axis=2)


def opened(backbone, folder: Path) -> OpenVinoEngine:
    folder.mkdir()
    write_network(backbone, folder)
    return load_network(folder / "network.xml", threads=1, precision="f32")


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("bands", [1, 2, 3, 4, 7])
def test_the_sum_of_the_responses_is_kept(bands: int) -> None:
    """Equal bands give what the network's own three equal bands give."""
    mixing = mixing_matrix(bands)
    np.testing.assert_allclose(mixing.sum(axis=1), 1.0 if bands >= 3 else mixing.sum() / 3)
    assert mixing.sum() == pytest.approx(3)
    assert (mixing > 0).any(axis=0).all()


def test_three_bands_stay_as_they_were(pixels: np.ndarray, tmp_path: Path) -> None:
    lite0 = get_backbone("lite0").resize(96)
    three = BandStatistics(STATISTICS.mean[:3], STATISTICS.std[:3])
    same = opened(adapted(lite0, 3, three), tmp_path / "same").embed(
        np.ascontiguousarray(pixels[..., :3])
    )
    plain = opened(lite0, tmp_path / "plain").embed(np.ascontiguousarray(pixels[..., :3]))
    assert cosines(same, plain).min() > 0.99999


def test_gray_in_every_band_is_gray(pixels: np.ndarray, tmp_path: Path) -> None:
    """With the fourth band normalised as the others, four equal bands are three equal bands."""
    lite0 = get_backbone("lite0").resize(96)
    alike = BandStatistics((127.5,) * 4, (127.5,) * 4)
    four = opened(adapted(lite0, 4, alike), tmp_path / "four")
    gray = pixels[..., :1]
    plain = opened(lite0, tmp_path / "plain").embed(np.repeat(gray, 3, axis=3))
    assert cosines(four.embed(np.repeat(gray, 4, axis=3)), plain).min() > 0.9999


def test_a_band_more_comes_in_with_the_spread_of_the_others() -> None:
    transform = adapted(get_backbone("lite0"), 4, STATISTICS).transform
    assert transform.mean[:3] == (127.5,) * 3
    own = np.array(STATISTICS.mean[:3]) - 127.5
    spread = np.sqrt(np.mean(np.array(STATISTICS.std[:3]) ** 2 + own**2) - own.mean() ** 2)
    assert STATISTICS.std[3] / transform.std[3] == pytest.approx(spread / 127.5)
    middle = (STATISTICS.mean[3] - transform.mean[3]) / transform.std[3]
    assert middle == pytest.approx(own.mean() / 127.5, abs=0.01)


def test_the_fourth_band_matters_and_torch_agrees(pixels: np.ndarray, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    need_timm()  # mends a torchvision that does not fit
    backbone = adapted(get_backbone("lite0").resize(96), 4, STATISTICS)
    engine = opened(backbone, tmp_path / "four")
    found = engine.embed(pixels)
    other = pixels.copy()
    other[..., 3] = 255 - other[..., 3]
    assert cosines(found, engine.embed(other)).max() < 0.99
    mean, std = (
        torch.tensor(one, dtype=torch.float32).reshape(1, -1, 1, 1)
        for one in (backbone.transform.mean, backbone.transform.std)
    )
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        expected = backbone.torch_module()((images - mean) / std).numpy()
    assert cosines(found, expected).min() > 0.9998  # weights are rounded to fp16


def test_statistics_from_colours() -> None:
    pixels = np.random.default_rng(0).integers(20, 200, (5, 64, 64, 4), np.uint8)
    pixels[0] //= 2
    found = BandStatistics.of_colours(colours(pixels), 4)
    flat = pixels.reshape(-1, 4)
    np.testing.assert_allclose(found.mean, flat.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.std, flat.std(axis=0), rtol=1e-3)


def test_other_statistics_are_another_network() -> None:
    lite0 = get_backbone("lite0")
    other = BandStatistics(STATISTICS.mean, (40.0, 44.0, 38.0, 21.0))
    digests = {adapted(lite0, 4, one).weights_digest for one in (STATISTICS, other)}
    assert len(digests | {lite0.weights_digest}) == 3


def test_a_constant_band_is_not_blown_up() -> None:
    dead = BandStatistics((100.0, 110.0, 90.0, 7.0), (40.0, 44.0, 38.0, 0.0))
    assert adapted(get_backbone("lite0"), 4, dead).transform.std[3] >= 1


def test_a_network_that_does_not_begin_with_a_convolution() -> None:
    from dataclasses import replace

    def flat():
        from openvino import Model, opset13

        pixels = opset13.parameter([-1, 224, 224, 3], np.uint8)
        mean = opset13.reduce_mean(opset13.convert(pixels, "f32"), np.array([1, 2]))
        return Model([mean.output(0)], [pixels], "flat")

    backbone = adapted(replace(get_backbone("lite0"), build=flat), 4, STATISTICS)
    with pytest.raises(CannotAdapt, match="the first layer of lite0 is no convolution"):
        backbone.build()


def test_a_network_of_transformers_that_checks_its_bands() -> None:
    torch, _ = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from tellapart.backbones.records import Backbone
    from tellapart.optional import need_transformers

    transformers = need_transformers()
    config = transformers.ConvNextConfig(hidden_sizes=[8] * 4, depths=[1] * 4)
    backbone = Backbone(
        **{
            **vars(get_backbone("lite0")),
            "torch_module": lambda: transformers.ConvNextModel(config),
        }
    )
    module = adapted(backbone, 4, STATISTICS).torch_module().eval()
    with torch.inference_mode():
        assert module(torch.zeros(1, 4, 64, 64)).pooler_output.shape == (1, 8)
