import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tellapart.cli import main
from tellapart.progress import Progress
from tellapart.version import __version__

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]


def test_help_names_every_verb_in_whole_lines(command: Command) -> None:
    code, out, err = command("--help")
    assert (code, err) == (0, "")
    for verb, line in main.VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(line)}$", out, re.MULTILINE), verb


@pytest.mark.parametrize("verb", sorted(main.VERBS))
def test_every_verb_has_help(command: Command, verb: str) -> None:
    code, out, err = command(verb, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: tellapart {verb}")


def test_the_version(command: Command) -> None:
    assert command("--version") == (0, f"tellapart {__version__}\n", "")


@pytest.mark.parametrize(
    ("given", "then"),
    [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, None)],
)
def test_threads_that_wait_soon_sleep_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], then: str | None
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # put back afterwards, whatever `main` sets
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main.main(["--version"])
    assert os.environ.get("GOMP_SPINCOUNT") == then


def test_no_verb_shows_the_help(command: Command) -> None:
    code, out, _ = command()
    assert code == 2
    assert out.startswith("Usage: tellapart")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["runn", "x"], "No such command 'runn'. Did you mean 'run'? (see 'tellapart --help')"),
        (["run"], "Missing argument 'DATA'. (see 'tellapart run --help')"),
        (["run", "x", "--zzzz"], "No such option: --zzzz (see 'tellapart run --help')"),
        (["run", "x", "--tset", "1"], "--test) (see 'tellapart run --help')"),
        (["run", "x", "--test", "many"], "Invalid value for '--test':"),
        (["predict", "x", "y", "--top-k", "0"], "Invalid value for '--top-k':"),
    ],
)
def test_a_wrong_command_line_is_one_line(refused: Refused, words: list[str], line: str) -> None:
    assert line in refused(*words)


def test_debug_shows_the_traceback_and_keeps_the_code(command: Command, tmp_path: Path) -> None:
    code, out, err = command("run", tmp_path / "nowhere", "--debug")
    assert (code, out) == (2, "")
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("tellapart: no such path: ")


def test_a_bug_is_called_one_and_exits_1(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(given: list[str]) -> int:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(main, "_dispatch", broken)
    code, out, err = command("doctor")
    assert (code, out) == (1, "")
    assert err == (
        "tellapart: this is a bug: ZeroDivisionError: by nothing; please report it with what the"
        " same command prints with --debug\n"
    )
    code, _, err = command("doctor", "--debug")
    assert code == 1
    assert err.startswith("Traceback")


@pytest.mark.parametrize(
    ("verb", "line"),
    [
        ("predict", "tellapart: interrupted\n"),
        (
            "run",
            "tellapart: interrupted; what was computed is kept, the same command goes on from"
            " there\n",
        ),
    ],
)
def test_an_interrupt_exits_130(
    command: Command, monkeypatch: pytest.MonkeyPatch, verb: str, line: str
) -> None:
    def interrupted(given: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "_dispatch", interrupted)
    assert command(verb) == (130, "", line)


def test_main_exits_with_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main(["run"])
    assert stop.value.code == 2


def test_what_pillow_says_of_odd_exif_is_not_said(
    process: Callable[..., subprocess.Popen[str]], finished: Path, shapes: Path, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description that is cut off"
    with Image.open(next(shapes.rglob("*.png"))) as picture:
        picture.convert("RGB").save(tmp_path / "odd.jpg", exif=exif.tobytes()[:-9])
    _, err = process("predict", finished, tmp_path / "odd.jpg", "--quiet").communicate()
    assert err == ""


def test_a_reader_that_stops_reading_is_no_error(
    process: Callable[..., subprocess.Popen[str]], finished: Path, shapes: Path
) -> None:
    asked = process("predict", finished, shapes, "--quiet")
    assert asked.stdout is not None
    asked.stdout.close()  # what `| head -0` does
    assert asked.stderr is not None
    assert asked.stderr.read() == ""
    asked.stderr.close()
    assert asked.stdin is not None
    asked.stdin.close()
    assert asked.wait() == 0


def test_an_interrupt_that_a_library_swallowed_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    struck = main.Interrupts()

    def importing(given: list[str]) -> int:
        struck.struck = True
        raise ImportError("initialization failed")

    monkeypatch.setattr(main, "_dispatch", importing)
    assert main.run_verb(["predict"], struck) == 130
    assert capsys.readouterr().err == "tellapart: interrupted\n"


def test_an_interrupt_that_a_library_passed_over_ends_before_the_next_stage() -> None:
    struck = main.Interrupts()
    before = signal.signal(signal.SIGINT, struck)
    try:
        with Progress("quiet").stage("read"):
            pass
        struck.struck = True
        with pytest.raises(KeyboardInterrupt), Progress("quiet").stage("look"):
            pytest.fail("a stage began")
    finally:
        signal.signal(signal.SIGINT, before)
