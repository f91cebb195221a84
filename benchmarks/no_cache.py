"""A cache that keeps nothing, for benchmarks that measure fits."""

from __future__ import annotations


class NoCache:
    """No cache: every fit is made."""

    def load_arrays(self, key):
        return None

    def save_arrays(self, key, arrays, meta):
        pass
