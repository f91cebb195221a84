"""Shared fixtures: a cache of its own for every test, real pictures where they are at hand, and
small folders of handwritten digits with a finished run for the tests that need one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tellapart.features import store as store_module

DIGITS_PER_CLASS = 12


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


@pytest.fixture(scope="session")
def write_digits() -> Callable[..., Path]:
    """A function (folder, names, count, start) -> folder that writes digits as PNG class folders.

    names are the class folders of the digits 0, 1, 2 ...; start skips the first of each digit.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    levels = np.rint(255 - digits.images * (255 / 16)).astype(np.uint8)

    def write(
        folder: Path,
        names: Sequence[str] = ("zero", "one", "two"),
        count: int = DIGITS_PER_CLASS,
        start: int = 0,
    ) -> Path:
        for digit, name in enumerate(names):
            for row in np.flatnonzero(digits.target == digit)[start : start + count]:
                place = folder / name / f"{row:04}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(levels[row]).resize((64, 64), Image.Resampling.BICUBIC).save(place)
        return folder

    return write


@pytest.fixture(scope="session")
def kept_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests that are not about the cache."""
    return tmp_path_factory.mktemp("kept-cache")


@pytest.fixture
def cache(kept_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command line use the cache that tests share."""
    monkeypatch.setenv("TELLAPART_CACHE", str(kept_cache))
    return kept_cache


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory, write_digits: Callable[..., Path]) -> Path:
    """A folder of three classes with twelve digits each; tests only read it."""
    return write_digits(tmp_path_factory.mktemp("digits") / "digits")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, digits: Path, kept_cache: Path) -> Path:
    """The run folder of a run on `digits`; tests only read it."""
    from tellapart.pipeline import run

    return run(digits, tmp_path_factory.mktemp("runs") / "digits", cache=kept_cache).out


@pytest.fixture
def model(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run's model folder, to change."""
    return Path(shutil.copytree(finished / "model", tmp_path / "model"))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files at once, as if they had been written long ago."""
    monkeypatch.setattr(store_module, "SETTLED_NS", -(10**18))


@pytest.fixture
def command(cache: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function (*words) -> (exit code, stdout, stderr) that runs a command line right here."""
    from tellapart.cli.main import run_verb

    def once(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_verb([str(word) for word in words])
        return code, *capsys.readouterr()

    return once


@pytest.fixture
def refused(command: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """A function (*words) -> the one line with which a command line is refused, exit code 2."""

    def line(*words: str | Path) -> str:
        code, out, err = command(*words)
        last = err.rstrip("\n").splitlines()[-1]
        assert (code, out) == (2, ""), (code, out, err)
        assert last.startswith("tellapart: ")
        assert "Traceback" not in err
        return last

    return line


@pytest.fixture
def process(tmp_path: Path, kept_cache: Path) -> Callable[..., subprocess.Popen[str]]:
    """A function (*words, **environment) -> a started process of the command line."""

    def start(*words: str | Path, **changes: str) -> subprocess.Popen[str]:
        shared = {"TELLAPART_CACHE": str(kept_cache), "PYTHONIOENCODING": "utf-8"}
        environment = {**os.environ, **shared, **changes}
        return subprocess.Popen(
            [sys.executable, "-m", "tellapart", *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env=environment, cwd=tmp_path,
        )  # fmt: skip

    return start


@pytest.fixture(scope="session")
def load_json() -> Callable[[Path], dict[str, Any]]:
    """A function path -> the object in a JSON file."""
    return lambda path: json.loads(path.read_text(encoding="utf-8"))
