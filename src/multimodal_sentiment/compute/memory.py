"""Memory: how the C library gives it back, and whether a device has too little."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # as <malloc.h> numbers them
# How torch begins, which has no kind of error for it; the second is of one tensor alone.
_OF_MPS = ("MPS backend out of memory", "Invalid buffer size")


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


def fills_device(error: BaseException) -> bool:
    """Return whether a GPU has too little memory; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith(_OF_MPS)


def _set(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others do without
    if mallopt is not None:
        mallopt(option, value)
