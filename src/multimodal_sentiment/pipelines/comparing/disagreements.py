"""What each variant answers for a post, and the posts on which two of them disagree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def mean_probabilities(predictions: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return the means over the seeds: `p_<label>...` by variant and guid."""
    columns = [f"p_{label}" for label in labels]
    return predictions.groupby(["variant", "guid"], sort=False)[columns].mean()


def find_disagreements(
    probabilities: pd.DataFrame, tags: pd.Series[str], first: str, second: str, most: int
) -> tuple[list[str], list[str]]:
    """Find the posts that one of two variants answers rightly, and the other wrongly.

    Args:
        probabilities: By `mean_probabilities`.
        tags: The posts' tags, by guid.
        first: A variant.
        second: Another.
        most: The largest number of posts to find of either kind.

    Returns:
        The guids of posts that the first is right about, and of those that the second is: those
        first on which the probabilities that they give to the tag differ most.
    """
    import pandas as pd

    chances = [
        probabilities[probabilities.index.get_level_values("variant") == variant].droplevel(0)
        for variant in (first, second)
    ]
    labels = [str(name).removeprefix("p_") for name in probabilities]
    known = chances[0].index.intersection(chances[1].index)
    truth = tags.loc[known]
    right, own = [], []
    for given in chances:
        by_label = given.loc[known].set_axis(labels, axis=1)
        right.append(by_label.idxmax(axis=1) == truth)
        places = [labels.index(tag) for tag in truth]
        own.append(pd.Series(by_label.to_numpy()[range(len(known)), places], known))
    gain = (own[0] - own[1]).sort_values(kind="stable")
    helped = gain.index[(right[0] & ~right[1]).loc[gain.index]][::-1][:most]
    misled = gain.index[(right[1] & ~right[0]).loc[gain.index]][:most]
    return helped.tolist(), misled.tolist()
