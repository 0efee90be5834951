"""What came in: lengths of texts, sizes of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from multimodal_sentiment.wording import exact_percent

from .axes import linear_axis, log_axis, steps_to_fence
from .canvas import Canvas, Chart
from .colours import label_styles

_MOST_STEPS = 24
_SQUARES = 32  # along either side
_SHADES = 5


def text_lengths(lengths: ArrayLike, tags: Sequence[str]) -> Chart | None:
    """Draw how long the texts of each tag are.

    Args:
        lengths: Characters of each post, of shape (n,).
        tags: The tags, of shape (n,).
    """
    characters, names = np.asarray(lengths, dtype=float), np.asarray(tags, dtype=object)
    if not characters.size:
        return None
    step, edges = steps_to_fence(characters, _MOST_STEPS)
    counted = np.minimum(characters, edges[-1] - 1)
    heights = {tag: _shares(counted[names == tag], edges) for tag in sorted(set(names))}
    canvas = Canvas(
        linear_axis(0, float(edges[-1]), "characters"),
        linear_axis(
            0, max(map(max, heights.values())) * 1.05, "share of the tag's posts", exact_percent
        ),
    )
    styles = label_styles(heights)
    for tag, shares in heights.items():
        canvas.steps(edges.tolist(), shares, styles[tag], tag)
    longer = int((characters >= edges[-1]).sum())
    middle = np.median(characters)
    note = f" The last step holds {longer:,} longer ones." if longer else ""
    return canvas.chart(
        "Length of the texts",
        f"Training and validation posts. Steps of {step} characters; half of the texts have "
        f"{middle:,.0f} or fewer.{note}",
        f"Lengths of {characters.size:,} texts by tag, half at most {middle:,.0f} characters.",
        [(styles[tag], f"{tag} ({int((names == tag).sum()):,})") for tag in heights],
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
    canvas = Canvas(
        log_axis(low, high, "width (px)"), log_axis(low, high, "height (px)"), height=320
    )
    canvas.line([low, high], [low, high], "rule")
    shades = np.ceil(_SHADES * np.log1p(counts) / np.log1p(counts.max())).astype(int)
    for shade in range(1, _SHADES + 1):
        boxes = [
            (edges[column], edges[column + 1], edges[row], edges[row + 1])
            for column, row in np.argwhere(shades == shade)
        ]
        if boxes:
            canvas.cells(boxes, f"shade-{shade}")
    without = np.size(widths) - sides.shape[1]
    missing = f" {without:,} posts have none." if without else ""
    middle = np.median(sides, axis=1)
    return canvas.chart(
        "Sizes of the images",
        "Training and validation posts. Both scales are logarithmic; dark is where many are, on "
        f"the dotted line they are square.{missing}",
        f"Sizes of {sides.shape[1]:,} images, in the middle {middle[0]:.0f} by {middle[1]:.0f} px.",
    )


def _shares(part: np.ndarray, edges: np.ndarray) -> list[float]:
    shares: list[float] = (np.histogram(part, edges)[0] / max(len(part), 1)).tolist()
    return shares
