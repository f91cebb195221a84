"""Freed pages are kept: seen from outside, by the page faults of the same work."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

WORK = """
import resource
from tellapart.engines.allocation import keep_freed_pages
{call}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    [bytearray(b"x") * 30_000_000 for _ in range(3)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
KEEP = "keep_freed_pages()"


def faults(call: str, **changes: str) -> int:
    ours = {name: value for name, value in os.environ.items() if "MALLOC" not in name}
    ours.pop("GLIBC_TUNABLES", None)
    done = subprocess.run(
        [sys.executable, "-c", WORK.format(call=call)],
        capture_output=True, text=True, check=True, env={**ours, **changes},
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"),
    reason="other C libraries stay as they are",
)
def test_memory_that_is_asked_for_again_costs_no_page_faults() -> None:
    as_it_comes = faults("")
    assert faults(KEEP) < as_it_comes / 3
    assert faults(KEEP, MALLOC_ARENA_MAX="4") < as_it_comes / 3  # which is about something else
    for own in (  # the user's own settings stand
        {"MALLOC_MMAP_THRESHOLD_": "1000000"},
        {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1000000"},
    ):
        assert faults(KEEP, **own) > as_it_comes / 2


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from tellapart.engines import allocation

    class Musl:
        pass

    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda _: Musl())
    allocation.keep_freed_pages()
    monkeypatch.setattr(allocation.sys, "platform", "win32")
    monkeypatch.delattr(allocation.ctypes, "CDLL")
    allocation.keep_freed_pages()
