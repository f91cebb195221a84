"""What a person sees while a stage works: a live line, plain lines or nothing; on stderr."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

PLAIN_SECONDS = 5.0  # how often a stage speaks where there is no terminal


class Stage(Protocol):
    """One running stage; `advance` may be called from one thread at a time."""

    def advance(self, count: int = 1) -> None: ...


class Progress:
    """Speaks on stderr: `stage` around work that takes time, `say` for one line.

    style is "live" (a terminal: one line a stage with count, rate and time left), "plain"
    (elsewhere: a line now and then) or "quiet" (nothing at all).
    """

    def __init__(self, style: str = "quiet") -> None:
        self.style = style
        self.lines: list[str] = []  # all that was said and done, for a run's log

    def say(self, line: str) -> None:
        """Print one line."""
        self.lines.append(line)
        if self.style != "quiet":
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    @contextmanager
    def stage(self, name: str, total: int | None = None, unit: str = "pictures") -> Iterator[Stage]:
        """Show that the stage `name` is at work; `total` is in `unit`, None where unknown.

        Raises KeyboardInterrupt where Ctrl-C struck before and a library passed over it.
        """
        if getattr(signal.getsignal(signal.SIGINT), "struck", False):  # as cli.main's handler has
            raise KeyboardInterrupt
        start = time.monotonic()
        if self.style == "live":
            with _live_stage(name, total, unit) as live:
                yield live
        elif self.style == "plain":
            plain = _PlainStage(name, total, unit)
            yield plain
            plain.finish()
        else:
            yield _QuietStage()
        self.lines.append(f"{name}: {time.monotonic() - start:.2f} s")


def for_terminal(*, quiet: bool) -> Progress:
    """Return the style that fits stderr as it is now."""
    if quiet:
        return Progress("quiet")
    return Progress("live" if sys.stderr.isatty() else "plain")


class _QuietStage:
    def advance(self, count: int = 1) -> None:
        pass


class _PlainStage:
    def __init__(self, name: str, total: int | None, unit: str) -> None:
        self.name, self.total, self.unit = name, total, unit
        self.done = 0
        self.start = self.spoke = time.monotonic()

    def advance(self, count: int = 1) -> None:
        self.done += count
        now = time.monotonic()
        if now - self.spoke >= PLAIN_SECONDS:
            self.spoke = now
            self._print()

    def finish(self) -> None:
        self._print(done=True)

    def _print(self, *, done: bool = False) -> None:
        seconds = time.monotonic() - self.start
        parts = [f"{self.name}:"]
        if self.done:
            unit = self.unit.removesuffix("s") if (self.done, done) == (1, True) else self.unit
            of = f" of {self.total:,}" if self.total and not done else ""
            parts.append(f"{self.done:,}{of} {unit},")
            if 1 <= seconds <= self.done:
                parts.append(f"{self.done / seconds:,.0f} a second,")
        if done:
            parts.append(f"{seconds:.1f} s")
        elif self.total and self.done:
            left = (self.total - self.done) * seconds / self.done
            parts.append(f"about {left:.0f} s left")
        print(" ".join(parts).rstrip(","), file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def _live_stage(name: str, total: int | None, unit: str) -> Iterator[Stage]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress

    counted: tuple[Any, ...] = (
        (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        )
        if total
        else ()
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *counted, TimeElapsedColumn())
    console = Console(stderr=True, highlight=False)
    with RichProgress(*columns, console=console, refresh_per_second=8) as bar:
        task = bar.add_task(name, total=total, rate="")
        start = time.monotonic()

        class _LiveStage:
            done = 0

            def advance(self, count: int = 1) -> None:
                self.done += count
                seconds = max(time.monotonic() - start, 1e-3)
                bar.update(task, advance=count, rate=f"{self.done / seconds:,.0f} {unit}/s")

        yield _LiveStage()
        if total is None:
            bar.update(task, total=1, completed=1)
