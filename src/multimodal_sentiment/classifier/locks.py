"""One thread at a time at a model."""

from __future__ import annotations

import os
import threading
from weakref import WeakKeyDictionary

import torch
from torch import nn

# While a model predicts, its layers are replaced by faster ones, and its tokenizer is set to cut:
# both bear one thread at a time. Kept here, as a lock can be neither pickled nor forked.
_locks: WeakKeyDictionary[nn.Module, threading.Lock] = WeakKeyDictionary()
_making_locks = threading.Lock()


def lock_of(model: nn.Module) -> threading.Lock:
    """Return the lock that who asks a model must hold."""
    with _making_locks:
        return _locks.setdefault(model, threading.Lock())


def _after_fork() -> None:
    """Have a forked process compute by itself.

    A lock of the parent's may be held by a thread that is not there, and the threads with which
    torch computed are gone, too: as in its own DataLoader's workers, the child does without.
    """
    global _making_locks  # noqa: PLW0603 - the child's is another
    _making_locks = threading.Lock()
    _locks.clear()
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
