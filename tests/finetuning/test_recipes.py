"""Settings become recipes; what cannot be is refused in one line that says what to give."""

from __future__ import annotations

import math

import pytest

from tellapart.errors import OptionError
from tellapart.finetuning.recipes import check_batch, make_recipe
from tellapart.settings import FinetuneSettings


def recipe(**changes):
    settings = FinetuneSettings(**{"mode": "yes", **changes})
    return make_recipe(settings, input_size=224, device="cpu", fast_half=True, pictures=100)


def test_the_recipe_that_was_tried_beforehand():
    found = recipe()
    assert (found.epochs, found.rate, found.freeze, found.size) == (5, 3e-4, 0.5, 192)
    assert (found.optimizer, found.precision, found.batch) == ("adamw", "bf16-mixed", 16)


def test_the_classic_recipe_is_one_word_away():
    found = recipe(recipe="classic")
    assert (found.head, found.freeze, found.optimizer) == ("new", 1.0, "adam")
    assert (found.rate, found.epochs, found.alphas) == (1e-3, 5, (1.0,))
    assert recipe(recipe="classic", epochs=2).epochs == 2


@pytest.mark.parametrize("name", ["default", "classic", "scratch"])
def test_what_is_asked_for_holds_even_where_it_is_usual_elsewhere(name):
    asked = {"batch": 16, "schedule": "cosine", "weight_decay": 0.01, "clip": 1.0,
             "layer_decay": 0.8}  # fmt: skip
    how = {"mode": "scratch"} if name == "scratch" else {"recipe": name}
    found = recipe(**how, **asked)
    assert {field: getattr(found, field) for field in asked} == asked


def test_scratch_learns_everything():
    found = recipe(mode="scratch")
    assert (found.head, found.freeze, found.learn_statistics) == ("new", 0.0, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate": 0.0}, "--lr is 0.0: a number above 0 is needed"),
        ({"rate": -1.0}, "--lr is -1.0: a number above 0"),
        ({"rate": math.nan}, "--lr is nan: a number above 0"),
        ({"rate": "fast"}, "--lr is 'fast': a number above 0, or auto"),
        ({"epochs": 0}, "--epochs is 0: 1 or more"),
        ({"freeze": 1.5}, "--freeze is 1.5: 0 (nothing) to 1"),
        ({"smoothing": math.nan}, "--smoothing is nan"),
        ({"batch": 0}, "--batch is 0: 1 or more"),
        ({"optimizer": "sdg"}, "--optimizer 'sdg' is unknown; did you mean 'sgd'?"),
        ({"augment": "heavy"}, "--augment 'heavy' is unknown"),
        ({"alphas": (0.0, 1.5)}, "--alphas are (0.0, 1.5)"),
    ],
)
def test_refused(changes, words):
    with pytest.raises(OptionError) as caught:
        recipe(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(OptionError, match=r"--batch 64 is more than the 40 pictures"):
        check_batch(recipe(batch=64), 40)
