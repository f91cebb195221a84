from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tellapart.data import list_inputs, read_bytes
from tellapart.errors import OptionError

Make = Callable[..., Path]


@pytest.fixture
def here(make_pictures: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_pictures("a/1.jpg", "a/10.jpg", "a/2.jpg", "b/deep/x.png", "b/notes.txt", "c.gif")
    monkeypatch.chdir(root)
    return root


def test_files_folders_and_order(here: Path) -> None:
    found = list_inputs(["c.gif", "a", "b/notes.txt", "a/1.jpg"])
    assert [one.path for one in found] == [
        "c.gif",
        "a/1.jpg",
        "a/2.jpg",
        "a/10.jpg",
        "b/notes.txt",
    ]
    assert all(one.source is not None and one.problem is None for one in found)
    source = found[1].source
    assert source is not None and Path(source.file).is_absolute() and read_bytes(source)


def test_a_folder_below_dot_and_with_a_slash(here: Path) -> None:
    assert list_inputs(["."])[0].path == "a/1.jpg"
    assert [one.path for one in list_inputs(["b/"])] == ["b/deep/x.png"]


def test_globs(here: Path) -> None:
    assert [one.path for one in list_inputs(["a/*.jpg"])] == ["a/1.jpg", "a/2.jpg", "a/10.jpg"]
    assert "b/deep/x.png" in [one.path for one in list_inputs(["**/*.png"])]
    (nothing,) = list_inputs(["*.webp"])
    assert nothing.source is None and nothing.problem == "nothing matches this pattern"


def test_a_name_with_brackets_is_no_glob_if_it_is_there(here: Path) -> None:
    (here / "x[1].jpg").write_bytes(b"")
    (found,) = list_inputs(["x[1].jpg"])
    assert found.source is not None


def test_a_list_on_standard_input(here: Path) -> None:
    found = list_inputs(["-", "c.gif"], io.StringIO("a/2.jpg\r\n\nb\nno.jpg\n"))
    assert [one.path for one in found] == ["a/2.jpg", "b/deep/x.png", "no.jpg", "c.gif"]
    with pytest.raises(OptionError, match="list on standard input, and there is none"):
        list_inputs(["-"], None)


def test_what_is_not_there_has_a_problem(here: Path) -> None:
    missing, lost = list_inputs(["c.giff", "z/y/x.jpg"])
    assert missing.source is None
    assert missing.problem == "no such file; did you mean 'c.gif'?"
    assert lost.problem == "no such file"


def test_a_folder_without_pictures(here: Path) -> None:
    (here / "e").mkdir()
    (here / "e" / "x.txt").write_text("")
    (empty,) = list_inputs(["e"])
    assert (empty.path, empty.problem) == ("e", "no pictures in this folder: it holds 1 .txt file")


def test_pictures_of_a_kind_that_cannot_be_read_are_listed(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (here / "a" / "3.heic").write_bytes(b"")
    (here / "a" / "4.nef").write_bytes(b"")
    problems = {one.path: one.problem for one in list_inputs(["a"]) if one.problem}
    assert problems["a/3.heic"].endswith('pip install "tellapart[heic]" reads them')
    assert "RAW photographs cannot be read here" in problems["a/4.nef"]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders there")
def test_a_pipe_is_no_file(here: Path) -> None:
    os.mkfifo(here / "pipe.jpg")
    (pipe,) = list_inputs(["pipe.jpg"])
    assert pipe.problem == "this is no regular file"
    assert "pipe.jpg" not in [one.path for one in list_inputs(["."])]


def test_a_table_stands_for_its_rows(here: Path) -> None:
    (here / "t.csv").write_text("file,label\na/1.jpg,x\nb/deep/x.png,\na/gone.jpg,y\na/1.jpg,x\n")
    found = list_inputs(["t.csv"])
    assert [one.path for one in found] == ["a/1.jpg", "b/deep/x.png", "a/gone.jpg"]
    assert [one.problem for one in found] == [None, None, "no such file"]
    assert found[1].source is not None and read_bytes(found[1].source)
    (here / "b" / "t.jsonl").write_text('{"path": "deep/x.png"}\n{"path": "../c.gif"}\n')
    inside, outside = list_inputs(["b/t.jsonl"])
    assert inside.path == "b/deep/x.png"
    assert Path(outside.path) == here / "c.gif"


def test_a_parquet_of_pictures_stands_for_its_rows(here: Path) -> None:
    content = [(here / "a" / "1.jpg").read_bytes(), (here / "c.gif").read_bytes()]
    pl.DataFrame({"image": content, "label": ["x", "y"]}).write_parquet(here / "t.parquet")
    found = list_inputs(["t.parquet"])
    assert [one.path for one in found] == ["t.parquet#0", "t.parquet#1"]
    assert [read_bytes(one.source) for one in found if one.source is not None] == content


def test_a_table_that_cannot_be_used_is_listed_with_its_problem(here: Path) -> None:
    (here / "t.csv").write_text("name,label\na/1.jpg,x\n")
    (here / "u.parquet").write_bytes(b"nothing")
    nameless, damaged = list_inputs(["t.csv", "u.parquet"])
    assert "has no column of paths that is known (path, file, image, filename, ...)" in str(
        nameless.problem
    )
    assert "u.parquet cannot be read as a parquet file" in str(damaged.problem)
