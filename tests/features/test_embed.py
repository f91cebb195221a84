"""What `predict` computes is what `look` has kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tellapart.backbones import get_backbone
from tellapart.data import FileSource, read
from tellapart.engines import load_network
from tellapart.features import Look, embed
from tellapart.features.parts import Part, Ready
from tellapart.settings import Decoding


def test_vectors_are_those_of_look(
    photos: Path, networks: Path, look_at_set: Callable[..., Look]
) -> None:
    pictures = read(photos)
    seen = look_at_set(pictures, threads=2)
    engine = load_network(next(networks.glob("*/network.xml")), threads=1)
    parts = [Ready(Part(get_backbone("lite0")).shown(), engine)]
    found = {one.row: one for one in embed(pictures.sources, parts, Decoding(), threads=1)}
    assert sorted(found) == list(range(12))
    for row, one in found.items():
        assert one.vector is not None
        assert (one.id, one.problem, one.vector.dtype) == (seen.ids[row], None, np.float32)
        np.testing.assert_array_equal(one.vector, seen.features[row].astype(np.float32))


def test_problems_stand_in_their_row(photos: Path, networks: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("this is no picture")
    sources = [
        FileSource(str(text)),
        FileSource(str(photos / "china" / "000.jpg")),
        FileSource(str(tmp_path / "none.jpg")),
    ]
    engine = load_network(next(networks.glob("*/network.xml")), threads=1)
    parts = [Ready(Part(get_backbone("lite0")).shown(), engine)]
    found = {one.row: one for one in embed(sources, parts, Decoding())}
    assert found[0].vector is None
    assert found[0].problem
    assert found[1].vector is not None
    assert found[2].problem == "cannot be read: No such file or directory"
    assert list(embed([], parts, Decoding())) == []
