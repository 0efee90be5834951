"""How a search went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from ..names import OBJECTIVES
from .theme import BLUE, GREY, ORANGE, VERMILLION, figure, nothing, shown, ticks


def search_history(study: Mapping[str, Any]) -> go.Figure:
    """Show the score of each trial in order, the best so far, and the default's.

    Args:
        study: `objective`, `default` with its `score`, and `trials`, each with `number`, `state`
            (`judged` on all folds, `cut short` or `failed`), `score` and `folds`.
    """
    title, objective = "Trials in their order", study["objective"]
    trials = [trial for trial in study["trials"] if trial["score"] is not None]
    if not trials:
        return nothing(title, "No trial has a score.")
    made = figure(title)
    for state, colour, symbol in (("judged", BLUE, "circle"), ("cut short", GREY, "circle-open")):
        some = [trial for trial in trials if trial["state"] == state]
        made.add_scatter(
            x=[trial["number"] for trial in some],
            y=[trial["score"] for trial in some],
            customdata=[trial["folds"] for trial in some],
            name=state,
            mode="markers",
            marker={"color": colour, "size": 9, "symbol": symbol},
            hovertemplate="trial %{x}: %{y:.4f} on %{customdata} folds",
        )
    judged = [trial for trial in trials if trial["state"] == "judged"]
    better = min if objective == "log_loss" else max
    scores = [trial["score"] for trial in judged]
    made.add_scatter(
        x=[trial["number"] for trial in judged],
        y=[better(scores[: number + 1]) for number in range(len(scores))],
        name="best so far",
        mode="lines",
        line={"color": ORANGE, "shape": "hv", "width": 2},
    )
    made.add_hline(y=study["default"]["score"], line={"color": VERMILLION, "dash": "dash"})
    made.add_scatter(  # a line across has no entry in the legend
        x=[None],
        y=[None],
        name="default",
        mode="lines",
        line={"color": VERMILLION, "dash": "dash"},
    )
    made.update_xaxes(title_text="trial")
    made.update_yaxes(title_text=f"{OBJECTIVES[objective]} on folds")
    return made.update_layout(margin={"t": 92})


def search_importances(importances: Mapping[str, float]) -> go.Figure:
    """Show how much each parameter decides which trials are among the best third.

    Args:
        importances: Shares of 1, the largest first.
    """
    title = "Which parameters mattered"
    if not importances:
        return nothing(title, "The trials are too few, or too equal, to tell.")
    names = [shown(name.removeprefix("model.").removeprefix("training.")) for name in importances]
    return figure(
        title,
        go.Bar(
            x=list(importances.values()),
            y=list(range(len(names))),
            orientation="h",
            marker={"color": BLUE},
            hovertemplate="%{x:.1%}<extra></extra>",
        ),
        xaxis={
            "title": {"text": "share in being among the best third"},
            "tickformat": ".0%",
        },
        yaxis={"range": [len(names) - 0.5, -0.5], "showgrid": False, **ticks(names)},
    )
