import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tellapart.cli.output import say, say_json
from tellapart.errors import ModelError, OutputError
from tellapart.models.predicting import Predictions, write_predictions
from tellapart.places import (
    FORMAT,
    only_one,
    printing,
    read_json,
    write_bytes,
    write_json,
    writing,
)
from tellapart.version import __version__


def test_json_comes_back_with_format_and_version(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "bees 🐝"})
    assert read_json(tmp_path / "a.json") == {
        "format": FORMAT,
        "tellapart": __version__,
        "name": "bees 🐝",
    }
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_nan_is_never_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", {"value": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_newer_format_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"format": FORMAT + 1, "tellapart": "9.9"}))
    with pytest.raises(ModelError, match="written by tellapart 9.9; .* update tellapart"):
        read_json(tmp_path / "a.json", error=ModelError)


@pytest.mark.parametrize(
    ("content", "words"),
    [("{", "is damaged: it holds no valid JSON"), ("{}", "its 'format' field is missing")],
)
def test_damaged_json_is_named(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(OutputError, match=words):
        read_json(tmp_path / "a.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a.txt"
    write_bytes(place, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="the disk is full at .*a.txt: free some space"):
        write_bytes(place, b"new")
    assert place.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_read_only_place_is_said() -> None:
    with (
        pytest.raises(OutputError, match="cannot write x: .*; choose another place with --out"),
        writing(Path("x")),
    ):
        raise OSError(errno.EROFS, "Read-only file system")


HOLD = """
import sys, time
from pathlib import Path
from tellapart.places import only_one
with only_one(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_refuses_another_process_and_dies_with_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="at work"), only_one(lock, "somebody is at work"):
            pass
        other.kill()
        other.wait()
    with only_one(lock, "somebody is at work"):
        pass
    assert not lock.exists()


def test_who_is_refused_leaves_the_lock_to_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    with only_one(lock, "somebody is at work"):
        for _ in range(2):
            with pytest.raises(OutputError, match="at work"), only_one(lock, "somebody is at work"):
                pass
    assert not lock.exists()


def test_a_lock_of_another_program_is_refused_and_stays(tmp_path: Path) -> None:
    lock = tmp_path / "poetry.lock"
    lock.write_text("[[package]]")
    with pytest.raises(OutputError, match="is no lock of tellapart's"), only_one(lock, "busy"):
        pass
    assert lock.read_text() == "[[package]]"


def test_json_keeps_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"root": "caf\udce9"})
    assert read_json(tmp_path / "a.json")["root"] == "caf\udce9"


def test_json_too_deep_to_read_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 200_000)
    with pytest.raises(OutputError, match="is damaged: it holds no valid JSON"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EINVAL])  # the second on Windows
def test_a_reader_that_is_gone_is_a_broken_pipe(number: int) -> None:
    with pytest.raises(BrokenPipeError), printing():
        raise OSError(number, "it is gone")


def test_what_else_stops_printing_is_said() -> None:
    with pytest.raises(OSError, match="No space left"), printing():
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("write", [say, say_json, write_predictions])
def test_all_that_is_printed_minds_its_reader(write, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        encoding = "utf-8"

        @property
        def buffer(self) -> "Gone":
            return self

        def write(self, _: object) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        def flush(self) -> None: ...

    given = {say: ("x",), say_json: ({},), write_predictions: (Predictions((), ()), "csv", None)}[
        write
    ]
    monkeypatch.setattr("sys.stdout", Gone())
    with pytest.raises(BrokenPipeError):
        write(*given)
