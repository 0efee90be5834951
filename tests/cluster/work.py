"""Functions that the workers of a cluster run: they import them from here."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path


def squares(numbers: Sequence[int]) -> list[int]:
    return [number * number for number in numbers]


def process_of(_: object) -> int:
    return os.getpid()


def visible_gpus(_: object) -> str | None:
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def die_once(marks: Path, numbers: Sequence[int]) -> list[int]:
    """Kill the worker the first time that a part comes."""
    mark = marks / f"{numbers[0]}"
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(numbers)


def die_of(deadly: Sequence[int], numbers: Sequence[int]) -> list[int]:
    if set(deadly) & set(numbers):
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(numbers)


def fail(number: int) -> int:
    if number == 3:
        raise ValueError("number 3 is odd")
    return number


def add(bound: list[int], number: int) -> tuple[int, int]:
    """A number more than the sum of what is bound, and which object that is."""
    return sum(bound) + number, id(bound)


def nap(number: int) -> int:
    time.sleep(0.3)
    return number * number
