from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

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
