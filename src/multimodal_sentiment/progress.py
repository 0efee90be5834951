"""Long work that says how far it is, a line now and then: in a pipe or a file as on a screen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 15.0

_is_silent: ContextVar[bool] = ContextVar("progress is not said", default=False)


@contextmanager
def no_progress() -> Iterator[None]:
    """Say nothing of how far work is inside this context, as it is a part of other work."""
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)


def log_progress(
    items: Iterable[Item],
    total: int | None,
    doing: str,
    unit: str = "posts",
    size: Callable[[Item], int] = lambda _: 1,
) -> Iterator[Item]:
    """Pass items on and say how far it is; nothing is said of what is soon done.

    Args:
        items: The items to work through.
        total: The number of `unit` in all, if it is known.
        doing: The name of the work, as in "Reading texts".
        unit: The name of what is counted, in the plural.
        size: The function that gives the number of these in an item.
    """
    began = spoke = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += size(item)
        now = time.monotonic()
        if now - spoke < SECONDS_BETWEEN_LINES or done == total or _is_silent.get():
            continue
        spoke = now
        speed = done / (now - began)
        of_all, left = "", ""
        if total is not None:
            of_all, left = f" of {total:,}", f", about {(total - done) / speed:.0f} s left"
        logger.info("%s: %s%s %s, %.3g a second%s", doing, f"{done:,}", of_all, unit, speed, left)
