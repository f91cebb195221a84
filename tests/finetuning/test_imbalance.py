"""What is done for rare classes: tried where classes are uneven, taken where it clearly helps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tellapart.finetuning.finetune import finetune
from tellapart.finetuning.imbalance import choose_option
from tellapart.finetuning.kept import Done
from tellapart.finetuning.losses import IMBALANCES
from tellapart.finetuning.records import History
from tellapart.progress import Progress

LABELS = np.repeat([0, 1], (80, 20))
ALONE = np.arange(100)


def done(wrong: int, alphas=(0.0, 0.5)) -> Done:
    """A training that answers `wrong` pictures of the rare class with the other one."""
    answers = LABELS.copy()
    answers[80 : 80 + wrong] = 0
    scores = np.log(np.where(np.eye(2)[answers] == 1, 0.9, 0.1)).astype(np.float32)
    return Done(dict.fromkeys(alphas, scores), {}, History("fold 1", ()), {}, 1.0)


def chosen(wrong: dict[str, int], counts=(80, 20), plain: int = 10, **first):
    tried = []

    def train(name):
        tried.append(name)
        return done(wrong[name]) if name in wrong else None

    found = choose_option(np.array(counts), LABELS, ALONE, done(plain, **first), train)
    return found, tried


def test_what_clearly_helps_the_rare_class_is_taken():
    found, tried = chosen({"weights": 9, "sampler": 2, "focal": 10, "logits": 12})
    assert found.name == "sampler"
    assert tried == [one for one in IMBALANCES if one != "none"]
    assert found.first.scores[0.5].argmax(axis=1)[80:].sum() == 18
    assert "against none on 100 held-out pictures: weights +2.5 (standard error 3.4)" in found.why
    assert "sampler +20.0 (standard error" in found.why
    assert "logits -5.0" in found.why


def test_within_two_standard_errors_nothing_is_done():
    found, _ = chosen({"weights": 10, "sampler": 8, "focal": 11, "logits": 10})
    assert found.name == "none"
    assert "weights +0.0 (standard error 2.5)" in found.why
    assert (found.tried, found.suffix) == (True, "")


def test_one_picture_of_a_rare_class_decides_nothing():
    labels = np.repeat([0, 1], (80, 1))
    right = np.log(np.where(np.eye(2)[labels] == 1, 0.9, 0.1)).astype(np.float32)
    wrong = np.vstack([right[:80], right[:1]])
    first, better = (
        Done(dict.fromkeys((0.0, 0.5), one), {}, History("fold 1", ()), {}, 1.0)
        for one in (wrong, right)
    )
    found = choose_option(np.array([80, 2]), labels, np.arange(81), first, lambda _: better)
    assert found.name == "none"


def test_what_the_time_budget_left_out_is_said():
    found, _ = chosen({"weights": 2})
    assert found.name == "weights"
    assert found.why.endswith("the time budget left no room for more")


@pytest.mark.parametrize(
    ("counts", "plain", "alphas", "words"),
    [
        ((80, 20), 0, (0.0, 0.5), "all 100 held-out pictures are right without: nothing needed"),
        ((80, 40), 10, (0.0, 0.5), "has 2.0 times the pictures of the smallest: nothing needed"),
        ((80, 20), 10, (0.0,), "only the probe is asked for: nothing needed"),
    ],
)
def test_nothing_is_tried_where_it_cannot_matter(counts, plain, alphas, words):
    found, tried = chosen({}, counts, plain, alphas=alphas)
    assert (found.name, tried) == ("none", [])
    assert words in found.why


def test_uneven_classes_are_tried_on_the_first_fold_alone(question):
    asked = question(epochs=1, folds=2, alphas=(1.0,), imbalance="auto", tune_above=10)
    labels = asked.examples.labels
    rows = np.sort(np.r_[np.flatnonzero(labels > 0), np.flatnonzero(labels == 0)[:4]])
    own = asked.examples
    uneven = replace(
        own, sources=[own.sources[row] for row in rows], ids=[own.ids[row] for row in rows],
        labels=own.labels[rows], features=own.features[rows], components=own.components[rows],
    )  # fmt: skip
    progress = Progress()
    found = finetune(replace(asked, examples=uneven), progress)
    trained = list(dict.fromkeys(
        line.split(",")[0] for line in progress.lines if ", epoch" in line
    ))  # fmt: skip
    others = [f"fold 1 with {name}" for name in IMBALANCES if name != "none"]
    assert trained == ["fold 1", *others, "all"]
    (choice,) = [one for one in found.choices if one["what"] == "imbalance"]
    assert choice["chosen"] in IMBALANCES
    assert "points of balanced accuracy against none on" in choice["why"]
