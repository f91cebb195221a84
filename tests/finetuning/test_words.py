"""What curves say, in words."""

from __future__ import annotations

import pytest

from tellapart.finetuning.records import Epoch, History
from tellapart.finetuning.words import advice


def history(train, held=None, stopped=""):
    pairs = enumerate(zip(train, held or [None] * len(train), strict=True))
    return History("fold 1", tuple(Epoch(i + 1, i, 1e-3, a, b) for i, (a, b) in pairs), stopped)


@pytest.mark.parametrize(
    ("train", "held", "words"),
    [
        ([1.0, 0.5, 0.2, 0.1], [0.6, 0.4, 0.5, 0.7], "it overfits: the loss on held-out pictures"
         " was least after epoch 2"),
        ([1.0, 0.8, 0.6, 0.4], [0.9, 0.8, 0.7, 0.6], "it was still learning when it ended"),
        ([1.0, 1.3, 1.9, 2.5], [0.9, 1.5, 1.9, 2.6], "the learning rate is too high"),
        ([1.0, 0.999, 0.998, 0.997], [0.9, 0.9, 0.9, 0.9], "the training loss hardly fell"),
    ],
)  # fmt: skip
def test_curves_in_words(train, held, words):
    assert any(words in line for line in advice(history(train, held)))


def test_a_good_training_is_not_talked_about():
    assert advice(history([1.0, 0.5, 0.42, 0.41], [0.6, 0.5, 0.48, 0.48])) == ()
    assert advice(history([1.0])) == ()


def test_why_it_stopped_comes_first():
    assert advice(history([1.0, 0.5], None, "it diverged"))[0] == "fold 1: it diverged."
