"""Write the report of a search: what it found, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .embedding import embed_figure
from .templating import render

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_OBJECTIVES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "log_loss": "log loss"}


def write_search_page(
    search: Mapping[str, Any],
    study: Mapping[str, Any],
    parameters: str,
    figures: Sequence[Figure],
) -> str:
    """The report of a search.

    Args:
        search: What was found, as the pipeline's `judge_search` gives it.
        study: The trials, as its `try_settings` gives them.
        parameters: The file of the chosen parameters.
        figures: History and importances. Their titles become headings.

    Returns:
        HTML that asks for nothing from any network.
    """
    from plotly.offline import get_plotlyjs

    loss = search["objective"] == "log_loss"

    def score(value: float) -> str:
        return f"{value:.3f}" if loss else f"{value:.1%}"

    def points(gain: float) -> str:
        return f"{gain:+.3f} nats" if loss else f"{100 * gain:+.1f} points"

    def value(values: Mapping[str, Any], name: str) -> str:
        one = values.get(name, "")
        return f"{one:.4g}" if isinstance(one, float) else json.dumps(one).strip('"')

    return render(
        "search.html",
        search=search,
        study=study,
        objective=_OBJECTIVES[search["objective"]],
        score=score,
        points=points,
        value=value,
        parameters=parameters,
        figures=[embed_figure(figure, f"search-{n}") for n, figure in enumerate(figures)],
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - the library's own script
    )
