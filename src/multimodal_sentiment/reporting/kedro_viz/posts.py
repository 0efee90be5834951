"""What came in: tags, encodings, lengths of texts, sizes of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from ..charts.axes import steps_to_fence
from .theme import (
    BLUE,
    COVER,
    GREY,
    categories,
    colours,
    figure,
    log_axis,
    named_ticks,
    nothing,
    panels,
    shown,
)

_MOST_ENCODINGS = 10
_MOST_STEPS = 30
_SURE = ((0, "under 50%"), (0.5, "50 to 90%"), (0.9, "90 to 99%"), (0.99, "99% and more"))
_CHARDETS = ("same text", "another text", "no text")


def class_balance(tags: Iterable[object], title: str = "Class balance") -> go.Figure:
    """Show how many posts each label has; posts without a tag are counted as such.

    Args:
        tags: One a post.
        title: The title, which says what the labels are to the posts.
    """
    counts = pd.Series(categories(tags)).value_counts(sort=False)
    if counts.empty:
        return nothing(title, "There are no posts.")
    total = int(counts.sum())
    bars = go.Bar(
        x=list(range(len(counts))),
        y=counts.tolist(),
        marker_color=list(colours(counts.index).values()),
        text=[f"{count:,} ({count / total:.1%})" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y:,} posts<extra></extra>",
    )
    return figure(
        f"{title} of {total:,} posts",
        bars,
        xaxis={"title": {"text": "tag"}, **named_ticks(counts.index)},
        yaxis={"title": {"text": "posts"}, "tickformat": ","},
        bargap=0.35,
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
    counts = pd.Series(list(names), dtype=object).replace("", "none").value_counts()
    if counts.empty:
        return nothing("Encodings of the texts", "There are no texts.")
    most = counts.iloc[:_MOST_ENCODINGS]
    if len(counts) > len(most):
        most = pd.concat([most, pd.Series({"all others": counts.iloc[_MOST_ENCODINGS:].sum()})])
    certain = np.clip(np.asarray(confidences, dtype=float), 0, 1)
    heights, _ = np.histogram(certain[np.isfinite(certain)], bins=[edge for edge, _ in _SURE] + [1])
    sure = pd.Series(heights, [name for _, name in _SURE])
    chardets = pd.Series({name: chardet_alone[name] for name in _CHARDETS}, dtype=int)
    asked = f"chardet alone, of {chardet_alone['posts_asked']:,} texts not ASCII"
    parts = [
        ("texts in each encoding", most),
        ("texts by confidence of their reading", sure[sure > 0]),
        (asked, chardets),
    ]
    # One bar says nothing that its number does not say, and no bar nothing at all.
    parts = [(title, bars) for title, bars in parts if len(bars) > 1 and bars.any()] or parts[:1]

    # One below the other: side by side they cannot be read in a panel of Kedro-Viz.
    made = panels(
        f"Encodings of {counts.sum():,} texts",
        len(parts),
        1,
        row_heights=[len(bars) + 1 for _, bars in parts],
        vertical_spacing=0.3 / len(parts),
    )
    for row, (title, bars) in enumerate(parts, start=1):
        _counted_names(made, bars, title, row)
    height = 90 + sum(110 + 26 * len(bars) for _, bars in parts)
    return made.update_layout(showlegend=False, bargap=0.2, height=height)


def _counted_names(made: go.Figure, counts: pd.Series[int], title: str, row: int) -> None:
    """Add a panel of one bar a name, the first at the top, each with its number beside it."""
    counts = counts.iloc[::-1]  # bars grow from the bottom
    made.add_bar(
        x=counts.tolist(),
        y=list(range(len(counts))),
        orientation="h",
        marker_color=BLUE,
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x:,} texts<extra></extra>",
        row=row,
        col=1,
    )
    room = [0, 1.18 * max(int(counts.max()), 1)]
    made.update_xaxes(title_text=title, range=room, nticks=5, row=row, col=1)
    made.update_yaxes(**named_ticks(counts.index), row=row, col=1)


def text_lengths(lengths: ArrayLike, tags: Iterable[object]) -> go.Figure:
    """Show how long the texts are, by tag.

    Args:
        lengths: Characters of each post, of shape (n,).
        tags: The tags, of shape (n,), None or empty where there is none.
    """
    characters = np.asarray(lengths, dtype=float)
    if not characters.size:
        return nothing("Length of the texts", "There are no texts.")
    step, edges = steps_to_fence(characters, _MOST_STEPS)
    counted = np.minimum(characters, edges[-1] - 1)
    names = categories(tags)
    parts = {tag: counted[names == tag] for tag in names.categories}
    colour_of = colours(parts)
    traces = [
        go.Scatter(
            x=edges.tolist(),
            y=_steps(np.histogram(part, edges)[0] / len(part)),
            name=f"{shown(tag)} ({len(part):,})",
            line={"color": colour_of[tag], "shape": "hv", "width": 2},
            mode="lines",
            customdata=(edges + step - 1).tolist(),
            hovertemplate="%{y:.1%} have %{x} to %{customdata} characters",
        )
        for tag, part in parts.items()
    ]
    longer = int((characters >= edges[-1]).sum())
    note = f"; the last holds {longer:,} longer texts" if longer else ""
    return figure(
        "Length of the texts",
        *traces,
        xaxis={"title": {"text": f"characters (steps of {step}{note})"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "share of the tag's posts"}, "tickformat": ".0%"},
        hovermode="x",
        showlegend=True,
    )


def image_sizes(widths: ArrayLike, heights: ArrayLike) -> go.Figure:
    """Show how large the images are.

    Args:
        widths: Pixels, of shape (n,); 0 or NaN where there is no image.
        heights: The same.
    """
    sides = np.stack([np.asarray(side, dtype=float) for side in (widths, heights)])
    sides = sides[:, (np.nan_to_num(sides) > 0).all(axis=0)]
    without = np.size(widths) - sides.shape[1]
    if not sides.size:
        return nothing("Sizes of the images", "There are no images.")
    # Steps of equal ratio, over the same range for both sides.
    edges = np.geomspace(sides.min() * 0.97, sides.max() * 1.03, 41)
    counts = np.histogram2d(sides[0], sides[1], bins=[edges, edges])[0].T
    middles = np.sqrt(edges[:-1] * edges[1:])
    density = go.Heatmap(
        x=edges.tolist(),
        y=edges.tolist(),
        z=[[float(np.log10(n)) if n else None for n in row] for row in counts],
        customdata=counts.astype(int).tolist(),
        colorscale=COVER,
        colorbar={"title": "images", "outlinewidth": 0, **_count_ticks(counts.max())},
        hoverongaps=False,
        hovertemplate="%{customdata:,} images of about %{x:.0f} x %{y:.0f} pixels<extra></extra>",
    )
    square = go.Scatter(
        x=middles[[0, -1]].tolist(),
        y=middles[[0, -1]].tolist(),
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1},
        hoverinfo="skip",
    )
    missing = f", {without:,} posts have none" if without else ""
    return figure(
        f"Sizes of {sides.shape[1]:,} images{missing}",
        density,
        square,
        xaxis=log_axis(edges[0], edges[-1], "width (pixels, log scale)"),
        yaxis=log_axis(edges[0], edges[-1], "height (pixels, log scale)"),
        showlegend=False,
    )


def _steps(heights: np.ndarray) -> list[float]:
    return [*heights.tolist(), float(heights[-1])]  # the last step is as wide as the others


def _count_ticks(most: float) -> dict[str, object]:
    ticks = [n for n in (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000) if n <= most]
    return {"tickvals": np.log10(ticks).tolist(), "ticktext": [f"{tick:,}" for tick in ticks]}
