"""The fast backward pass: the same gradients, and networks that stay what they were."""

from __future__ import annotations

import copy

import pytest
import torch

from tellapart.finetuning.depthwise import convolve_fast, is_served, speed_up


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [11, 12, 13])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_torchs_own(side, stride, size, layout):
    torch.manual_seed(0)
    x = torch.randn(2, 8, size, size).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(8, 1, side, side, requires_grad=True)
    found, expected = (
        torch.autograd.grad((y * torch.cos(y.detach())).sum(), (x, weight))
        for y in (
            convolve_fast(x, weight, stride),
            torch.nn.functional.conv2d(x, weight, stride=stride, groups=8),
        )
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


def test_a_sped_up_network_gives_the_same_and_can_be_copied():
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(6, 6, 5, stride=2, padding=2, groups=6), torch.nn.Conv2d(6, 6, 3, groups=6)
    )
    x = torch.randn(1, 6, 12, 12)
    expected = network(x)
    assert speed_up(network) == 1
    torch.testing.assert_close(network(x), expected)
    other = copy.deepcopy(network)
    with torch.no_grad():
        network[0].weight.zero_()
    torch.testing.assert_close(other(x), expected)


def test_bfloat16_trains_as_torch_does_to_its_precision():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False)
    fast = copy.deepcopy(layer)
    speed_up(fast)
    x = torch.randn(2, 8, 9, 9)
    for one in (layer, fast):
        with torch.autocast("cpu", torch.bfloat16):
            one(x).square().sum().backward()
    assert (
        torch.nn.functional.cosine_similarity(
            layer.weight.grad.flatten(), fast.weight.grad.flatten(), dim=0
        )
        > 0.999
    )


@pytest.mark.parametrize(
    ("layer", "served"),
    [
        (torch.nn.Conv2d(4, 4, 5, groups=4), True),
        (torch.nn.Conv2d(4, 4, 3, stride=2, groups=4), True),
        (torch.nn.Conv2d(4, 4, 3, groups=4), False),
        (torch.nn.Conv2d(4, 8, 5, groups=4), False),
        (torch.nn.Conv2d(4, 4, 5), False),
        (torch.nn.Conv2d(4, 4, 5, groups=4, dilation=2), False),
        (torch.nn.Conv2d(4, 4, 5, groups=4, padding="same"), False),
        (torch.nn.Linear(4, 4), False),
    ],
)
def test_only_what_is_slow_and_depthwise_is_served(layer, served):
    assert is_served(layer) is served
