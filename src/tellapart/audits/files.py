"""Checks on the files themselves: what cannot be read, and what is not what it says."""

from __future__ import annotations

from tellapart.audits.inputs import AuditInput, make_finding
from tellapart.audits.records import Finding

PROBLEM_WORDS = (
    ("truncated", "truncated"),
    ("ends too early", "truncated"),
    ("not an image", "not_an_image"),
    ("no image", "not_an_image"),
)
PROBLEM_ADVICE = {
    "unreadable": "Open it in another program, save it anew, or remove it.",
    "truncated": "Copy or download it again: the rest of the file is missing.",
    "not_an_image": "Look into the file (it may be a web page or a text) and get the real picture.",
}


def problems(data: AuditInput) -> list[Finding]:
    """Name each picture that cannot be used: unreadable, truncated or not_an_image."""
    found = []
    for row, facts in enumerate(data.facts):
        if facts.problem is None:
            continue
        kind = problem_kind(facts.problem)
        found.append(
            make_finding(
                data,
                kind,
                rows=[row],
                message=f"This picture cannot be used: {facts.problem}.",
                advice=PROBLEM_ADVICE[kind],
            )
        )
    return found


def problem_kind(problem: str) -> str:
    """Return the kind of finding that a problem's words belong to."""
    folded = problem.casefold()
    return next((kind for words, kind in PROBLEM_WORDS if words in folded), "unreadable")
