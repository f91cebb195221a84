"""Memory that torch frees on a CPU and asks for again at once: glibc should keep its pages."""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)
NEVER = -1
PAD = 100_000_000  # bytes by which the heap grows
LARGEST = (2**30, 2**25)  # bytes that stay in the heap; older glibc takes no more than the second


def keep_freed_pages() -> None:
    """Let glibc keep the pages of what is freed, for the rest of this process.

    Every step of a network frees and allocates the same tensors. As it comes, glibc hands those of
    some MB back to the system, which must clear each page again: the frozen half of a fine-tuning
    on a CPU took up to twice as long. Other C libraries stay as they are, and so does glibc where
    its own variables tune it.
    """
    tuned = "GLIBC_TUNABLES" in os.environ or any(one.startswith("MALLOC_") for one in os.environ)
    if tuned or sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    mallopt(TRIM_THRESHOLD, NEVER)
    mallopt(TOP_PAD, PAD)
    any(mallopt(MMAP_THRESHOLD, size) for size in LARGEST)
