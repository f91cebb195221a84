from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tellapart.data import FileSource, RowSource, Source, iterate_bytes, read_bytes, sources


def content(row: int) -> bytes:
    return f"picture {row} ".encode() * (1 + row % 7)


class Sources(list[Source]):
    """A list that shows itself briefly, as hypothesis prints arguments."""

    def __repr__(self) -> str:
        return f"<{len(self)} sources>"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    """Two parquet files (structs in one, plain bytes in the other) and a file."""
    folder = tmp_path_factory.mktemp("packed")
    structs = [{"bytes": content(i) if i != 13 else None, "path": None} for i in range(1500)]
    pl.DataFrame({"img": structs}).write_parquet(folder / "a.parquet", row_group_size=400)
    pl.DataFrame({"raw": [content(i) for i in range(700)]}).write_parquet(folder / "b.parquet")
    (folder / "c.jpg").write_bytes(b"the file")
    return Sources(
        [
            *(RowSource(str(folder / "a.parquet"), i, "img", "bytes") for i in range(1500)),
            *(RowSource(str(folder / "b.parquet"), i, "raw", None) for i in range(700)),
            FileSource(str(folder / "c.jpg")),
        ]
    )


def expected(row: int) -> bytes | None:
    if row == 13:
        return None
    return b"the file" if row == 2200 else content(row if row < 1500 else row - 1500)


def same(found: bytes | OSError, row: int) -> bool:
    wanted = expected(row)
    return isinstance(found, OSError) if wanted is None else found == wanted


def test_all_rows_in_order(packed: list[Source]) -> None:
    rows = list(range(len(packed)))
    found = list(iterate_bytes(packed, rows))
    assert [row for row, _ in found] == rows
    assert all(same(one, row) for row, one in found)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.integers(0, 2200), max_size=30))
def test_any_rows_in_any_order(packed: list[Source], rows: list[int]) -> None:
    found = list(iterate_bytes(packed, rows))
    assert [row for row, _ in found] == rows
    assert all(same(one, row) for row, one in found)


def test_repeated_and_skipped_rows_of_one_slice(packed: list[Source]) -> None:
    rows = [0, 0, 2]
    assert [one for _, one in iterate_bytes(packed, rows)] == [content(row) for row in rows]


def test_one_source(packed: list[Source]) -> None:
    assert read_bytes(packed[3]) == content(3)
    assert read_bytes(packed[-1]) == b"the file"
    with pytest.raises(OSError, match="the row holds no bytes"):
        read_bytes(packed[13])


def test_a_slice_spans_few_rows_where_rows_are_large(
    packed: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = []
    real = sources._read_slice

    def spy(wanted: list[RowSource], most: int) -> list[bytes | OSError]:
        spans.append(wanted[-1].row - wanted[0].row + 1)
        return real(wanted, most)

    monkeypatch.setattr(sources, "_read_slice", spy)
    list(iterate_bytes(packed, range(1500)))
    assert max(spans) == sources.SLICE_ROWS and len(spans) == 3
    size = Path(packed[0].file).stat().st_size
    monkeypatch.setattr(sources, "SLICE_BYTES", size // 1500 * 20)
    spans.clear()
    list(iterate_bytes(packed, range(100)))
    assert max(spans) <= 20


def test_too_large_is_not_read(packed: list[Source]) -> None:
    with pytest.raises(OSError, match="more than the 0 MB allowed"):
        read_bytes(packed[-1], max_file_bytes=3)
    ((_, problem),) = iterate_bytes(packed, [2], max_file_bytes=3)
    assert isinstance(problem, OSError) and "MB, more than" in problem.strerror


def test_what_is_gone_or_damaged_is_an_error_of_its_rows(tmp_path: Path) -> None:
    damaged = tmp_path / "d.parquet"
    pl.DataFrame({"raw": [content(i) for i in range(100)]}).write_parquet(damaged)
    damaged.write_bytes(damaged.read_bytes()[:200])
    pl.DataFrame({"raw": [b"x"]}).write_parquet(tmp_path / "short.parquet")
    all_sources: list[Source] = [
        RowSource(str(damaged), 0, "raw", None),
        RowSource(str(damaged), 1, "raw", None),
        RowSource(str(tmp_path / "none.parquet"), 0, "raw", None),
        RowSource(str(tmp_path / "short.parquet"), 5, "raw", None),
        RowSource(str(tmp_path / "short.parquet"), 0, "raw", None),
        FileSource(str(tmp_path / "none.jpg")),
    ]
    found = dict(iterate_bytes(all_sources, range(6)))
    reasons = [one.strerror if isinstance(one, OSError) else "" for one in found.values()]
    assert "d.parquet cannot be read" in reasons[0] and "d.parquet cannot be read" in reasons[1]
    assert "none.parquet cannot be read" in reasons[2]
    assert reasons[3] == "short.parquet cannot be read: row 5 is not there"
    assert found[4] == b"x" and reasons[5]


def test_cifar_in_full(test_data: Path) -> None:
    file = str(test_data / "cifar10" / "test.parquet")
    all_sources = [RowSource(file, row, "img", "bytes") for row in range(10_000)]
    whole = pl.read_parquet(file)["img"].struct.field("bytes").to_list()
    assert [one for _, one in iterate_bytes(all_sources, range(10_000))] == whole
