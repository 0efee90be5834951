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
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    """The function of each item, computed by one thread a core, in the items' order.

    `ThreadPoolExecutor.map` takes in all items at once; here at most `AHEAD`, or a few a thread,
    are under way or waiting to be fetched, so memory does not grow with their number.
    """
    threads = os.cpu_count() or 1
    most = max(AHEAD, AHEAD_PER_THREAD * threads)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
