"""Findings are kept: unchanged pictures are not checked again, changed ones are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tellapart.audits import run_audit
from tellapart.audits.inputs import AuditInput
from tellapart.audits.kept import audit_key


class Store(dict):
    def load_arrays(self, key: str) -> Any:
        return self.get(key)

    def save_arrays(self, key: str, arrays: Any, meta: Any) -> None:
        self[key] = (arrays, meta)


@pytest.fixture
def data(make_input, make_facts) -> AuditInput:
    facts = [make_facts(row) for row in range(60)]
    facts[3], facts[40] = facts[2], make_facts(40, problem="cut", problem_kind="truncated")
    return make_input(["cat"] * 49 + ["dog"] * 11, facts=facts)


def test_unchanged_pictures_are_not_checked_again(data, monkeypatch) -> None:
    store = Store()
    first = run_audit(data, cache=store)
    assert len(first.findings) == 3
    assert any(one.score != round(one.score, 6) for one in run_audit(data).findings)
    monkeypatch.setattr("tellapart.audits.CHECKS", ())
    again = run_audit(data, cache=store)
    assert again == first
    assert run_audit(data, only=("truncated",), cache=store).findings == ()


def changed_label(data: AuditInput) -> AuditInput:
    labels = ("dog", *data.pictures.labels[1:])
    return replace(data, pictures=replace(data.pictures, labels=labels))


def changed_path(data: AuditInput) -> AuditInput:
    paths = ("cat/other.jpg", *data.pictures.paths[1:])
    return replace(data, pictures=replace(data.pictures, paths=paths))


def changed_column(data: AuditInput) -> AuditInput:
    columns = {"place": ("north",) * len(data.pictures)}
    return replace(data, pictures=replace(data.pictures, columns=columns))


def changed_fact(data: AuditInput) -> AuditInput:
    return replace(data, facts=(replace(data.facts[0], sharpness=1.0), *data.facts[1:]))


CHANGES = {
    "label": changed_label,
    "path": changed_path,
    "column": changed_column,
    "bytes": lambda data: replace(data, ids=("f" * 32, *data.ids[1:])),
    "fact": changed_fact,
    "side": lambda data: replace(data, sides=("test", *data.sides[1:])),
    "component": lambda data: replace(data, components=np.zeros_like(data.components)),
    "seed": lambda data: replace(data, seed=1),
    "mirror": lambda data: replace(data, mirror=False),
    "given split": lambda data: replace(data, given_split=True),
    "features": lambda data: replace(data, features=np.ones((60, 2), np.float32)),
    "usable": lambda data: replace(data, usable=data.usable[1:]),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_findings_depend_on_is_in_the_key(data, what: str) -> None:
    assert audit_key(CHANGES[what](data), ["truncated"]) != audit_key(data, ["truncated"])


def test_other_kinds_have_another_key(data) -> None:
    assert audit_key(data, ["truncated"]) != audit_key(data, ["dark"])
