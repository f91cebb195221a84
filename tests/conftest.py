"""Shared fixtures: a cache of its own for every test, real pictures where they are at hand, and
small folders of drawn pictures with a finished run for the tests that need one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Tests compute small things, for which the threads of torch and scikit-learn mostly wait for each
# other: four times as slow on two cores. Set before anything that reads it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tellapart.backbones.lite import LITES
from tellapart.features import store as store_module

PICTURES_PER_CLASS = 12
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the command line sets it


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
def write_pictures() -> Callable[..., Path]:
    """A function (folder, names, count, start) -> folder that writes pictures into class folders.

    names are the folders of boxes, dots and lines; start is the first number of each. Pictures of
    equal kind and number are equal to the byte, and no two others are nearly the same picture.
    """

    def write(
        folder: Path,
        names: Sequence[str] = ("boxes", "dots", "lines"),
        count: int = PICTURES_PER_CLASS,
        start: int = 0,
    ) -> Path:
        for kind, name in enumerate(names):
            for number in range(start, start + count):
                place = folder / name / f"{number:03}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                draw(kind, number).save(place)
        return folder

    return write


def draw(kind: int, number: int) -> Image.Image:
    """Return a picture, 96 x 96 px: mostly boxes (kind 0), dots (1) or lines (2)."""
    rng = np.random.default_rng([kind, number])
    ground = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    image = ground.resize((96, 96), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for one in [*rng.integers(0, 3, 5).tolist(), *[kind] * 3]:
        x, y, w, h = (*rng.integers(0, 96, 2).tolist(), *rng.integers(3, 20, 2).tolist())
        colour = tuple(rng.integers(0, 256, 3).tolist())
        if one == 0:
            pen.rectangle((x - w, y - h, x + w, y + h), fill=colour)
        elif one == 1:
            pen.ellipse((x - w, y - w, x + w, y + w), fill=colour)
        else:
            pen.line((x - 2 * w, y - 2 * h, x + 2 * w, y + 2 * h), fill=colour, width=3)
    return image


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
def shapes(tmp_path_factory: pytest.TempPathFactory, write_pictures: Callable[..., Path]) -> Path:
    """A folder of three classes with twelve pictures each; tests only read it."""
    return write_pictures(tmp_path_factory.mktemp("data") / "shapes")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, shapes: Path, kept_cache: Path) -> Path:
    """The run folder of a run on `shapes`; tests only read it."""
    from tellapart.pipeline import run

    return run(shapes, tmp_path_factory.mktemp("runs") / "shapes", cache=kept_cache).out


@pytest.fixture
def model(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run's model folder, to change."""
    return Path(shutil.copytree(finished / "model", tmp_path / "model"))


@pytest.fixture
def no_larger_lites(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where only the core is installed, whatever is installed here."""
    for name in ("lite1", "lite2"):
        monkeypatch.setitem(sys.modules, LITES[name].package, None)


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

    def start(*words: str | Path, script: str = "", **changes: str) -> subprocess.Popen[str]:
        shared = {"TELLAPART_CACHE": str(kept_cache), "PYTHONIOENCODING": "utf-8"}
        environment = {**os.environ, **shared, **changes}
        program = ("-c", script) if script else ("-m", "tellapart")
        return subprocess.Popen(
            [sys.executable, *program, *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", env=environment, cwd=tmp_path,
        )  # fmt: skip

    return start


@pytest.fixture(scope="session")
def load_json() -> Callable[[Path], dict[str, Any]]:
    """A function path -> the object in a JSON file."""
    return lambda path: json.loads(path.read_text(encoding="utf-8"))
