"""Whether a device has too little memory."""

from __future__ import annotations

import sys

# How torch begins, which has no kind of error for it; the second is of one tensor alone.
_OF_MPS = ("MPS backend out of memory", "Invalid buffer size")


def fills_device(error: BaseException) -> bool:
    """Return whether a GPU has too little memory; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith(_OF_MPS)
