"""Networks from strangers: what is refused before OpenVINO sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tellapart.engines.openvino import check_network
from tellapart.errors import ModelError


@pytest.fixture
def copy(network: Path, tmp_path: Path) -> Path:
    for end in (".xml", ".bin"):
        shutil.copy(network.with_suffix(end), tmp_path)
    return tmp_path / "network.xml"


def test_our_own_network_passes(network: Path) -> None:
    check_network(network, size=224, features=1280)


@pytest.mark.parametrize(
    ("found", "put", "reason"),
    [
        ('type="Clamp"', 'type="Loop"', "the operation 'Loop' is not among those it may use"),
        ("<net ", '<!DOCTYPE net [<!ENTITY a "a">]><net ', "it declares a document type"),
        ('element_type="u8"', 'element_type="f32"', r"its input is not uint8 \[\?, 224, 224, 3\]"),
        ("<dim>1280</dim>", "<dim>1281</dim>", r"its output is not \[\?, 1280\]"),
        ("<dim>32</dim>", "<dim>3200000000</dim>", "is too large"),
        ("<dim>32</dim>", "<dim>-7</dim>", "is too large"),
        ("<dim>32</dim>", "<dim>many</dim>", "invalid literal"),
        ('offset="0"', 'offset="99999999"', "reach past the end of the .bin file"),
        ('offset="0"', 'offset="-4"', "reach past the end of the .bin file"),
        (' offset="0"', "", "it lacks 'offset'"),
        ("</net>", "", "no element found"),
        ('type="Parameter"', 'type="Const"', "it lacks 'offset'"),
        ('type="Result"', 'type="Clamp"', "it must have one input and one output"),
    ],
)
def test_changed_network_is_refused(copy: Path, found: str, put: str, reason: str) -> None:
    text = copy.read_text(encoding="utf-8")
    assert found in text
    copy.write_text(text.replace(found, put), encoding="utf-8")
    with pytest.raises(ModelError, match=f"network.xml is no network of tellapart: .*{reason}"):
        check_network(copy, size=224, features=1280)


def test_another_size_is_refused(network: Path) -> None:
    with pytest.raises(ModelError, match=r"its input is not uint8 \[\?, 240, 240, 3\]"):
        check_network(network, size=240, features=1280)


def test_short_and_missing_numbers_are_refused(copy: Path) -> None:
    numbers = copy.with_suffix(".bin")
    numbers.write_bytes(numbers.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"reach past the end of the \.bin file"):
        check_network(copy, size=224, features=1280)
    numbers.unlink()
    with pytest.raises(ModelError, match=r"cannot read .*network\.bin: No such file"):
        check_network(copy, size=224, features=1280)


def test_oversized_file_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellapart.engines.network_file.MOST_XML_BYTES", 1000)
    with pytest.raises(ModelError, match=r"network\.xml is larger than 1,000 bytes"):
        check_network(copy, size=224, features=1280)


def test_endless_layers_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellapart.engines.network_file.MOST_LAYERS", 100)
    with pytest.raises(ModelError, match="it has more than 100 layers"):
        check_network(copy, size=224, features=1280)
