"""Shared fixtures: a cache of its own for every test, and real pictures where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def test_data() -> Path:
    """The folder of real picture sets that TELLAPART_TEST_DATA names; skips without it."""
    named = os.environ.get("TELLAPART_TEST_DATA")
    if not named:
        pytest.skip("TELLAPART_TEST_DATA is not set: this test needs the real picture sets")
    return Path(named)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's cache."""
    cache = tmp_path / "tellapart-cache"
    monkeypatch.setenv("TELLAPART_CACHE", str(cache))
    return cache
