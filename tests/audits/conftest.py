"""Small audit inputs for tests: pictures by label, facts that differ a little, as real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tellapart.audits.inputs import AuditInput
from tellapart.audits.records import Finding
from tellapart.data.pictures import FileSource, Note, PictureSet, Side
from tellapart.images.facts import Facts


def _make_facts(number: int, **changes: Any) -> Facts:
    """Facts of an ordinary photo; `number` makes it differ a little from the next."""
    draw = np.random.default_rng(number)
    ordinary = Facts(
        id=f"{number:032x}",
        file_bytes=int(20_000 * draw.lognormal(0, 0.3)),
        width=320,
        height=240,
        file_format="JPEG",
        mode="RGB",
        bands=3,
        quantisation=2000,
        brightness=float(draw.normal(120, 20)),
        contrast=float(draw.normal(55, 6)),
        sharpness=float(600 * draw.lognormal(0, 0.4)),
        saturation=60.0,
        entropy=float(draw.normal(7.3, 0.15)),
        border=float(draw.normal(115, 20)),
        border_spread=float(draw.normal(45, 8)),
    )
    return replace(ordinary, **changes)


def _make_input(
    labels: Sequence[str],
    *,
    facts: Sequence[Facts] | None = None,
    features: np.ndarray | None = None,
    sides: Sequence[Side | None] | None = None,
    groups: Sequence[str | None] | None = None,
    classes: tuple[str, ...] | None = None,
    paths: Sequence[str] | None = None,
    notes: tuple[Note, ...] = (),
    **rest: Any,
) -> AuditInput:
    """An AuditInput of pictures with these labels; whatever is not given is ordinary."""
    count = len(labels)
    facts = tuple(facts or [_make_facts(row) for row in range(count)])
    paths = tuple(paths or [f"{label}/{row:04d}.jpg" for row, label in enumerate(labels)])
    given = tuple(sides or [None] * count)
    pictures = PictureSet(
        root="data",
        paths=paths,
        sources=tuple(FileSource(f"data/{path}") for path in paths),
        labels=tuple(labels),
        groups=tuple(groups or [None] * count),
        splits=given,
        classes=classes or tuple(sorted(set(labels))),
        columns={},
        notes=notes,
    )
    ids = tuple(one.id for one in facts)
    _, components = np.unique(ids, return_inverse=True)
    rest.setdefault("components", components)
    return AuditInput(
        pictures=pictures,
        ids=ids,
        facts=facts,
        usable=np.flatnonzero([one.problem is None for one in facts]),
        features=features,
        sides=given,
        given_split=sides is not None,
        **rest,
    )


def _kinds_of(findings: Sequence[Finding]) -> list[str]:
    """The kinds of some findings, in their order."""
    return [one.kind for one in findings]


def _paths_of(findings: Sequence[Finding], kind: str) -> set[str]:
    """All paths that findings of `kind` (or with it in `also`) name."""
    return {
        picture.path
        for one in findings
        if kind == one.kind or kind in one.also
        for picture in one.pictures
    }


@pytest.fixture
def make_facts() -> Callable[..., Facts]:
    """Facts of an ordinary photo: make_facts(number, **changes)."""
    return _make_facts


@pytest.fixture
def make_input() -> Callable[..., AuditInput]:
    """An AuditInput of ordinary pictures: make_input(labels, facts=..., sides=..., ...)."""
    return _make_input


@pytest.fixture
def kinds_of() -> Callable[..., list[str]]:
    """The kinds of some findings."""
    return _kinds_of


@pytest.fixture
def paths_of() -> Callable[..., set[str]]:
    """The paths that findings of a kind name."""
    return _paths_of
