"""Losses against torch's own, and what mixing does to targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tellapart.finetuning.losses import epoch_order, make_loss, mixed

COUNTS = np.array([80, 15, 5])


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    labels = torch.tensor([0, 1, 2, 2, 0, 1])
    return torch.randn(6, 3), labels, torch.nn.functional.one_hot(labels, 3).float()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_plain_loss_is_torchs_cross_entropy(smoothing):
    logits, labels, targets = batch()
    expected = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)
    torch.testing.assert_close(make_loss("none", COUNTS, smoothing)(logits, targets), expected)


def test_class_weights_are_torchs_with_inverse_counts():
    logits, labels, targets = batch()
    weights = torch.tensor(1 / COUNTS, dtype=torch.float32)
    expected = torch.nn.functional.cross_entropy(logits, labels, weight=weights)
    torch.testing.assert_close(make_loss("weights", COUNTS, 0.0)(logits, targets), expected)


def test_focal_loss_counts_what_is_known_less():
    logits, labels, targets = batch()
    p = torch.softmax(logits, 1)[range(6), labels]
    expected = (-((1 - p) ** 2) * p.log()).mean()
    torch.testing.assert_close(make_loss("focal", COUNTS, 0.0)(logits, targets), expected)


def test_logit_adjustment_adds_the_log_share():
    logits, labels, targets = batch()
    share = torch.tensor(np.log(COUNTS / COUNTS.sum()), dtype=torch.float32)
    expected = torch.nn.functional.cross_entropy(logits + share, labels)
    torch.testing.assert_close(make_loss("logits", COUNTS, 0.0)(logits, targets), expected)


def test_sampler_draws_classes_alike_and_others_take_each_picture_once():
    labels = np.repeat([0, 1], [900, 100])
    drawn = labels[epoch_order(labels, "sampler", np.random.default_rng(0))]
    assert len(drawn) == 1000
    assert abs(drawn.mean() - 0.5) < 0.06
    order = epoch_order(labels, "none", np.random.default_rng(0))
    assert sorted(order) == list(range(1000))


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0), (0.4, 1.0)])
def test_mixed_targets_say_what_stands_in_the_pictures(mixup, cutmix):
    labels = torch.arange(4)
    pictures = labels.float().reshape(4, 1, 1, 1).expand(4, 1, 20, 20)
    targets = torch.nn.functional.one_hot(labels, 4).float()
    inputs, soft = mixed(pictures, targets, mixup, cutmix, np.random.default_rng(3))
    torch.testing.assert_close(soft.sum(1), torch.ones(4))
    torch.testing.assert_close(inputs.mean((1, 2, 3)), soft @ labels.float())
    assert not torch.equal(soft, targets)


def test_nothing_is_mixed_unless_asked():
    inputs, targets = torch.randn(2, 3), torch.eye(2)
    assert mixed(inputs, targets, 0.0, 0.0, np.random.default_rng(0)) == (inputs, targets)
