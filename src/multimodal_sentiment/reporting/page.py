"""The report: one page that needs nothing else, not even a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .caveats import Caveat
from .gallery import Answer
from .templating import render

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def write_page(
    *,
    metrics: Mapping[str, Any],
    ingestion: Mapping[str, Any],
    model: Mapping[str, str],
    split: Mapping[str, Mapping[str, int]],
    figures: Mapping[str, Sequence[Figure]],
    wrong: Sequence[Answer],
    right: Sequence[Answer],
    wrong_in_all: int,
    doubts: Sequence[Caveat],
) -> str:
    """The report of a training run.

    Args:
        metrics: As the evaluation writes them.
        ingestion: The ingestion report of the labelled posts.
        model: What the model is, by `describe_model`.
        split: Posts of each label among the training and the validation posts.
        figures: By section: `data`, `training`, `results`. Their titles become headings.
        wrong: The posts that are shown of those that were answered wrongly.
        right: The same of those that were answered rightly.
        wrong_in_all: How many posts were answered wrongly.
        doubts: By `find_caveats`.

    Returns:
        HTML that asks for nothing from any network.
    """
    from plotly.offline import get_plotlyjs

    return render(
        "report.html",
        metrics=metrics,
        ingestion=ingestion,
        model=model,
        split=split,
        figures={
            section: [_figure(figure, f"{section}-{n}") for n, figure in enumerate(some)]
            for section, some in figures.items()
        },
        wrong=wrong,
        right=right,
        wrong_in_all=wrong_in_all,
        doubts=doubts,
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library's own script
    )


def _figure(figure: Figure, name: str) -> dict[str, Any]:
    """A figure without its title, which would not break on a narrow screen."""
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
