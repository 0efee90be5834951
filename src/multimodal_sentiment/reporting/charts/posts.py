"""What came in: lengths of texts, sizes of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from multimodal_sentiment.wording import exact_percent, rounded_number

from .axes import linear_axis, log_axis, steps_to_fence
from .canvas import Chart
from .colours import group_by_tag, label_styles

_MOST_STEPS = 24
_SQUARES = 32  # along either side
_SHADES = 5


def text_lengths(lengths: ArrayLike, tags: Iterable[object]) -> Chart | None:
    """Draw how long the texts of each tag are.

    Args:
        lengths: Characters of each post, of shape (n,).
        tags: The tags, of shape (n,), None or empty where there is none.
    """
    characters = np.asarray(lengths, dtype=float)
    if not characters.size:
        return None
    step, edges = steps_to_fence(characters, _MOST_STEPS)
    counted = np.minimum(characters, edges[-1] - 1)
    rows_of = group_by_tag(tags)
    heights = {
        tag: (np.histogram(counted[rows], edges)[0] / len(rows)).tolist()
        for tag, rows in rows_of.items()
    }
    most = max(map(max, heights.values()))
    chart = Chart(
        linear_axis(0, float(edges[-1]), "characters"),
        linear_axis(0, most * 1.05, "share of the tag's posts", exact_percent),
    )
    styles = label_styles(heights)
    for tag, shares in heights.items():
        chart.steps(edges.tolist(), shares, styles[tag], tag)
    longer = int((characters >= edges[-1]).sum())
    middle = np.median(characters)
    note = f" The last step holds {longer:,} longer ones." if longer else ""
    return chart.described(
        "Length of the texts",
        f"Steps of {step} characters; half of the texts have {middle:,.0f} or fewer.{note}",
        f"Lengths of {characters.size:,} texts by tag, half at most {middle:,.0f} characters.",
        [(styles[tag], f"{tag} ({len(rows):,})") for tag, rows in rows_of.items()],
    )


def image_sizes(widths: ArrayLike, heights: ArrayLike) -> Chart | None:
    """Draw how large the images are.

    Args:
        widths: Pixels, of shape (n,); 0 or NaN where there is no image.
        heights: The same.
    """
    sides = np.stack([np.asarray(side, dtype=float) for side in (widths, heights)])
    sides = sides[:, (np.nan_to_num(sides) > 0).all(axis=0)]
    if not sides.size:
        return None
    low, high = sides.min() * 0.95, sides.max() * 1.05
    edges = np.geomspace(low, high, _SQUARES + 1)
    counts = np.histogram2d(sides[0], sides[1], bins=[edges, edges])[0]
    chart = Chart(log_axis(low, high, "width (px)"), log_axis(low, high, "height (px)"), height=320)
    chart.line([low, high], [low, high], "rule")
    shades = np.ceil(_SHADES * np.log1p(counts) / np.log1p(counts.max())).astype(int)
    for shade in np.unique(shades[shades > 0]):
        boxes = [
            (edges[column], edges[column + 1], edges[row], edges[row + 1])
            for column, row in np.argwhere(shades == shade)
        ]
        most = counts[shades == shade].max()
        chart.boxes(boxes, f"cell shade-{shade}", f"up to {most:,.0f} images each")
    without = np.size(widths) - sides.shape[1]
    missing = f" {without:,} posts have none." if without else ""
    middle = np.median(sides, axis=1)
    return chart.described(
        "Sizes of the images",
        f"{sides.shape[1]:,} images.{missing} Both scales are logarithmic; dark is where many are, "
        "on the dotted line they are square.",
        f"Sizes of {sides.shape[1]:,} images, in the middle {middle[0]:.0f} by {middle[1]:.0f} px.",
    )


def distributions(what: str, note: str, quantiles: Mapping[str, Sequence[float]]) -> Chart:
    """Draw a number's distribution among validation posts and new ones: how many have at most it.

    Args:
        what: The name of the number.
        note: How the two differ.
        quantiles: Of `validation` and `new`, the number at equal steps from none of the posts to
            all. The outermost steps are left out, which a single odd post would stretch.
    """
    low = min(values[1] for values in quantiles.values())
    high = max(values[-2] for values in quantiles.values())
    chart = Chart(
        linear_axis(low, high, what, rounded_number),
        linear_axis(0, 1, "share of posts", exact_percent),
        height=200,
    )
    for side, style in (("validation", "first"), ("new", "second")):
        shares = np.linspace(0, 1, len(quantiles[side]))
        chart.line(quantiles[side], shares, f"line {style}", f"{side} posts")
    return chart.described(
        what[:1].upper() + what[1:],
        f"{note[:1].upper()}{note[1:]}.",
        f"{what}: {note}",
        [("first", "validation posts"), ("second", "new posts")],
    )
