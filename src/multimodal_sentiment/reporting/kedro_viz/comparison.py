"""Which variant is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ..names import MEASURES
from .theme import (
    BLUE,
    GREEN,
    GREY,
    PALETTE,
    VERMILLION,
    error_bars,
    figure,
    nothing,
    panels,
    shown,
    ticks,
)


def variants(scores: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Show each variant's scores with their intervals, the first on top.

    Args:
        scores: Per variant `accuracy`, `macro_f1`, and `intervals` with the bounds of both.
    """
    if not scores:
        return nothing("Variants compared", "There are no variants.")
    made = _two_panels("Variants compared, with intervals", [shown(name) for name in scores])
    for column, (measure, title) in enumerate(MEASURES.items(), start=1):
        values = [score[measure] for score in scores.values()]
        intervals = [score["intervals"][measure] for score in scores.values()]
        _add_dots(made, column, values, intervals, [BLUE] * len(values), ".1%")
        made.update_xaxes(title_text=title, tickformat=".0%", row=1, col=column)
    return made


def differences(comparisons: Sequence[Mapping[str, Any]], level: float) -> go.Figure:
    """Show by how much the first variant of each pair is better; green or red where that is sure.

    Args:
        comparisons: Per pair `first`, `second`, and under `accuracy` and `macro_f1` the
            `difference`, its `interval` and `p_adjusted`.
        level: The level of the intervals; sure is what has a p-value below 1 - `level`.
    """
    if not comparisons:
        return nothing("Differences between variants", "There are no pairs to compare.")
    pairs = [f"{shown(pair['first'])}<br>minus {shown(pair['second'])}" for pair in comparisons]
    made = _two_panels("Differences between variants, with intervals", pairs)
    for column, (measure, title) in enumerate(MEASURES.items(), start=1):
        tests = [comparison[measure] for comparison in comparisons]
        points = [100 * test["difference"] for test in tests]
        intervals = [[100 * bound for bound in test["interval"]] for test in tests]
        colours = [
            GREY
            if test["p_adjusted"] >= 1 - level
            else GREEN
            if test["difference"] > 0
            else VERMILLION
            for test in tests
        ]
        _add_dots(made, column, points, intervals, colours, "+.1f")
        made.add_vline(x=0, line={"color": GREY, "dash": "dot", "width": 1}, row=1, col=column)
        made.update_xaxes(title_text=f"difference in {title} (points)", row=1, col=column)
    return made


def slices(parts: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Show each variant's accuracy on parts of the posts, with intervals, the first on top.

    Args:
        parts: Per part its posts `n` and, under `variants`, each one's `accuracy` and `intervals`.
    """
    title = "Accuracy on parts of the posts, with intervals"
    if not parts:
        return nothing(title, "There are no parts.")
    variants = list(next(iter(parts.values()))["variants"])
    traces = []
    for number, variant in enumerate(variants):
        scores = [part["variants"][variant] for part in parts.values()]
        values = [score["accuracy"] for score in scores]
        intervals = [score["intervals"]["accuracy"] for score in scores]
        colour = PALETTE[number % len(PALETTE)]
        shift = 0.6 * ((number + 0.5) / len(variants) - 0.5)  # one under the other within a row
        traces.append(
            go.Scatter(
                x=values,
                y=[row + shift for row in range(len(parts))],
                name=shown(variant),
                mode="markers",
                marker={"color": colour, "size": 9},
                error_x=error_bars(values, intervals) | {"color": colour, "width": 3},
                hovertemplate="%{x:.1%}",
            )
        )
    names = [f"{shown(name)}<br>{part['n']:,} posts" for name, part in parts.items()]
    return figure(
        title,
        *traces,
        xaxis={"title": {"text": "accuracy"}, "tickformat": ".0%"},
        yaxis={"range": [len(names) - 0.5, -0.5], "showgrid": False, **ticks(names)},
        height=120 + (24 + 14 * len(variants)) * len(names),
        showlegend=True,
    )


def _two_panels(title: str, names: list[str]) -> go.Figure:
    made = panels(title, 1, 2, shared_yaxes=True, horizontal_spacing=0.06)
    made.update_yaxes(range=[len(names) - 0.5, -0.5], **ticks(names))
    return made.update_layout(showlegend=False)


def _add_dots(
    made: go.Figure,
    column: int,
    values: list[float],
    intervals: Sequence[Sequence[float]],
    colours: list[str],
    number: str,
) -> None:
    made.add_scatter(
        x=values,
        y=list(range(len(values))),
        mode="markers+text",
        marker={"color": colours, "size": 12},
        text=[format(value, number) for value in values],
        textposition="top center",
        error_x=error_bars(values, intervals),
        customdata=[list(interval) for interval in intervals],
        hovertemplate=(
            f"%{{x:{number}}}, interval %{{customdata[0]:{number}}} to "
            f"%{{customdata[1]:{number}}}<extra></extra>"
        ),
        row=1,
        col=column,
    )
