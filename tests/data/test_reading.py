from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tellapart.data import read
from tellapart.errors import DataError
from tellapart.progress import Progress

Make = Callable[..., Path]


def test_no_such_path_names_the_nearest(make_pictures: Make) -> None:
    root = make_pictures("cat/1.jpg")
    with pytest.raises(DataError, match=r"no such path: .*phtos; did you mean 'photos'\?"):
        read(root.parent / "phtos")


def test_no_such_path_names_the_first_part_that_is_missing(make_pictures: Make) -> None:
    root = make_pictures("cat/1.jpg")
    with pytest.raises(DataError, match=r"\(.*phtos does not exist\); did you mean 'photos'\?"):
        read(root.parent / "phtos" / "cat" / "x")


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar.gz", "photos.7z"])
def test_an_archive_is_to_be_unpacked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match="is an archive: unpack it"):
        read(tmp_path / name)


def test_one_picture_is_for_predict(make_pictures: Make) -> None:
    root = make_pictures("cat.jpg")
    with pytest.raises(DataError, match=r"is one picture: .*tellapart predict MODEL cat\.jpg"):
        read(root / "cat.jpg")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "labels.xlsx").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no folder and no table that is known \(\.csv, \.tsv"):
        read(tmp_path / "labels.xlsx")


def test_progress_counts_the_pictures(
    make_pictures: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    read(make_pictures("cat/1.jpg", "dog/1.jpg"), progress=Progress("plain"))
    assert capsys.readouterr().err.startswith("read: 2 pictures,")


def test_the_order_of_a_folder_does_not_depend_on_the_disk(
    make_pictures: Make,
) -> None:
    keys = [f"{label}/{number}.jpg" for label in ("cat", "dog") for number in range(12)]
    forth = read(make_pictures(*keys, root="forth"))
    back = read(make_pictures(*reversed(keys), root="back"))
    assert forth.paths == back.paths == tuple(keys)


def test_folders_are_read_without_polars_or_pillow(make_pictures: Make) -> None:
    root = make_pictures("cat/1.jpg", "dog/1.jpg")
    code = (
        "import sys; from tellapart.data import read, read_bytes, list_inputs\n"
        f"p = read({str(root)!r}); read_bytes(p.sources[0]); list_inputs([{str(root)!r}], None)\n"
        "print(len(p), [m for m in ('polars', 'PIL', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2 []\n"
