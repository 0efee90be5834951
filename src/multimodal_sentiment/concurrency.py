"""Many small pieces of work at once, in order, without holding them all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = (
    32  # items a thread, done before they are asked for: while results are written, work goes on
)


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The function of each item, computed by one thread a core, in the items' order.

    `ThreadPoolExecutor.map` takes in all items at once; here at most `AHEAD` a thread are under way
    or waiting to be fetched, so memory does not grow with their number.
    """
    threads = os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
