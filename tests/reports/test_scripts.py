from __future__ import annotations

from pathlib import Path

import pytest

from tellapart.reports.scripts import policy, vega_bundle


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    vega_bundle(folder)
    return folder


def test_the_bundle_is_kept_and_equals_a_fresh_one(kept: Path) -> None:
    (file,) = kept.iterdir()
    before = file.stat().st_mtime_ns
    script = vega_bundle(kept)
    assert file.stat().st_mtime_ns == before
    assert script == vega_bundle(None)
    assert "</script" not in script
    assert "<!--" not in script


@pytest.fixture
def made_before(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bundle, which takes a second, not be made once more."""
    (file,) = kept.iterdir()
    script = file.read_text(encoding="utf-8").partition("\n")[2]
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: script)


@pytest.mark.usefixtures("made_before")
def test_a_damaged_bundle_is_made_anew(kept: Path) -> None:
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1000] + b"alert(1)")
    assert vega_bundle(kept) == whole.decode().partition("\n")[2]
    assert file.read_bytes() == whole


@pytest.mark.usefixtures("made_before")
def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "vegaEmbed" in vega_bundle(tmp_path / "file")


def test_the_policy_admits_only_what_it_is_given() -> None:
    text = policy(["alert(1)"], ["p {}"])
    assert text.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in text
    assert policy(["alert(2)"], ["p {}"]) != text
