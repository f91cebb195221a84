"""What verbs print on stdout, for people."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tellapart.pipeline import Run


def say(*lines: str) -> None:
    """Print lines on stdout, whatever its encoding can show."""
    from tellapart.places import printing

    encoding = sys.stdout.encoding or "utf-8"
    text = "\n".join(lines) + "\n"
    with printing():
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()


def say_json(value: dict[str, Any]) -> None:
    """Print an object as JSON, in UTF-8 whatever the terminal speaks: programs read it."""
    from tellapart.places import json_text, printing

    text = json_text(value)
    if not hasattr(sys.stdout, "buffer"):  # replaced by a test or a notebook
        sys.stdout.write(text)
        return
    with printing():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()


def say_wrapped(text: str, *, indent: int) -> None:
    """Print a sentence in lines that fit the terminal."""
    width = max(40, min(100, shutil.get_terminal_size((100, 24)).columns))
    blanks = " " * indent
    say(*textwrap.wrap(text, width, initial_indent=blanks, subsequent_indent=blanks))


def columns(rows: Iterable[Sequence[str]], *, gap: int = 2) -> list[str]:
    """Return rows as lines whose columns stand under each other."""
    table = [list(row) for row in rows]
    if not table:
        return []
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return [
        (" " * gap)
        .join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        .rstrip()
        for row in table
    ]


def print_run(run: Run, *, more: tuple[str, ...] = ()) -> None:
    """Print what a run found: the number in words and figures, where things are, what to try."""
    say("", *run.words, "")
    rows = [("report", str(run.report)), ("model", str(run.out / "model"))]
    rows += [("next", one) for one in (more or run.next_commands)]
    say(*columns(rows))
