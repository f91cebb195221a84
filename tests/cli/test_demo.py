from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tellapart.demo import write_digits

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]


def test_the_digits_are_written_once_as_class_folders(tmp_path: Path) -> None:
    pictures = write_digits(tmp_path / "demo")
    assert sorted(one.name for one in pictures.iterdir()) == [str(i) for i in range(10)]
    files = sorted(pictures.glob("*/*.png"))
    assert len(files) == 1797
    with Image.open(files[0]) as image:
        assert image.size == (64, 64)
    times = [one.stat().st_mtime_ns for one in files]
    assert write_digits(tmp_path / "demo") == pictures
    assert [one.stat().st_mtime_ns for one in files] == times


def test_a_folder_that_holds_something_else(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    line = refused("demo", tmp_path)
    assert "holds something else: name a new folder for the demo" in line


def test_it_ends_with_the_number_the_report_and_what_to_try(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = write_digits(Path("tellapart-demo"))
    for one in sorted(pictures.glob("*/*.png")):
        if int(one.stem) >= 80:
            one.unlink()
    monkeypatch.setattr("tellapart.demo.write_digits", lambda folder: folder / "digits")
    code, said, _ = command("demo", "--quiet")
    assert code == 0
    assert "test pictures" in said
    assert "Balanced accuracy " in said
    report = Path("tellapart-demo", "run", "report.html")
    assert f"report  {report}" in said
    assert report.is_file()
    (line,) = [one for one in said.splitlines() if one.startswith("next")]
    words = line.split()[1:]
    assert words[:2] == ["tellapart", "predict"]
    code, said, _ = command(*words[1:])
    assert code == 0
    assert len(said.splitlines()) == 2
