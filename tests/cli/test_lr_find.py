"""tellapart lr-find, through the command line."""

from __future__ import annotations

import json


def test_a_curve_its_picture_and_suggestions(command, shapes, tmp_path):
    out = tmp_path / "curve.svg"
    code, text, err = command("lr-find", shapes, "--out", out, "--size", "32", "--batch", "4",
                              "--freeze", "0.9", "--json")  # fmt: skip
    assert code == 0, err
    found = json.loads(text)
    assert len(found["rates"]) == len(found["losses"]) >= 8
    assert found["rates"] == sorted(found["rates"])
    for name in ("valley", "steepest", "tenth"):
        assert 1e-8 < found[name] <= 1
    picture = out.read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    for word in ("valley", "steepest", "minimum/10"):
        assert word in picture


def test_what_is_wrong_is_one_line(refused, shapes, tmp_path):
    line = refused("lr-find", shapes, "--batch", "0")
    assert "--batch is 0: 1 or more is needed" in line
