"""What all figures have in common: one template, fixed colours, safe labels.

Figures have no background of their own and are shown on white pages and on nearly black ones. Text
is the grey that stands out equally from both (4.3 to 1); colours are those of Okabe and Ito, told
apart with any kind of colour vision, and of them the ones that both pages bear come first.
Source: Okabe and Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

GREY = "#7b7b7b"
PALETTE = BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
)
SHADES = [[0, "#dcebf5"], [0.5, "#4c9ccc"], [1, "#00405f"]]  # of one hue, little to much

_FAINT = "rgba(128, 128, 128, 0.25)"
_CLEAR = "rgba(0, 0, 0, 0)"
_LONGEST = 28  # characters of a name shown
_BETWEEN, _AROUND = 100, 170  # px, of words between plots, and above and below them
_AXIS = {
    "automargin": True,
    "gridcolor": _FAINT,
    "linecolor": GREY,
    "showline": True,
    "tickcolor": GREY,
    "title": {"font": {"size": 13}, "standoff": 8},
    "zeroline": False,
}
_TEMPLATE = go.layout.Template(
    layout={
        "colorway": list(PALETTE),
        "font": {"color": GREY, "family": "Helvetica Neue, Arial, sans-serif", "size": 13},
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 1,
            "xanchor": "right",
            "y": 1.02,
            "yanchor": "bottom",
        },
        "margin": {"l": 60, "r": 32, "t": 92, "b": 56},
        "modebar": {"bgcolor": _CLEAR, "color": GREY},
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        # No height: Kedro-Viz measures it from the plot, where ours would lie on the curves.
        "title": {"font": {"size": 17}, "x": 0.01, "xanchor": "left"},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)


def figure(title: str, *traces: Any, **layout: Any) -> go.Figure:
    """Make a figure in the common theme."""
    return go.Figure(list(traces), {"template": _TEMPLATE, "title": {"text": title}, **layout})


def panels(title: str, heights: Sequence[float]) -> go.Figure:
    """Make empty plots, one below the other: side by side Kedro-Viz has no room for them.

    Args:
        title: The title of all.
        heights: The height of each, px.
    """
    whole = sum(heights) + _BETWEEN * (len(heights) - 1)
    spacing = _BETWEEN / whole if len(heights) > 1 else 0
    made = make_subplots(rows=len(heights), row_heights=list(heights), vertical_spacing=spacing)
    layout = {"template": _TEMPLATE, "title": {"text": title}, "height": whole + _AROUND}
    return made.update_layout(layout)


def nothing(title: str) -> go.Figure:
    """Make a figure that says that there is nothing to show."""
    note = {
        "text": "There is nothing to show.",
        "showarrow": False,
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
    }
    hidden = {"visible": False}
    return figure(title, xaxis=hidden, yaxis=hidden, annotations=[note])


def shown(name: object) -> str:
    """Make any name safe and short: Plotly takes texts for a kind of HTML."""
    text = " ".join(str(name).split())
    return html.escape(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…", quote=False)


def named_ticks(names: Iterable[object]) -> dict[str, Any]:
    """Put names on an axis at 0, 1, ...: a category axis would merge those that look the same."""
    return ticks([shown(name) for name in names])


def ticks(texts: Sequence[str]) -> dict[str, Any]:
    """Put texts that are safe already on an axis at 0, 1, ..."""
    return {"tickmode": "array", "tickvals": list(range(len(texts))), "ticktext": list(texts)}


def error_bars(values: Sequence[float], intervals: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Turn intervals into Plotly's error bars, which are lengths."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, (_, high) in zip(values, intervals, strict=True)],
        "arrayminus": [value - low for value, (low, _) in zip(values, intervals, strict=True)],
        "color": GREY,
        "thickness": 1.5,
        "width": 6,
    }
