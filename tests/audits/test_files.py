"""Files that are not what they should be."""

from __future__ import annotations

import pytest

from tellapart.audits import files as checks


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ("the file is truncated", "truncated"),
        ("this is not an image", "not_an_image"),
        ("permission denied", "unreadable"),
    ],
)
def test_problems_are_sorted_by_their_words(make_input, make_facts, problem, kind):
    facts = [make_facts(0), make_facts(1, problem=problem)]
    (finding,) = checks.problems(make_input(["cat"] * 2, facts=facts))
    assert (finding.kind, finding.severity) == (kind, "error")
    assert [one.path for one in finding.pictures] == ["cat/0001.jpg"]
    assert problem in finding.message


def test_readable_files_have_no_problem(make_input):
    assert checks.problems(make_input(["cat"] * 2)) == []
