"""Networks cut in two, whatever their kind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tellapart.finetuning.layers import cut, layer_groups, rates
from tellapart.optional import need_timm

from .conftest import small_network


class Transformer(nn.Module):
    """Four blocks behind an embedding, with a position that is added in between."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 8, stride=8)
        self.position = nn.Parameter(torch.randn(1, 16, 8))
        self.blocks = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.GELU()) for _ in range(4)))
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2) + self.position
        return self.norm(self.blocks(x)).mean(1)


@pytest.mark.parametrize("make", [small_network, Transformer])
@pytest.mark.parametrize("freeze", [0.34, 0.5, 0.8])
def test_both_halves_give_what_the_whole_gives(make, freeze):
    torch.manual_seed(0)
    network = make()
    halves = cut(network, freeze, torch.randn(2, 3, 32, 32))
    assert halves.lower is not None
    x = torch.randn(5, 3, 32, 32)
    torch.testing.assert_close(halves.upper(halves.lower(x)), network.eval()(x))


def test_groups_of_real_networks():
    timm = need_timm()
    found = {
        name: [one.name for one in layer_groups(timm.create_model(name, num_classes=0))]
        for name in ("tf_efficientnet_lite0", "resnet18", "convnext_atto")
    }
    blocks = [f"blocks.{i}" for i in range(7)]
    assert found["tf_efficientnet_lite0"] == ["conv_stem", *blocks, "conv_head"]
    assert found["resnet18"] == ["conv1", "layer1", "layer2", "layer3", "layer4"]
    stages = [f"stages.{i}" for i in range(4)]
    assert found["convnext_atto"] == ["stem", *stages, "norm_pre"]


def test_half_of_lite0_is_the_stem_and_four_stages():
    network = need_timm().create_model("tf_efficientnet_lite0", num_classes=0)
    halves = cut(network, 0.5, torch.randn(2, 3, 64, 64))
    assert [one.name for one in halves.frozen][-1] == "blocks.3"
    assert [one.name for one in halves.trained] == ["blocks.4", "blocks.5", "blocks.6", "conv_head"]


def test_a_network_that_cannot_be_cut_trains_its_upper_part_all_the_same():
    class Crossed(nn.Module):
        """Its last block needs the first one's output: no half can run alone."""

        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(6, 6)) for _ in range(4))

        def forward(self, x):
            first = x = self.blocks[0](x.flatten(1)[:, :6])
            for one in self.blocks[1:]:
                x = one(x)
            return x + first

    halves = cut(Crossed(), 0.5, torch.randn(2, 3, 32, 32))
    assert halves.lower is None
    trains = {name: one.requires_grad for name, one in halves.network.named_parameters()}
    assert trains["blocks.0.0.weight"] is False
    assert trains["blocks.3.0.weight"] is True


def test_every_trained_tensor_has_one_rate_and_lower_groups_learn_slower():
    halves = cut(small_network(), 0.34, torch.randn(2, 3, 32, 32))
    head = nn.Linear(24, 3)
    groups = rates(halves, head, 1.0, 0.5)
    owned = [id(one) for group in groups for one in group["params"]]
    trained = [*halves.network.parameters(), *head.parameters()]
    assert sorted(owned) == sorted(id(one) for one in trained if one.requires_grad)
    values = [group["lr"] for group in groups]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1.0
    assert set(values) >= {1.0, 0.5, 0.25}
    assert all(group.get("weight_decay") == 0.0 for group in groups if group["params"][0].ndim <= 1)
