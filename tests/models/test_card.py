from dataclasses import replace
from pathlib import Path

import pytest

import tellapart as ta
from tellapart.models.card import model_card

HOSTILE = ("</script><img src=x onerror=alert(1)>", "=1+1", "a|b`c\nd")


@pytest.fixture(scope="module")
def classifier(finished: Path) -> ta.Classifier:
    return ta.load(finished)


def test_the_card_says_what_a_stranger_should_know(
    classifier: ta.Classifier, finished: Path
) -> None:
    card = model_card(classifier)
    assert card == (finished / "model" / "README.md").read_text(encoding="utf-8")
    headline = classifier.headline
    assert headline is not None
    assert "Tells apart 3 classes: `boxes`, `dots`, `lines`." in card
    low, high = f"{headline['low']:.3f}", f"{headline['high']:.3f}"
    assert f"Balanced accuracy: {headline['value']:.3f} ({low} to {high})" in card
    assert f"{headline['pictures']} test pictures; 95 % interval." in card
    assert f"Fitted on {36 - headline['pictures']} pictures of `shapes`." in card
    assert "| `dots` |" in card
    assert "tellapart predict" in card
    assert "Apache-2.0" in card
    assert "## Limits" in card
    assert "--refit" not in card


def test_a_refitted_head_says_that_its_number_was_measured_before(
    classifier: ta.Classifier,
) -> None:
    card = model_card(replace(classifier, card={**classifier.card, "refit": True}))
    assert "That number was measured before the head was fitted again on every picture" in card


def test_a_classifier_that_was_never_measured_has_no_number(classifier: ta.Classifier) -> None:
    card = model_card(replace(classifier, headline=None, card={**classifier.card, "per_class": []}))
    assert "How good" not in card
    assert "| class |" not in card


def test_hostile_names_stay_names(classifier: ta.Classifier) -> None:
    rows = [
        {**row, "class": name}
        for row, name in zip(classifier.card["per_class"], HOSTILE, strict=True)
    ]
    card = model_card(
        replace(
            classifier,
            classes=HOSTILE,
            card={**classifier.card, "per_class": rows, "data": HOSTILE[0]},
        )
    )
    outside_code = "".join(card.split("`")[::2])
    assert "<img" not in outside_code
    assert "`</script><img src=x onerror=alert(1)>`" in card
    assert "a|b'c d" in card
    table = [line for line in card.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(HOSTILE)
    assert all(line.replace("\\|", "").count("|") == 5 for line in table)


def test_many_classes_are_cut_and_counted(classifier: ta.Classifier) -> None:
    classes = tuple(f"c{i}" for i in range(300))
    row = classifier.card["per_class"][0]
    rows = [{**row, "class": name} for name in classes]
    card = model_card(
        replace(classifier, classes=classes, card={**classifier.card, "per_class": rows})
    )
    assert "`c19` and 280 more." in card
    assert "| and 100 more |" in card
