"""Numbers with their intervals, one under the other on one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .axes import Axis, Tick, linear_axis

_WIDEST = 0.02  # of the axis that is left free beside the outermost interval
_SHORTEST = 0.05  # of the unit that an axis shows at least


@dataclass(frozen=True)
class Estimate:
    """A number that is known up to an interval.

    Attributes:
        name: The name of what it is the number of.
        value: The number.
        interval: Its bounds.
        note: The smaller text under the name.
        style: Names of classes of the style sheet: `main` is drawn large.
    """

    name: str
    value: float
    interval: tuple[float, float]
    note: str = ""
    style: str = ""


@dataclass(frozen=True)
class Row:
    """An estimate on an axis: shares of its length, and words."""

    name: str
    note: str
    style: str
    low: float
    point: float
    high: float
    text: str
    range_text: str


@dataclass(frozen=True)
class DotPlot:
    """Estimates on one axis.

    Attributes:
        title: The name of the numbers, which heads their column.
        rows: The estimates.
        ticks: The marks of the axis.
        zero: The place of no difference, as a share of the axis; None if it is not on it.
    """

    title: str
    rows: Sequence[Row]
    ticks: Sequence[Tick]
    zero: float | None


def dot_plot(
    title: str,
    estimates: Sequence[Estimate],
    write: Callable[[float], str] = "{:.1%}".format,
    *,
    least: float = 0.0,
    most: float = 1.0,
    has_zero: bool = False,
) -> DotPlot:
    """Put estimates on an axis that holds all their intervals.

    Args:
        title: The name of the numbers.
        estimates: The estimates, in their order.
        write: The function that writes a number.
        least: The least number there can be.
        most: The greatest one.
        has_zero: Whether the axis must hold 0, and shows it: for differences.
    """
    bounds = [bound for estimate in estimates for bound in estimate.interval]
    low, high = min(bounds), max(bounds)
    if has_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    room = max(_WIDEST * (high - low), (_SHORTEST - high + low) / 2, 0.005)
    low, high = max(least, low - room), min(most, high + room)
    axis = linear_axis(low, high, title, _tick_writer(write, has_zero=has_zero))
    rows = [_row(estimate, axis, write) for estimate in estimates]
    return DotPlot(title, rows, axis.ticks, axis.share(0.0) if has_zero else None)


def points(share: float) -> str:
    """Write a difference of shares, in points of a hundred."""
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def differences(title: str, estimates: Sequence[Estimate]) -> DotPlot:
    """Put differences of shares on an axis that shows where none is."""
    return dot_plot(title, estimates, points, least=-math.inf, most=math.inf, has_zero=True)


def _tick_writer(write: Callable[[float], str], *, has_zero: bool) -> Callable[[float], str]:
    if has_zero:
        return lambda share: "0" if share == 0 else f"{100 * share:+g}"
    return lambda share: f"{100 * share:g}%" if write(0.5).endswith("%") else write(share)


def _row(estimate: Estimate, axis: Axis, write: Callable[[float], str]) -> Row:
    low, high = estimate.interval
    return Row(
        estimate.name,
        estimate.note,
        estimate.style,
        axis.share(low),
        axis.share(estimate.value),
        axis.share(high),
        write(estimate.value),
        f"{write(low)} to {write(high)}",
    )
