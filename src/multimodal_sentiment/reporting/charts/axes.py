"""Axes of charts: a range, and where its marks are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_FEWEST_TICKS = 3  # of fewer, nobody can read a value between them
_MOST_TICKS = 6
_NUMBER = "{:,.6g}".format


class Tick(NamedTuple):
    """A mark of an axis, and the text beside it."""

    value: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A range of values.

    Attributes:
        low: Its first value.
        high: Its last value.
        title: The name of the values.
        ticks: Its marks.
        is_log: Whether equal ratios are equally far apart.
    """

    low: float
    high: float
    title: str
    ticks: tuple[Tick, ...] = ()
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies on the axis, 0 to 1; what lies beyond an end is put there."""
        low, high, at = self.low, self.high, value
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(max(value, low))
        return min(1.0, max(0.0, (at - low) / (high - low)))


def linear_axis(
    low: float, high: float, title: str, write: Callable[[float], str] = _NUMBER
) -> Axis:
    """Return an axis with marks at round numbers.

    Args:
        low: The least value; the axis begins there.
        high: The greatest one; the axis ends there.
        title: The name of the values.
        write: The function that writes a mark's number.
    """
    high = high if high > low else low + 1
    return Axis(low, high, title, _ticks(_round_numbers(low, high), write))


def count_axis(low: float, high: float, title: str) -> Axis:
    """Return an axis of whole numbers, with marks at such.

    Args:
        low: The least value; the axis begins there.
        high: The greatest one; the axis ends there.
        title: The name of the values.
    """
    high = max(high, low + 1)
    marks = [mark for mark in _round_numbers(low, high) if mark.is_integer()]
    return Axis(low, high, title, _ticks(marks, _NUMBER))


def log_axis(low: float, high: float, title: str) -> Axis:
    """Return a logarithmic axis with at least three marks, however narrow it is.

    Args:
        low: The least value, above 0; the axis begins there.
        high: The greatest one; the axis ends there.
        title: The name of the values.
    """
    high = high if high > low else 2 * low
    choices = [_powers(low, high, steps) for steps in ((1,), (1, 3), (1, 2, 5))]
    choices = [marks for marks in choices if len(marks) >= _FEWEST_TICKS]
    marks = choices[0] if choices else _round_numbers(low, high)
    return Axis(low, high, title, _ticks(marks, _NUMBER), is_log=True)


def _ticks(marks: Iterable[float], write: Callable[[float], str]) -> tuple[Tick, ...]:
    return tuple(Tick(mark, write(mark)) for mark in marks)


def _round_numbers(low: float, high: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten, no more than an axis has room for."""
    power = 10 ** math.floor(math.log10((high - low) / _MOST_TICKS))
    step = next(
        times * power
        for times in (1, 2, 5, 10, 20)
        if (high - low) / (times * power) <= _MOST_TICKS
    )
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(np.round(number * step, 12)) for number in range(first, last + 1)]


def _powers(low: float, high: float, steps: Sequence[int]) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    marks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [mark for mark in marks if low <= mark <= high]


def steps_to_fence(values: NDArray[np.float64], most: int) -> tuple[int, NDArray[np.float64]]:
    """Return the width and the edges of equal steps, of whole numbers, from 0 on.

    They end at Tukey's outer fence: the few values beyond are to be counted in the last step.

    Args:
        values: The values, of shape (n,).
        most: The largest number of steps to the fence.
    """
    low, high = np.quantile(values, [0.25, 0.75])
    reach = min(high + 3 * (high - low), values.max()) + 1
    step = int(np.ceil(reach / most))
    return step, np.arange(0, reach + step, step)
