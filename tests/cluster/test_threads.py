"""Work shared among threads."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from multimodal_sentiment.cluster.threads import map_in_order

MOST = max(64, 4 * (os.cpu_count() or 1))


def test_results_come_in_the_order_of_the_items() -> None:
    def slow(item: int) -> int:
        time.sleep(random.random() / 500)
        return item * item

    assert list(map_in_order(slow, range(100))) == [item * item for item in range(100)]


def test_no_more_items_are_taken_than_can_be_worked_on() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        while taken < 100_000:
            yield taken
            taken += 1

    results = map_in_order(str, items())
    next(results)
    assert taken <= MOST


def test_the_first_error_comes_out_and_ends_the_work() -> None:
    done = []

    def work(item: int) -> int:
        if item == 3:
            raise ValueError("item 3")
        done.append(item)
        return item

    with pytest.raises(ValueError, match="item 3"):
        list(map_in_order(work, range(10_000)))
    assert len(done) <= 3 + MOST


def test_leaving_early_leaves_no_threads() -> None:
    before = threading.active_count()
    results = map_in_order(str, range(1000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_no_items() -> None:
    assert list(map_in_order(str, [])) == []
