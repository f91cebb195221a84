"""The page of a comparison of backbones."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tellapart.reports import BackboneMap, ProbeData, ReportData
from tellapart.reports.probe_page import probe_html, turned_like


@pytest.fixture
def data(make_data: Callable[..., ReportData]) -> ProbeData:
    rng = np.random.default_rng(0)
    labels = ["ants", "bees", "</script>"] * 10
    features = rng.normal(size=(30, 8)) + 3 * rng.normal(size=(3, 8))[[0, 1, 2] * 10]
    return ProbeData(
        title="set", date="today", words=("lite0 is best.", "Compared on 30."),
        columns=("backbone", "balanced accuracy"), rows=(("lite0", "0.9"), ("hog", "0.5")),
        paths=[f"{at}.jpg" for at in range(30)],
        ids=[hashlib.blake2b(bytes([at]), digest_size=16).hexdigest() for at in range(30)],
        labels=labels, classes=["ants", "bees", "</script>"],
        maps=(BackboneMap("lite0", features), BackboneMap("hog", -features[:, :4])),
        thumbnails=make_data().thumbnails, commands=("tellapart run set --backbone lite0",),
    )  # fmt: skip


def _specs(html: str) -> list[dict[str, object]]:
    found = re.findall(r'<script type="application/json" id="spec-map-\d">(.*?)</script>', html)
    return [json.loads(one) for one in found]


def test_two_maps_show_the_same_pictures_in_the_same_colours(
    data: ProbeData, tmp_path: Path
) -> None:
    html = probe_html(data, tmp_path)
    assert "lite0 is best." in html
    assert "<span>--backbone</span> <span>lite0</span></code>" in html
    assert html.count('data-chart="spec-map-') == 2
    first, second = _specs(html)
    assert first["encoding"]["color"]["scale"] == second["encoding"]["color"]["scale"]  # type: ignore[index]
    one, other = (
        {(row["at"], row["class"], *row["tip"]): (row["x"], row["y"]) for row in rows}
        for rows in (spec["datasets"]["rows"] for spec in (first, second))  # type: ignore[index]
    )
    assert one.keys() == other.keys()
    assert len(one) == 30
    assert one != other
    assert {kind for row in one for kind in row[1:2]} == {"ants", "bees", "</script>"}
    x = np.array([(one[key][0], other[key][0]) for key in one])
    assert np.corrcoef(x.T)[0, 1] > 0  # though the features of the second are mirrored


def test_axes_are_mirrored_to_run_as_those_of_the_first_map() -> None:
    first = np.array([[0.0, 0.2], [0.5, 0.9], [1.0, 1.0]])
    against = np.column_stack([1 - first[:, 0], first[:, 1]])
    assert np.array_equal(turned_like(against, first), first)


def test_too_few_pictures_for_a_map_leave_the_table(data: ProbeData, tmp_path: Path) -> None:
    two = replace(
        data, paths=data.paths[:2], ids=data.ids[:2], labels=data.labels[:2],
        maps=[replace(one, features=one.features[:2]) for one in data.maps],
    )  # fmt: skip
    html = probe_html(two, tmp_path)
    assert "<td>hog</td>" in html
    assert 'id="maps"' not in html
