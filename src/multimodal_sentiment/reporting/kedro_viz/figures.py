"""Figures that only Kedro-Viz has: pages show the same as tables, or on their own scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from .. import charts
from ..charts import Estimate
from ..names import MEASURES, short_parameter
from .drawing import draw_bars, draw_dots, paint
from .theme import PALETTE, SHADES, error_bars, figure, named_ticks, nothing, shown, ticks

_MOST_ENCODINGS = 10
_SURE = ((0, "under 50%"), (0.5, "50 to 90%"), (0.9, "90 to 99%"), (0.99, "99% and more"))
_CHARDETS = ("same text", "another text", "no text")


def class_balance(tags: Iterable[object], title: str = "Class balance") -> go.Figure:
    """Show how many posts each label has; posts without a tag are counted as such.

    Args:
        tags: One a post.
        title: The title, which says what the labels are to the posts.
    """
    counts = {tag: len(rows) for tag, rows in charts.group_by_tag(tags).items()}
    total = sum(counts.values())
    if not total:
        return nothing(title)
    return draw_bars(
        f"{title} of {total:,} posts",
        {"posts": counts},
        lambda count: f"{count:,} ({count / total:.1%})",
        [paint(style) for style in charts.label_styles(counts).values()],
    )


def encodings(
    names: Iterable[str], confidences: ArrayLike, chardet_alone: Mapping[str, Any]
) -> go.Figure:
    """Show how common each encoding is, how sure the choice was, and how chardet would have done.

    Args:
        names: The encoding of each post, of shape (n,).
        confidences: The posterior of each, 0 to 1, of shape (n,).
        chardet_alone: The number of posts that chardet was asked about one by one (those that are
            not ASCII) as `posts_asked`, and of how many it gave `same text`, `another text` and
            `no text`.
    """
    title = "Encodings of the texts"
    counts = pd.Series(list(names), dtype=object).replace("", "none").value_counts()
    if counts.empty:
        return nothing(title)
    most = {str(name): int(count) for name, count in counts.iloc[:_MOST_ENCODINGS].items()}
    if others := int(counts.iloc[_MOST_ENCODINGS:].sum()):
        most["all others"] = others
    certain = np.clip(np.asarray(confidences, dtype=float), 0, 1)
    heights, _ = np.histogram(certain[np.isfinite(certain)], bins=[edge for edge, _ in _SURE] + [1])
    sure = {name: count for (_, name), count in zip(_SURE, heights.tolist(), strict=True) if count}
    asked = f"chardet alone, of {chardet_alone['posts_asked']:,} texts not ASCII"
    parts: dict[str, Mapping[str, float]] = {
        "texts in each encoding": most,
        "texts by confidence of their reading": sure,
        asked: {name: chardet_alone[name] for name in _CHARDETS},
    }
    # One bar says nothing that its number does not say, and no bar nothing at all.
    told = {what: bars for what, bars in parts.items() if len(bars) > 1 and any(bars.values())}
    title = f"Encodings of {counts.sum():,} texts"
    return draw_bars(title, told or {"texts in each encoding": most})


def confusion_matrix(counts: ArrayLike, labels: Sequence[str]) -> go.Figure:
    """Show which labels are taken for which.

    Args:
        counts: Posts by true (rows) and predicted label (columns), of shape (labels, labels).
        labels: Their names.
    """
    posts = np.asarray(counts, dtype=int)
    if not posts.sum():
        return nothing("Confusion matrix")
    shares = posts / np.maximum(posts.sum(axis=1, keepdims=True), 1)
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
    axis = {**named_ticks(labels), "showgrid": False, "showline": False}
    return figure(
        f"Confusion matrix of {posts.sum():,} posts (shares of the true label)",
        cells,
        xaxis={"title": {"text": "predicted"}, **axis},
        yaxis={"title": {"text": "true"}, "autorange": "reversed", **axis},
    )


def per_class_f1(metrics: Mapping[str, Any]) -> go.Figure:
    """Show each label's F1 with its interval.

    Args:
        metrics: `per_class`, per label `f1` and `support`; and `intervals`, under whose `per_class`
            stand the bounds of each label's F1.
    """
    intervals, styles = metrics["intervals"]["per_class"], charts.label_styles(metrics["per_class"])
    estimates = [
        Estimate(label, it["f1"], intervals[label], f"{it['support']:,} posts", styles[label])
        for label, it in metrics["per_class"].items()
    ]
    return draw_dots("F1 per label, with intervals", charts.dot_plot("F1", estimates))


def variants(scores: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Show each variant's scores with their intervals, the first on top.

    Args:
        scores: Per variant `accuracy`, `macro_f1`, and `intervals` with the bounds of both.
    """
    plots = charts.score_plots((name, judged, "first") for name, judged in scores.items())
    return draw_dots("Variants compared, with intervals", *plots)


def differences(comparisons: Sequence[Mapping[str, Any]], level: float) -> go.Figure:
    """Show by how much the first variant of each pair is better; green or red where that is sure.

    Args:
        comparisons: Per pair `first`, `second`, and under `accuracy` and `macro_f1` the
            `difference`, its `interval` and `p_adjusted`.
        level: The level of the intervals; sure is what has a p-value below 1 - `level`.
    """
    title = "Differences between variants, with intervals"
    if not comparisons:
        return nothing(title)

    def estimate(pair: Mapping[str, Any], test: Mapping[str, Any]) -> Estimate:
        gain, bounds = test["difference"], test["interval"]
        is_sure = test["p_adjusted"] < 1 - level
        style = ("sure-better" if gain > 0 else "sure-worse") if is_sure else ""
        return Estimate(pair["first"], gain, bounds, f"minus {pair['second']}", style)

    plots = [
        charts.differences(
            f"difference in {name} (points)", [estimate(it, it[measure]) for it in comparisons]
        )
        for measure, name in MEASURES.items()
    ]
    return draw_dots(title, *plots)


def slices(parts: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Show each variant's accuracy on parts of the posts, with intervals, the first on top.

    Args:
        parts: Per part its posts `n` and, under `variants`, each one's `accuracy` and `intervals`.
    """
    title = "Accuracy on parts of the posts, with intervals"
    if not parts:
        return nothing(title)
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


def search_importances(importances: Mapping[str, float]) -> go.Figure:
    """Show how much each parameter decides which trials are among the best third.

    Args:
        importances: Shares of 1, the largest first.
    """
    title = "Which parameters mattered"
    if not importances:
        return nothing(title)
    shares = {short_parameter(name): share for name, share in importances.items()}
    return draw_bars(title, {"share in being among the best third": shares}, "{:.1%}".format)
