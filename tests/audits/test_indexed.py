"""Candidates through an index, and near-duplicates of sets that do not fit into memory."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tellapart import likeness
from tellapart.audits import candidates
from tellapart.audits.alignment import ALL_TURNS
from tellapart.errors import MissingExtra

COUNT, WIDTH = 300, 32


@pytest.fixture
def columns() -> tuple[np.ndarray, np.ndarray]:
    """Small pictures [n, 2, 8, 8] and features [n, d]; every third is like the one before."""
    draw = np.random.default_rng(3)
    small = draw.uniform(0, 255, (COUNT, 2, 8, 8)).astype(np.float16)
    features = draw.normal(size=(COUNT, WIDTH)).astype(np.float16)
    small[2::3] = small[1::3, :, ::-1] + np.float16(2)  # turned over
    features[2::3] = features[1::3] + np.float16(0.1)
    return small, features


def pairs_of(columns: tuple[np.ndarray, np.ndarray], threads: int = 2) -> set[tuple[int, int]]:
    with ThreadPoolExecutor(threads) as workers:
        found = candidates.candidate_pairs(*columns, ALL_TURNS, workers, threads)
    assert (found[:, 0] < found[:, 1]).all()
    return set(map(tuple, found.tolist()))


def test_the_index_finds_nearly_what_all_products_find(columns, monkeypatch) -> None:
    if importlib.util.find_spec("usearch") is None:
        pytest.skip("the extra [large] is not installed")
    exact = pairs_of(columns)
    monkeypatch.setattr(candidates, "INDEXED_ABOVE", COUNT - 1)
    monkeypatch.setattr("tellapart.audits.indexed.ROWS", 70)
    found = pairs_of(columns)
    assert len(exact & found) > 0.97 * len(exact)
    assert len(found) < 1.03 * len(exact)
    assert {(row, row + 1) for row in range(1, COUNT, 3)} <= found
    assert found == pairs_of(columns, threads=1)


def test_openvino_is_imported_before_usearch() -> None:
    """In the other order it loads no network."""
    script = (
        "import sys; from tellapart.audits.indexed import need_index\n"
        "try: need_index()\n"
        "except Exception: pass\n"
        "names = [one for one in sys.modules if one in ('openvino', 'usearch')]\n"
        "assert names[0] == 'openvino', names"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_without_the_extra_the_install_line_is_named(columns, monkeypatch) -> None:
    monkeypatch.setattr(candidates, "INDEXED_ABOVE", COUNT - 1)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingExtra, match=r'pip install "tellapart\[large\]"'):
        pairs_of(columns)


def test_a_set_past_the_limit_without_the_extra_is_said_in_one_note(
    command: Callable[..., tuple[int, str, str]],
    shapes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likeness, "INDEXED_ABOVE", 35)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    code, said, err = command("audit", shapes, "--cache", tmp_path / "fresh")
    assert code == 0
    assert "36 pictures: " in said
    (line,) = [one for one in err.splitlines() if "altered copies" in one]
    assert line.startswith(
        "altered copies are not looked for among more than 35 pictures (36 here): this needs"
    )
    assert line.endswith('pip install "tellapart[large]"')


def test_masters_read_when_needed_give_the_same_pairs(
    command: Callable[..., tuple[int, str, str]],
    shapes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("audit", shapes, "--only", "duplicate_near", "--json", "--quiet")
    kept = command(*words, "--cache", tmp_path / "kept")
    monkeypatch.setattr(likeness, "MOST_KEPT", 10)
    monkeypatch.setattr(likeness, "AT_ONCE", 7)
    read = command(*words, "--cache", tmp_path / "read")
    assert kept == read
    assert kept[0] == 0
