from __future__ import annotations

from pathlib import Path

from tellapart.reports.wording import title_of


def test_a_table_is_named_with_its_folder(tmp_path: Path) -> None:
    table = tmp_path / "pets" / "labels.csv"
    table.parent.mkdir()
    table.write_text("file,label\n", encoding="utf-8")
    assert title_of(table) == "pets/labels.csv"
    assert title_of(table.parent) == "pets"
