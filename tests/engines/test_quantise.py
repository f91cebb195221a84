"""A network in int8: close to what it was, smaller, and nothing said to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tellapart.backbones import Backbone
from tellapart.engines import quantise
from tellapart.engines.openvino import check_network, load_network, write_network
from tellapart.engines.quantise import check_can_quantise, quantised
from tellapart.errors import MissingExtra
from tellapart.optional import installed_version

IDS = ["a", "b"]
needs_nncf = pytest.mark.skipif(installed_version("nncf") is None, reason="needs [quantize]")


@pytest.fixture(scope="session")
def small(
    tmp_path_factory: pytest.TempPathFactory, lite0: Backbone, pixels: NDArray[np.uint8]
) -> Path:
    folder = tmp_path_factory.mktemp("int8")
    write_network(quantised(lite0, IDS, lambda: pixels[::2]), folder)
    return folder / "network.xml"


@needs_nncf
def test_it_answers_nearly_alike(small: Path, network: Path, pixels: NDArray[np.uint8]) -> None:
    engine = load_network(small, threads=1)
    assert engine.precision == "int8"
    expected = load_network(network, threads=1, precision="f32").embed(pixels)
    found = engine.embed(pixels)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert (np.vecdot(found, expected) / lengths).min() > 0.9
    assert not np.array_equal(found, expected)


@needs_nncf
def test_the_same_bits_whatever_the_threads(small: Path, pixels: NDArray[np.uint8]) -> None:
    expected = load_network(small, threads=1).embed(pixels)
    np.testing.assert_array_equal(load_network(small, threads=2).embed(pixels), expected)


@needs_nncf
def test_its_file_is_half_as_large_and_may_be_loaded(small: Path, network: Path) -> None:
    check_network(small, size=224, features=1280)
    sizes = [one.with_suffix(".bin").stat().st_size for one in (small, network)]
    assert sizes[0] < 0.6 * sizes[1]


@needs_nncf
def test_nothing_is_printed_and_nothing_reported(tmp_path: Path) -> None:
    """In a process of its own, where NNCF is imported for the first time."""
    code = (
        "import numpy as np, pathlib, sys\n"
        "from tellapart.backbones import get_backbone\n"
        "from tellapart.engines.openvino import write_network\n"
        "from tellapart.engines.quantise import quantised\n"
        "pixels = np.zeros((1, 224, 224, 3), np.uint8)\n"
        "write_network(quantised(get_backbone('lite0'), ['a'], lambda: pixels),"
        " pathlib.Path(sys.argv[1]))\n"
        "assert 'openvino_telemetry' not in sys.modules, 'it can report'\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not (tmp_path / "intel").exists()


def test_the_pictures_make_its_identity(lite0: Backbone) -> None:
    def never() -> NDArray[np.uint8]:
        raise AssertionError("pictures are read before the network is built")

    one = quantised(lite0, IDS, never)
    assert one == quantised(lite0, IDS, never)
    digests = {one.weights_digest, quantised(lite0, ["a", "c"], never).weights_digest}
    assert len({lite0.weights_digest, *digests}) == 3


def test_the_install_line_where_nncf_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantise, "installed_version", lambda name: None)
    with pytest.raises(MissingExtra) as refusal:
        check_can_quantise()
    assert str(refusal.value) == (
        '--precision int8 needs nncf, which is not installed: pip install "tellapart[quantize]"'
    )
