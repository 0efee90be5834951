"""How the C library gives memory back."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # as <malloc.h> numbers them


def keep_freed_memory() -> None:
    """Let the C library keep what pictures and tensors free for the next ones.

    It gives large blocks back to the system at once, and each new picture or batch would wait for
    it to hand out the same memory again, page by page and zeroed: a tenth of a training step's
    time, and half of a picture's on its way from its file to the examples. What a process has once
    needed stays its own until it ends.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others do without
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)
