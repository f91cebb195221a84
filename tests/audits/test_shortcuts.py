"""Facts that give the label away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tellapart.audits import shortcuts as checks

LABELS = ["cat"] * 60 + ["dog"] * 60 + ["owl"] * 60


def _bordered(facts, number):
    gray = np.random.default_rng(number).integers(0, 255, (128, 128)).astype(np.uint8)
    gray[:4], gray[-4:], gray[:, :4], gray[:, -4:] = 0, 0, 0, 0
    return replace(facts, master=gray.tobytes())


PLANTED = {
    "JPEG quality": lambda facts, number: replace(facts, quantisation=900),
    "image size": lambda facts, number: replace(facts, width=256, height=192),
    "file format": lambda facts, number: replace(facts, file_format="PNG"),
    "capture time": lambda facts, number: replace(
        facts, taken=f"2024:05:03 10:{number % 60:02}:00"
    ),
    "a border of one tone": _bordered,
}


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_shortcut_is_named(make_input, make_facts, name, half):
    facts = [make_facts(row) for row in range(180)]
    for row in range(60, 120, 2 if half else 1):
        facts[row] = PLANTED[name](facts[row], row)
    findings = checks.giveaways(make_input(LABELS, facts=facts))
    warned = [one for one in findings if one.severity == "warning"]
    assert any(f"By {name} alone" in one.message for one in warned)
    assert all("dog" in one.labels for one in warned)


def test_ordinary_facts_give_nothing_away(make_input):
    assert checks.giveaways(make_input(LABELS)) == []
    assert checks.giveaways(make_input(["cat"] * 30)) == []


def test_content_is_a_note(make_input, make_facts):
    facts = [make_facts(row) for row in range(180)]
    for row in range(60):
        facts[row] = replace(facts[row], brightness=200.0 + row % 10)
    (finding,) = checks.giveaways(make_input(LABELS, facts=facts))
    assert finding.severity == "note" and "brightness (100 % of 'cat')" in finding.message


def test_three_pictures_taken_on_one_day_are_no_shortcut(make_input, make_facts):
    facts = [make_facts(row) for row in range(180)]
    for row in range(3):
        facts[row] = replace(facts[row], taken="2024:05:03 10:00:00")
    assert checks.giveaways(make_input(LABELS, facts=facts)) == []


def test_given_away_is_one_for_a_telling_number_and_about_zero_for_noise():
    codes = np.repeat([0, 1], 50)
    draw = np.random.default_rng(0)
    telling = checks.given_away(codes[:, None] + 0.1 * draw.normal(size=(100, 1)), codes, 0)
    noise = checks.given_away(draw.normal(size=(100, 1)), codes, 0)
    assert telling.tolist() == [1, 1]
    assert abs(noise).max() < 0.3


def test_garbled_capture_times_count_as_none():
    assert checks.seconds_of("0000:00:00 00:00:00") == checks.seconds_of("") == -1
    assert checks.seconds_of("1970:01:02 00:00:00") == 86_400


def test_many_classes_in_a_sample_of_a_large_set_warn_of_nothing(
    make_input, make_facts, monkeypatch
):
    monkeypatch.setattr(checks, "MOST_ROWS", 60)
    labels = ["cat"] * 90 + ["dog"] * 90 + ["rare"] * 12
    assert checks.giveaways(make_input(labels)) == []
