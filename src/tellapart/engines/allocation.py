"""Memory that torch frees on a CPU and asks for again at once: glibc should keep its pages."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)
NEVER = 2**31 - 1
PAD = 100_000_000  # bytes by which the heap grows
LARGEST = (2**30, 2**25)  # bytes that stay in the heap; older glibc takes no more than the second


def keep_freed_pages() -> None:
    """Let glibc keep the pages of what is freed, for the rest of this process.

    Every step of a network frees and allocates the same tensors. As it comes, glibc hands those of
    some MB back to the system, which must clear each page again: on a CPU torch's eager mode took
    1.1 to 2 times as long in the steps of fine-tuning. Other C libraries stay as they are.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    mallopt(TRIM_THRESHOLD, NEVER)
    mallopt(TOP_PAD, PAD)
    any(mallopt(MMAP_THRESHOLD, size) for size in LARGEST)
