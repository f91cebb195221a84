"""Memory that torch frees on a CPU and asks for again at once: glibc should keep its pages."""

from __future__ import annotations

import ctypes
import os
import sys

# The variable that sets it, its number in mallopt(3), and values of which the first that is taken
# holds: the heap is never trimmed, grows by 100 MB, and keeps what is smaller than 1 GB (older
# glibc takes no more than 32 MB).
OPTIONS = (
    ("MALLOC_TRIM_THRESHOLD_", -1, (-1,)),
    ("MALLOC_TOP_PAD_", -2, (100_000_000,)),
    ("MALLOC_MMAP_THRESHOLD_", -3, (2**30, 2**25)),
)


def keep_freed_pages() -> None:
    """Let glibc keep the pages of what is freed, for the rest of this process.

    Every step of a network frees and allocates the same tensors. As it comes, glibc hands those of
    some MB back to the system, which must clear each page again: the frozen half of a fine-tuning
    on a CPU took up to twice as long. Other C libraries stay as they are, and so does what glibc's
    own variables set.
    """
    if sys.platform != "linux" or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return
    for variable, option, values in OPTIONS:
        if variable not in os.environ:
            any(mallopt(option, value) for value in values)
