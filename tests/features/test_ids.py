from pathlib import Path

import polars as pl
import pytest

from tellapart.backbones import get_backbone
from tellapart.data import read
from tellapart.features import identify, look, open_cache
from tellapart.progress import Progress
from tellapart.settings import Decoding

MOST = Decoding().max_file_bytes


def ids_of(place: Path, cache: Path, most: int = MOST, *, rehash: bool = False) -> tuple[str, ...]:
    with open_cache(cache) as store:
        return identify(
            read(place), cache=store, max_file_bytes=most, progress=Progress(), rehash=rehash
        )


def test_the_ids_are_those_of_look(shapes: Path, tmp_path: Path, kept_cache: Path) -> None:
    files = sorted(shapes.glob("*/*.png"))
    columns = {
        "image": [one.read_bytes() for one in files],
        "label": [f.parent.name for f in files],
    }
    pl.DataFrame(columns).write_parquet(tmp_path / "packed.parquet")
    for place in (shapes, tmp_path / "packed.parquet"):
        with open_cache(kept_cache) as store:
            seen = look(
                read(place), get_backbone("lite0"), "openvino", decoding=Decoding(), cache=store,
                progress=Progress(),
            )  # fmt: skip
        assert ids_of(place, tmp_path / "fresh") == seen.ids


def test_what_cannot_be_read_has_no_id(shapes: Path, tmp_path: Path) -> None:
    assert set(ids_of(shapes, tmp_path / "fresh", most=10)) == {""}


def test_a_file_that_is_known_is_not_opened(
    shapes: Path, tmp_path: Path, settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ids_of(shapes, tmp_path / "fresh")

    def opened(*_: object) -> bytes:
        raise AssertionError("opened again")

    monkeypatch.setattr("tellapart.features.ids.read_bytes", opened)
    assert ids_of(shapes, tmp_path / "fresh") == first
    with pytest.raises(AssertionError, match="opened again"):
        ids_of(shapes, tmp_path / "fresh", rehash=True)
