"""Groups in file names: proposed where they go with likeness, and only there."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tellapart.audits.group_hints import PATTERNS, group_hints

GROUPS, MATES = 30, 4


def bursts(seed: int = 0, *, alike: bool = True) -> tuple[list[str], list[str], np.ndarray]:
    """Labels, paths and features of 30 bursts of 4 pictures; alike: those of a burst lie near."""
    draw = np.random.default_rng(seed)
    labels, paths, features = [], [], []
    for group in range(GROUPS):
        scene = draw.normal(size=32)
        for number in range(MATES):
            labels.append("cat" if group % 2 else "dog")
            paths.append(f"{labels[-1]}/walk{group:02}_{number}.jpg")
            own = draw.normal(size=32)
            features.append(scene + 0.3 * own if alike else own)
    return labels, paths, np.array(features, np.float32)


def test_names_that_go_with_likeness_are_proposed(make_input):
    labels, paths, features = bursts()
    (finding,) = group_hints(make_input(labels, paths=paths, features=features))
    assert (finding.kind, finding.severity) == ("group_hint", "note")
    assert "what stands before the last number" in finding.message
    assert "(30 such groups)" in finding.message
    assert "100 times of 100" in finding.message
    regex = re.search(r'--group-regex "(.+?)";', finding.advice)
    assert regex
    groups = [re.search(regex.group(1), path).group(1) for path in paths]
    assert len(set(groups)) == GROUPS
    shown = [one.path.split("_")[0] for one in finding.pictures]
    assert all(shown.count(one) >= 2 for one in shown)  # pairs of one burst


def test_groups_on_several_sides_of_the_split_are_counted_and_named(make_input):
    labels, paths, features = bursts()
    whole = ["train"] * 80 + ["test"] * 40
    (finding,) = group_hints(make_input(labels, paths=paths, features=features, sides=whole))
    assert "side of the split" not in finding.message
    torn = [*whole]
    torn[0] = torn[41] = "test"
    (finding,) = group_hints(make_input(labels, paths=paths, features=features, sides=torn))
    said = " 2 of them stand on more than one side of the split: 'walk00_', 'walk10_'."
    assert finding.message.endswith(said)


def test_names_that_mean_nothing_are_not(make_input):
    labels, paths, features = bursts(alike=False)
    assert group_hints(make_input(labels, paths=paths, features=features)) == []


def test_the_class_in_the_name_is_no_group(make_input):
    draw = np.random.default_rng(0)
    labels = [name for name in "abcdefgh" for _ in range(10)]
    paths = [f"{name}/{name}_{row}.jpg" for row, name in enumerate(labels)]
    centres = {name: draw.normal(size=16) * 5 for name in "abcdefgh"}
    features = np.array([centres[name] + draw.normal(size=16) for name in labels], np.float32)
    assert group_hints(make_input(labels, paths=paths, features=features)) == []


def test_groups_that_the_user_gave_and_copies_that_are_joined_need_no_hint(make_input):
    labels, paths, features = bursts()
    groups = ["a"] + [None] * (len(labels) - 1)
    assert group_hints(make_input(labels, paths=paths, features=features, groups=groups)) == []
    together = np.repeat(np.arange(GROUPS), MATES)
    data = make_input(labels, paths=paths, features=features, components=together)
    assert group_hints(data) == []


def test_without_features_there_is_no_likeness_to_go_by(make_input):
    labels, paths, _ = bursts()
    assert group_hints(make_input(labels, paths=paths)) == []


def test_the_order_of_files_does_not_matter(make_input, make_facts):
    labels, paths, features = bursts()
    facts = [make_facts(row) for row in range(len(labels))]
    order = np.random.default_rng(1).permutation(len(labels))
    plain = group_hints(make_input(labels, facts=facts, paths=paths, features=features))
    mixed = group_hints(
        make_input(
            [labels[row] for row in order],
            facts=[facts[row] for row in order],
            paths=[paths[row] for row in order],
            features=features[order],
        )
    )
    assert plain[0].message == mixed[0].message
    assert plain[0].score == pytest.approx(mixed[0].score)


@pytest.mark.parametrize(
    ("what", "path", "group"),
    [
        ("what stands before the last number", "c/burst_012_03.jpg", "burst_012_"),
        ("what stands before the last number", "c/P7a12.jpg", "P7a"),
        ("what stands before the last part", "c/nurse-station-left.png", "nurse-station"),
        ("the first part", "a_b/P012-03-x.jpg", "P012"),
        ("the first number", "2020/day 7 of 9.jpg", "7"),
        ("the last number", "c/chico_2020_52.png", "52"),
        ("the number but for its last digit", "c/IMG_0047.jpg", "IMG_004"),
        ("the number but for its last two digits", "c/IMG_0047.jpg", "IMG_00"),
        ("the day", "c/PXL_20240531_1.jpg", "20240531"),
        ("the day", "c/2024-05-31 10.jpg", "2024-05-31"),
        ("the folder", "cat/patient 4/1.jpg", "patient 4"),
    ],
)
def test_what_the_patterns_find(what: str, path: str, group: str):
    found = re.search(dict(PATTERNS)[what], path)
    assert found
    assert found.group(1) == group
