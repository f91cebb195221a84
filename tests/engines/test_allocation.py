"""Freed pages are kept: seen from outside, by the page faults of the same work."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

WORK = """
import resource
from tellapart.engines.allocation import keep_freed_pages
{call}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    bytearray(b"x") * 40_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"),
    reason="other C libraries stay as they are",
)
def test_memory_that_is_asked_for_again_costs_no_page_faults() -> None:
    def faults(call: str) -> int:
        code = WORK.format(call=call)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    assert faults("keep_freed_pages()") < faults("") / 5


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from tellapart.engines import allocation

    class Musl:
        pass

    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: Musl())
    allocation.keep_freed_pages()
    monkeypatch.setattr(allocation.sys, "platform", "win32")
    monkeypatch.delattr(allocation.ctypes, "CDLL")
    allocation.keep_freed_pages()
