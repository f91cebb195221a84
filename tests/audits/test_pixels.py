"""What one decode tells: planted faults are named, ordinary pictures are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tellapart.audits import pixels as checks

COUNT = 60
EVERY_CHECK = (
    checks.exif_turned,
    checks.dark,
    checks.light,
    checks.blurry,
    checks.low_information,
    checks.tiny,
    checks.odd_size,
    checks.odd_aspect,
    checks.odd_mode,
)
PLANTED = {
    "exif_rotated": (checks.exif_turned, {"exif_turn": 6}),
    "dark": (checks.dark, {"brightness": 20.0, "contrast": 11.0}),
    "light": (checks.light, {"brightness": 228.0, "contrast": 12.0}),
    "blurry": (checks.blurry, {"sharpness": 4.0}),
    "low_information": (checks.low_information, {"contrast": 1.5}),
    "tiny": (checks.tiny, {"width": 40, "height": 30}),
    "odd_size": (checks.odd_size, {"width": 3200, "height": 2400}),
    "odd_aspect": (checks.odd_aspect, {"width": 1000, "height": 100}),
    "odd_mode": (checks.odd_mode, {"mode": "L", "saturation": 0.0}),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_named_and_nothing_else(make_input, make_facts, paths_of, kind):
    check, fault = PLANTED[kind]
    facts = [make_facts(row) for row in range(COUNT)]
    for row in (7, 31):
        facts[row] = replace(facts[row], **fault)
    data = make_input(["cat"] * 30 + ["dog"] * 30, facts=facts)
    findings = check(data)
    assert {one.kind for one in findings} == {kind}
    assert paths_of(findings, kind) == {"cat/0007.jpg", "dog/0031.jpg"}
    assert all(0 <= one.score <= 1 and one.message and one.advice for one in findings)


@pytest.mark.parametrize("check", EVERY_CHECK)
def test_ordinary_pictures_and_empty_sets_are_no_finding(make_input, check):
    assert check(make_input(["cat"] * COUNT)) == []
    assert check(make_input([])) == []


@pytest.mark.parametrize(
    ("check", "usual"),
    [
        (checks.dark, {"brightness": 20.0, "contrast": 11.0}),
        (checks.light, {"brightness": 228.0, "contrast": 12.0}),
        (checks.blurry, {"sharpness": 4.0}),
        (checks.low_information, {"contrast": 3.0}),
        (checks.tiny, {"width": 32, "height": 32}),
        (checks.odd_aspect, {"width": 1000, "height": 100}),
    ],
)
def test_what_the_whole_set_is_like_is_no_fault(make_input, make_facts, check, usual):
    facts = [make_facts(row, **usual) for row in range(COUNT)]
    assert check(make_input(["x-ray"] * COUNT, facts=facts)) == []


def test_a_set_that_varies_in_size_has_no_odd_size(make_input, make_facts):
    draw = np.random.default_rng(0)
    facts = [
        make_facts(row, width=int(w), height=int(0.75 * w))
        for row, w in enumerate(draw.uniform(150, 1500, COUNT))
    ]
    assert checks.odd_size(make_input(["cat"] * COUNT, facts=facts)) == []


def test_a_bright_class_is_no_fault_of_its_pictures(make_input, make_facts):
    facts = [make_facts(row) for row in range(90)]
    facts += [
        replace(make_facts(row), brightness=float(220 + row % 9), contrast=12.0)
        for row in range(90, 110)
    ]
    labels = ["photo"] * 90 + ["slide"] * 20
    assert checks.light(make_input(labels, facts=facts)) == []


def test_small_sets_have_no_rest_to_be_unlike(make_input, make_facts):
    facts = [make_facts(row) for row in range(10)]
    facts[3] = replace(facts[3], sharpness=1.0)
    assert checks.blurry(make_input(["cat"] * 10, facts=facts)) == []


def test_the_master_is_used_where_it_is_there(make_facts):
    gray = np.full((128, 128), 20, dtype=np.uint8)
    gray[:4] = 250
    facts = make_facts(0, master=gray.tobytes(), brightness=27.0)
    assert checks.bright_end(facts) == 250
    assert checks.washed_out(facts) == pytest.approx((27 + 20) / 2)


def test_gray_stored_as_colour_is_gray(make_facts):
    assert checks.mode_words(make_facts(0, saturation=0.1)) == "gray"
    assert checks.mode_words(make_facts(0, mode="I;16", saturation=0.0)) == "high-depth gray"
    assert checks.mode_words(make_facts(0)) == "colour"
