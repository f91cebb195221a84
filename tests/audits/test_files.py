"""Files that are not what they should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tellapart.audits import files as checks
from tellapart.images.look import look_at
from tellapart.images.problems import KINDS as PROBLEM_KINDS
from tellapart.images.transforms import Transform
from tellapart.images.views import Shown
from tellapart.settings import Decoding

EXPECTED = {"truncated": "truncated", "not_an_image": "not_an_image"}


@pytest.mark.parametrize("problem_kind", PROBLEM_KINDS)
def test_every_kind_of_problem_has_its_finding(make_input, make_facts, problem_kind):
    facts = [make_facts(0), make_facts(1, problem="what happened", problem_kind=problem_kind)]
    (finding,) = checks.problems(make_input(["cat"] * 2, facts=facts))
    assert finding.kind == EXPECTED.get(problem_kind, "unreadable")
    assert finding.severity == "error"
    assert [one.path for one in finding.pictures] == ["cat/0001.jpg"]
    assert "It cannot be used: what happened." in finding.message


def test_readable_files_have_no_problem(make_input):
    assert checks.problems(make_input(["cat"] * 2)) == []


def test_wrong_extension(make_input, make_facts):
    paths = ["cat/a.jpg", "cat/b.JPEG", "cat/c.png", "cat/d.jpg", "cat/e", "cat/f.jpg"]
    formats = ["JPEG", "JPEG", "JPEG", "PNG", "JPEG", "MPO"]
    facts = [make_facts(row, file_format=one) for row, one in enumerate(formats)]
    findings = checks.wrong_extensions(make_input(["cat"] * 6, facts=facts, paths=paths))
    assert [one.pictures[0].path for one in findings] == ["cat/c.png", "cat/d.jpg"]
    assert "named .png but holds JPEG" in findings[0].message
    assert findings[1].advice == "Rename it to .png."


def test_dropped_band(make_input, make_facts):
    facts = [
        make_facts(0),
        make_facts(1, file_format="TIFF", bands=4, note="the first three of 4 bands"),
        make_facts(2, file_format="PNG", mode="RGBA", bands=4),
        make_facts(3, file_format="TIFF", bands=4, note="the first of 2 frames"),
    ]
    (finding,) = checks.dropped_bands(make_input(["cat"] * 4, facts=facts))
    assert [one.path for one in finding.pictures] == ["cat/0001.jpg"]
    assert "4 bands" in finding.message and "--bands" in finding.advice


def test_dropped_bands_of_real_tiffs(make_input, test_data):
    files = sorted((test_data / "naip_tif").glob("*.tif"))
    for bands, named in ((None, 6), (("4", "1", "2"), 0)):
        seen = [_facts(one.read_bytes(), Decoding(bands=bands)) for one in files]
        data = make_input(["town"] * 6, facts=seen, paths=[one.name for one in files])
        assert len(checks.dropped_bands(data)) == named


def _facts(content, decoding):
    transform = Transform(224, "crop", 0.875, "bicubic", (127.5,) * 3, (127.5,) * 3)
    return look_at(content, [Shown(transform)], decoding=decoding).facts


def test_placeholder_among_photos(make_input, make_facts, paths_of):
    facts = [make_facts(row) for row in range(60)]
    flat = {"entropy": 1.0, "saturation": 0.0, "border_spread": 0.0, "contrast": 24.0}
    facts[9] = replace(facts[9], file_format="GIF", **flat)
    facts[40] = replace(facts[40], **flat)
    findings = checks.placeholders(make_input(["cat"] * 30 + ["dog"] * 30, facts=facts))
    assert paths_of(findings, "placeholder") == {"cat/0009.jpg", "dog/0040.jpg"}
    assert "GIF among other formats" in findings[0].message


def test_a_photo_on_white_is_no_placeholder(make_input, make_facts):
    facts = [make_facts(row) for row in range(60)]
    facts[9] = replace(facts[9], entropy=2.2, border_spread=0.1, saturation=11.0)
    assert checks.placeholders(make_input(["cat"] * 60, facts=facts)) == []


def test_slides_among_slides_are_no_placeholders(make_input, make_facts):
    facts = [make_facts(row) for row in range(60)]
    for row in range(50, 60):
        flat = {"entropy": 1.0 + row % 5, "saturation": 0.0, "border_spread": 0.0}
        facts[row] = replace(facts[row], **flat)
    labels = ["photo"] * 50 + ["slide"] * 10
    assert checks.placeholders(make_input(labels, facts=facts)) == []


def test_one_file_under_three_classes_is_a_placeholder(make_input, make_facts):
    facts = [make_facts(row) for row in range(6)]
    facts[2] = facts[4] = facts[0]
    labels = ["ant", "ant", "bee", "bee", "cow", "cow"]
    (finding,) = checks.placeholders(make_input(labels, facts=facts))
    assert "under 3 classes" in finding.message and len(finding.pictures) == 3
