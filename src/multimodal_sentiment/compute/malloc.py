"""How the C library gives memory back."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # as <malloc.h> numbers them


def keep_freed_memory() -> None:
    """Let the C library keep what images and tensors free for the next ones.

    It gives large blocks back to the system at once, and each new image or batch would wait for
    it to hand out the same memory again, page by page and zeroed: a tenth of a training step's
    time, and half of an image's on its way from its file to the examples. What a process has once
    needed stays its own until it ends.
    """
    _set(_M_MMAP_MAX, 0)
    _set(_M_TRIM_THRESHOLD, -1)


def share_one_heap() -> None:
    """Let all threads take memory from one heap; it counts for those that are started later.

    The heaps that the C library gives to threads other than the first go back to the system when
    they are empty, whatever `keep_freed_memory` says, and a model that answers in such a thread
    needs up to 1.7 times as long. To take turns at one heap costs the threads much less.
    """
    _set(_M_ARENA_MAX, 1)


def _set(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others do without
    if mallopt is not None:
        mallopt(option, value)
