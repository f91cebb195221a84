"""Seconds a stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up wall-clock seconds under names: `with watch("read"): ...`, then `watch.seconds()`."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self._seconds[name] = self._seconds.get(name, 0.0) + spent

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each name so far, and `total` since the watch was made."""
        total = time.perf_counter() - self._start
        return {name: round(spent, 4) for name, spent in [*self._seconds.items(), ("total", total)]}
