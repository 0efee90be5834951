"""Plotly figures within a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def embed_figure(figure: Figure, name: str) -> dict[str, Any]:
    """Return a figure for a template: `title`, `html` without it, and whether it is `wide`.

    A title within the figure would not break on a narrow screen.
    """
    from plotly.graph_objects import Figure
    from plotly.io import to_html

    figure = Figure(figure)
    title = figure.layout.title.text
    figure.update_layout(title=None, margin={"t": 40})
    part = to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"responsive": True, "displayModeBar": False},
    )
    side_by_side = len({axis.domain for axis in figure.select_xaxes()}) > 1
    # Names are escaped in the figures, and Plotly writes < > and / of its JSON as \u00..
    return {"title": title, "html": Markup(part), "wide": side_by_side}  # noqa: S704
