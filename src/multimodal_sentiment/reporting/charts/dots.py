"""Numbers with their intervals, one under the other on one scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multimodal_sentiment.wording import exact_percent

from ..names import MEASURES
from ..templating import signed_points
from .axes import Axis, linear_axis

_WIDEST = 0.02  # of the axis that is left free beside the outermost interval
_SHORTEST = 0.05  # of the unit that an axis shows at least
_ROUNDING = 1e-9


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
class DotPlot:
    """Estimates on one axis.

    Attributes:
        axis: The axis; its title heads the column of the numbers.
        estimates: The estimates, in their order.
        write: The function that writes a number.
        zero: The place of no difference, as a share of the axis; None if it is not on it.
    """

    axis: Axis
    estimates: Sequence[Estimate]
    write: Callable[[float], str] = "{:.1%}".format
    zero: float | None = None

    def range_text(self, estimate: Estimate) -> str:
        """Write an interval."""
        return " to ".join(map(self.write, estimate.interval))


def dot_plot(title: str, estimates: Sequence[Estimate]) -> DotPlot:
    """Put shares on an axis that holds all their intervals.

    Args:
        title: The name of the numbers.
        estimates: The estimates, in their order.
    """
    low, high = _reach([bound for estimate in estimates for bound in estimate.interval])
    axis = linear_axis(max(0.0, low), min(1.0, high), title, exact_percent)
    return DotPlot(axis, estimates)


def score_plots(rows: Iterable[tuple[str, Mapping[str, Any], str]]) -> list[DotPlot]:
    """Put accuracies, and macro-F1, on an axis each.

    Args:
        rows: What is judged: its name, its scores (`accuracy`, `macro_f1` and `intervals`), and
            its style.
    """
    rows = list(rows)
    return [
        dot_plot(
            title,
            [
                Estimate(name, scores[measure], scores["intervals"][measure], style=style)
                for name, scores, style in rows
            ],
        )
        for measure, title in MEASURES.items()
    ]


def differences(title: str, estimates: Sequence[Estimate]) -> DotPlot:
    """Put differences of shares, in points of a hundred, on an axis that shows where none is."""
    bounds = [bound for estimate in estimates for bound in estimate.interval]
    axis = linear_axis(*_reach([0.0, *bounds]), title, signed)
    return DotPlot(axis, estimates, signed_points, axis.share(0.0))


def signed(share: float) -> str:
    """Write a difference of shares at a mark of an axis."""
    return "0" if abs(share) < _ROUNDING else f"{100 * share:+g}"


def _reach(bounds: Sequence[float]) -> tuple[float, float]:
    low, high = min(bounds), max(bounds)
    room = max(_WIDEST * (high - low), (_SHORTEST - high + low) / 2, 0.005)
    return low - room, high + room
