"""One budget of memory that threads share while they decode."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

DEFAULT_BYTES = 2_000_000_000  # one picture of 200 million pixels, or many small ones side by side


class Budget:
    """Bytes that all pictures under decoding may hold together; safe for threads.

    A picture that is larger than the whole budget is decoded alone.
    """

    def __init__(self, limit: int = DEFAULT_BYTES) -> None:
        self.limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes are free, hold them inside the block, give them back."""
        with self._changed:
            while self._used and self._used + size > self.limit:
                self._changed.wait()
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()
