"""Long work that says how far it is, a line now and then: in a pipe or a file as on a screen."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 15.0


def log_progress(
    items: Iterable[Item], total: int | None, doing: str, unit: str = "posts"
) -> Iterator[Item]:
    """Pass items on and say how far it is; nothing is said of what is soon done.

    Args:
        items: What is worked through.
        total: How many there are, if that is known.
        doing: What is done with them, as in "Reading texts".
        unit: What one item is, in the plural.
    """
    began = spoke = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - spoke < SECONDS_BETWEEN_LINES or done == total:
            continue
        spoke = now
        speed = done / (now - began)
        if total is None:
            logger.info("%s: %s %s, %.3g a second", doing, f"{done:,}", unit, speed)
        else:
            logger.info(
                "%s: %s of %s %s, %.3g a second, about %.0f s left",
                doing,
                f"{done:,}",
                f"{total:,}",
                unit,
                speed,
                (total - done) / speed,
            )
