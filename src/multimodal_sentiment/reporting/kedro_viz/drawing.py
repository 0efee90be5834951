"""Charts, estimates and counts as figures of Plotly."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ..charts import Chart, DotPlot
from ..charts.axes import Axis
from ..charts.canvas import Mark
from .theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    error_bars,
    named_ticks,
    nothing,
    panels,
    shown,
    ticks,
)

# The colour of each class of the pages' style sheet; grey has what is no more than a measure.
PAINTS = {
    "tag-negative": VERMILLION, "tag-neutral": BLUE, "tag-positive": GREEN,
    "first": BLUE, "second": VERMILLION, "third": GREEN, "fourth": PURPLE, "fifth": ORANGE,
    "sixth": SKY, "text": PURPLE, "image": VERMILLION, "both": BLUE, "cell": BLUE,
    "sure-better": GREEN, "sure-worse": VERMILLION,
}  # fmt: skip
_OPACITIES = {"band": 0.2, "shade-1": 0.25, "shade-2": 0.42, "shade-3": 0.6, "shade-4": 0.8}
_SIZES = {"small": 6, "large": 12}  # px, of points
_DASHES = {"rule": "dot", "limit": "dash"}
_HEIGHT = 300  # px, of one of several charts
_ROW = 44  # px, of an estimate
_BAR = 28
_LINE = 92  # letters of a note: in Kedro-Viz two lines have room, to the left of the axis's title


def draw(title: str, *charts: Chart | None) -> go.Figure:
    """Make a figure of charts, one below the other; it says so if there are none."""
    drawn = [chart for chart in charts if chart]
    if not drawn:
        return nothing(title)
    made = panels(title, [_HEIGHT] * len(drawn))
    for row, chart in enumerate(drawn, start=1):
        place = {"row": row, "col": 1}
        for mark in chart.marks:
            made.add_trace(_trace(mark, row), **place)
        for style, name in chart.legend:
            made.add_scatter(
                x=[None],
                y=[None],
                name=html.escape(name, quote=False),
                mode="markers",
                marker={"color": paint(style), "size": 9},
                legendgroup=f"{row} {paint(style)}",
                **place,
            )
        for words in chart.words:
            made.add_annotation(
                x=words.value,
                y=chart.y.low,
                text="<br>".join(words.lines),
                showarrow=False,
                xanchor="right" if words.is_left else "left",
                yanchor="bottom",
                **place,
            )
        made.update_xaxes(_axis(chart.x), **place)
        made.update_yaxes(_axis(chart.y), **place)
        _add_note(made, chart.note, row)
    if len(drawn) == 1:
        made.update_layout(height=None)  # that of its place
    return made.update_layout(hovermode="closest", showlegend=True, margin={"b": 92})


def draw_dots(title: str, *plots: DotPlot) -> go.Figure:
    """Make a figure of estimates with their intervals, the first of each plot on top."""
    made = panels(title, [_ROW * len(plot.estimates) for plot in plots])
    for row, plot in enumerate(plots, start=1):
        place = {"row": row, "col": 1}
        estimates, values = plot.estimates, [float(it.value) for it in plot.estimates]
        texts = [plot.write(value) for value in values]
        ranges = [plot.range_text(it) for it in estimates]
        made.add_scatter(
            x=values,
            y=list(range(len(values))),
            mode="markers+text",
            marker={"color": [paint(it.style) for it in estimates], "size": 12},
            text=texts,
            textposition="top center",
            cliponaxis=False,
            error_x=error_bars(values, [it.interval for it in estimates]),
            hovertext=[f"{text} ({ends})" for text, ends in zip(texts, ranges, strict=True)],
            hoverinfo="text",
            **place,
        )
        if plot.zero is not None:
            made.add_vline(x=0, line={"color": GREY, "dash": "dot", "width": 1}, **place)
        names = [f"{shown(it.name)}<br>{shown(it.note)}".removesuffix("<br>") for it in estimates]
        made.update_xaxes(_axis(plot.axis), **place)
        made.update_yaxes(_rows(ticks(names)), **place)
    return made.update_layout(showlegend=False)


def draw_bars(
    title: str,
    parts: Mapping[str, Mapping[str, float]],
    write: Callable[[float], str] = "{:,}".format,
    colours: Sequence[str] = (),
) -> go.Figure:
    """Make a figure of a bar a name, the first on top, each with its number beside it.

    Args:
        title: The title.
        parts: The numbers by name, of each axis' title.
        write: The function that writes a number.
        colours: The colour of each bar; all have the same if there are none.
    """
    made = panels(title, [_BAR * (len(numbers) + 1) for numbers in parts.values()])
    for row, (what, numbers) in enumerate(parts.items(), start=1):
        place = {"row": row, "col": 1}
        texts = [write(number) for number in numbers.values()]
        made.add_bar(
            x=list(numbers.values()),
            y=list(range(len(numbers))),
            orientation="h",
            marker={"color": list(colours) or BLUE},
            text=texts,
            textposition="outside",
            cliponaxis=False,
            hoverinfo="text",
            **place,
        )
        room = [0, 1.3 * (max(numbers.values()) or 1)]
        made.update_xaxes(title_text=what, range=room, nticks=5, **place)
        made.update_yaxes(_rows(named_ticks(numbers)), **place)
    return made.update_layout(showlegend=False, bargap=0.2)


def paint(style: str) -> str:
    """Return the colour of what has some classes of the style sheet."""
    return next((PAINTS[name] for name in style.split() if name in PAINTS), GREY)


def _trace(mark: Mark, row: int) -> go.Scatter:
    classes, colour = mark.style.split(), paint(mark.style)
    places = [place for part in mark.parts for place in (*part, (None, None))]
    is_area, is_line, is_points = mark.kind == "area", "line" in classes, mark.kind == "points"
    return go.Scatter(
        x=[x for x, _ in places],
        y=[y for _, y in places],
        mode="markers" if is_points else "lines",
        cliponaxis=not is_points,
        marker={"color": colour, "size": next((_SIZES[it] for it in classes if it in _SIZES), 8)},
        line={
            "color": colour,
            "dash": next((_DASHES[it] for it in classes if it in _DASHES), "solid"),
            "width": 0 if is_area else 2 if is_line else 1,
        },
        fill="toself" if is_area else "none",
        fillcolor=colour,
        opacity=next((_OPACITIES[it] for it in classes if it in _OPACITIES), 1),
        text=html.escape(mark.hint, quote=False),
        hoverinfo="text" if mark.hint else "x+y" if is_line or is_points else "skip",
        hoveron="fills" if is_area else "points",
        legendgroup=f"{row} {colour}",
        showlegend=False,
    )


def _add_note(made: go.Figure, note: str, row: int) -> None:
    made.add_annotation(
        text="<br>".join(textwrap.wrap(html.escape(note, quote=False), _LINE)),
        x=0,
        y=0,
        xref="x domain",
        yref="y domain",
        xanchor="left",
        yanchor="top",
        yshift=-44,
        align="left",
        font={"size": 11},
        showarrow=False,
        row=row,
        col=1,
    )


def _axis(axis: Axis) -> dict[str, Any]:
    ends = (math.log10(end) if axis.is_log else end for end in (axis.low, axis.high))
    return {
        "type": "log" if axis.is_log else "linear",
        "range": [float(end) for end in ends],
        "tickmode": "array",
        "tickvals": [tick.value for tick in axis.ticks],
        "ticktext": [tick.text for tick in axis.ticks],
        "title": {"text": axis.title},
    }


def _rows(named: dict[str, Any]) -> dict[str, Any]:
    """Put what is named at 0, 1, ... one under the other."""
    return {"range": [len(named["tickvals"]) - 0.5, -0.5], "showgrid": False, **named}
