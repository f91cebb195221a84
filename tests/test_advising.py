"""What advice is given on: suspected labels by path, and the next larger backbone at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tellapart import advising
from tellapart.audits import Audit
from tellapart.audits.records import Finding, PictureRef
from tellapart.pipeline import run


def test_the_next_backbone_at_hand_is_measured(
    shapes: Path,
    tmp_path: Path,
    kept_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_larger_lites: None,
) -> None:
    monkeypatch.setattr(advising, "LARGER", {"lite0": ("lite2", "lite0")})
    advice = run(shapes, tmp_path / "run", cache=kept_cache).advice
    assert advice is not None
    (other,) = [one for one in advice.options if one.kind == "backbone"]
    assert (other.name, other.gain.value) == ("lite0", 0.0)  # the same features again
    assert not [note for note in advice.notes if "backbone" in note]


def test_where_no_backbone_is_next_it_is_said(
    shapes: Path, tmp_path: Path, kept_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advising, "LARGER", {})
    advice = run(shapes, tmp_path / "run", cache=kept_cache).advice
    assert advice is not None
    assert "No larger backbone than lite0 was measured: none is at hand." in advice.notes


def test_suspects_are_the_training_pictures_that_the_audit_calls_mislabeled() -> None:
    def finding(kind: str, path: str, proposed: str) -> Finding:
        ref = PictureRef(path, "id", "train")
        return Finding(kind, "warning", 0.9, (ref,), ("ants", proposed), "", "")

    audit = Audit(
        5,
        (
            finding("mislabeled", "b.jpg", "bees"),
            finding("mislabeled", "judges.jpg", "bees"),  # on another side
            finding("mislabeled", "a.jpg", "wasps"),  # a class that was not learned
            finding("outlier", "a.jpg", "bees"),
        ),
    )
    found = advising._suspects(audit, ["a.jpg", "b.jpg"], {"ants": 0, "bees": 1})
    assert [(one.row, one.proposed) for one in found] == [(1, 1)]
