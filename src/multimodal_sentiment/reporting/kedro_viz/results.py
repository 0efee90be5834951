"""How good the answers are, where they fail, and what they were owed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from .theme import (
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
    SHADES,
    colours,
    error_bars,
    figure,
    named_ticks,
    nothing,
    panels,
    shown,
    ticks,
)

_DECIDED = {"text": PURPLE, "image": ORANGE, "both": BLUE, "neither": GREY}
_MOST_POINTS = 2000


def confusion_matrix(counts: ArrayLike, labels: Sequence[str]) -> go.Figure:
    """Show which labels are taken for which.

    Args:
        counts: Posts by true (rows) and predicted label (columns), of shape (labels, labels).
        labels: Their names.
    """
    posts = np.asarray(counts, dtype=int)
    if not posts.sum():
        return nothing("Confusion matrix", "There are no predictions.")
    rows = posts.sum(axis=1, keepdims=True)
    shares = posts / np.maximum(rows, 1)
    texts = [
        [f"{count:,}<br>{share:.0%}" for count, share in zip(*row, strict=True)]
        for row in zip(posts, shares, strict=True)
    ]
    cells = go.Heatmap(
        z=shares.tolist(),
        text=texts,
        texttemplate="%{text}",
        colorscale=SHADES,
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
        hovertemplate="%{text}<extra></extra>",
    )
    bare = {"showgrid": False, "showline": False}
    return figure(
        f"Confusion matrix of {posts.sum():,} posts (shares of the true label)",
        cells,
        xaxis={"title": {"text": "predicted"}, **named_ticks(labels), **bare},
        yaxis={
            "title": {"text": "true"},
            "autorange": "reversed",
            **named_ticks(labels),
            **bare,
        },
    )


def per_class_f1(metrics: Mapping[str, Any]) -> go.Figure:
    """Show each label's F1 with its interval.

    Args:
        metrics: `per_class`, per label `f1` and `support`; and `intervals`, under whose `per_class`
            stand the bounds of each label's F1.
    """
    per_class, intervals = metrics["per_class"], metrics["intervals"]["per_class"]
    if not per_class:
        return nothing("F1 per label", "There are no labels.")
    labels = list(per_class)
    values = [per_class[label]["f1"] for label in labels]
    names = [f"{shown(label)}<br>{per_class[label]['support']:,} posts" for label in labels]
    dots = go.Scatter(
        x=list(range(len(labels))),
        y=values,
        mode="markers+text",
        marker={"color": list(colours(labels).values()), "size": 12},
        text=[f"  {value:.2f}" for value in values],
        textposition="middle right",
        error_y=error_bars(values, [intervals[label] for label in labels]),
        hovertemplate="F1 %{y:.3f}<extra></extra>",
    )
    return figure(
        "F1 per label, with intervals",
        dots,
        xaxis={
            "title": {"text": "label"},
            **ticks(names),
            "range": [-0.6, len(labels) - 0.4],
            "showgrid": False,
        },
        yaxis={"title": {"text": "F1"}, "range": [0, 1.02]},
    )


def reliability(before: Mapping[str, Any], after: Mapping[str, Any]) -> go.Figure:
    """Show confidence against accuracy, and how many posts are that confident.

    Args:
        before: The measures of the uncalibrated answers: the `expected_calibration_error`, and
            `bins` of confidence: records of `low`, `high`, `n`, `confidence` and `accuracy`.
        after: The same of the calibrated answers.
    """
    title = "Reliability: confidence against accuracy"
    if not any(row["n"] for row in before["bins"]):
        return nothing(title, "There are no predictions.")
    made = panels(title, 2, 1, row_heights=[0.72, 0.28], shared_xaxes=True, vertical_spacing=0.06)
    made.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=1,
    )
    _add_calibration(made, "before calibration", ORANGE, "diamond", before)
    _add_calibration(made, "after", BLUE, "circle", after)
    made.update_yaxes(title_text="right", tickformat=".0%", range=[0, 1.02], row=1, col=1)
    made.update_yaxes(title_text="posts", tickformat=".0%", nticks=4, row=2, col=1)
    made.update_xaxes(range=[0, 1.01])
    made.update_xaxes(title_text="confidence (probability of the answer)", row=2, col=1)
    return made


def _add_calibration(
    made: go.Figure, name: str, colour: str, symbol: str, calibration: Mapping[str, Any]
) -> None:
    table = pd.DataFrame(calibration["bins"])
    filled = table[table["n"] > 0]
    made.add_scatter(
        x=filled["confidence"].tolist(),
        y=filled["accuracy"].tolist(),
        customdata=filled["n"].tolist(),
        name=f"{name} (error {calibration['expected_calibration_error']:.1%})",
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"color": colour, "size": 8, "symbol": symbol},
        hovertemplate="confidence %{x:.2f}: %{y:.0%} of %{customdata:,} posts right",
        row=1,
        col=1,
    )
    made.add_bar(
        x=((table["low"] + table["high"]) / 2).tolist(),
        y=(table["n"] / table["n"].sum()).tolist(),
        name=name,
        marker_color=colour,
        showlegend=False,
        hovertemplate="%{y:.1%} of posts",
        row=2,
        col=1,
    )


def confidence_by_correctness(confidences: ArrayLike, right: ArrayLike) -> go.Figure:
    """Show how confident right and wrong answers are.

    Args:
        confidences: Probability of each answer, of shape (n,).
        right: Whether it is the true one, of shape (n,).
    """
    sure, correct = np.asarray(confidences, dtype=float), np.asarray(right, dtype=bool)
    if not sure.size:
        return nothing("Confidence of right and wrong answers", "There are no predictions.")
    edges = np.linspace(0, 1, 21)
    traces = [
        go.Bar(
            x=((edges[:-1] + edges[1:]) / 2).tolist(),
            y=np.histogram(sure[chosen], edges)[0].tolist(),
            name=f"{name} ({chosen.mean():.0%})",
            marker_color=colour,
            hovertemplate=f"%{{y:,}} {name}<extra></extra>",
        )
        for name, colour, chosen in (("right", BLUE, correct), ("wrong", ORANGE, ~correct))
    ]
    return figure(
        f"Confidence of {sure.size:,} answers",
        *traces,
        xaxis={"title": {"text": "confidence (probability of the answer)"}},
        yaxis={"title": {"text": "posts"}, "tickformat": ","},
        barmode="stack",
        bargap=0.06,
    )


def modality_contributions(
    text_values: ArrayLike, image_values: ArrayLike, decided_by: Sequence[str]
) -> go.Figure:
    """Show what text and image added to the probability of each answer.

    Args:
        text_values: Shapley values, -1 to 1, of shape (n,).
        image_values: The same.
        decided_by: `text`, `image`, `both` or `neither`, of shape (n,).
    """
    title = "What the answers were owed to"
    posts = pd.DataFrame({"text": text_values, "image": image_values, "by": decided_by})
    if posts.empty:
        return nothing(title, "There are no predictions of a model of text and image.")
    drawn = posts.iloc[:: -(-len(posts) // _MOST_POINTS)]
    traces = [
        go.Scatter(
            x=drawn.loc[drawn["by"] == name, "text"].tolist(),
            y=drawn.loc[drawn["by"] == name, "image"].tolist(),
            name=f"{name} ({(posts['by'] == name).mean():.0%})",
            mode="markers",
            marker={"color": colour, "size": 7, "opacity": 0.8},
            hovertemplate="text %{x:+.2f}, image %{y:+.2f}<extra></extra>",
        )
        for name, colour in _DECIDED.items()
        if (posts["by"] == name).any()
    ]
    zero = {"zeroline": True, "zerolinecolor": GREY, "tickformat": "+.1f"}
    part = f", {len(drawn):,} of them drawn" if len(drawn) < len(posts) else ""
    return figure(
        f"{title}: {len(posts):,} posts{part}",
        *traces,
        xaxis={"title": {"text": "added by the text (probability)"}, **zero},
        yaxis={"title": {"text": "added by the image (probability)"}, **zero},
        showlegend=True,
    )
