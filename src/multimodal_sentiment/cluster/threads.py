"""Many small pieces of work at once, in order, without holding them all."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Items under way or done before they are asked for: work goes on while results are written. Results
# may be large, so it is not more on a machine of many cores, unless these would stand idle.
AHEAD = 64
AHEAD_PER_THREAD = 4


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int | None = None,
    stop: Callable[[], None] = lambda: None,
) -> Generator[Result, None, None]:
    """Yield the function of each item, computed by several threads, in the items' order.

    `ThreadPoolExecutor.map` takes in all items at once; here at most a few a thread are under way
    or waiting to be fetched, so memory does not grow with their number.

    Args:
        function: The function.
        items: The items.
        threads: The number of threads; None is one a core, and then up to `AHEAD` items are under
            way.
        stop: Called when no result is wanted any more, before what is under way is waited for.
    """
    least = AHEAD if threads is None else 0
    threads = threads or os.cpu_count() or 1
    most = max(least, AHEAD_PER_THREAD * threads)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) == most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            stop()
