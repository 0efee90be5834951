"""Tags that may be wrong: those that models doubt, and those that contradict a twin's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .metrics import class_indices


def doubtful_tags(
    tags: Sequence[str], probabilities: ArrayLike, labels: Sequence[str], most: int
) -> pd.DataFrame:
    """Find the posts that models would tag otherwise, those first whose tag they believe least.

    Only models that have not learnt from a post can doubt its tag.
    Source: Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021.

    Args:
        tags: The tags, of shape (n,).
        probabilities: The probabilities by such models, of shape (n, labels).
        labels: The labels, in the order of the columns.
        most: The largest number of posts to find.

    Returns:
        One row per post found: its `position`, the `probability` of its tag, the `answer` and the
        `confidence` of that.
    """
    chances, given = np.asarray(probabilities, dtype=float), class_indices(tags, labels)
    answers = chances.argmax(axis=1)
    own = chances[np.arange(len(given)), given]
    order = np.argsort(own, kind="stable")
    found = order[answers[order] != given[order]][:most]
    return pd.DataFrame(
        {
            "position": found,
            "probability": own[found],
            "answer": np.array(labels, dtype=object)[answers[found]],
            "confidence": chances[found, answers[found]],
        }
    )


def contradicting_duplicates(
    tags: Sequence[str], groups: ArrayLike, most: int
) -> dict[int, list[int]]:
    """Find posts of which a twin has another tag.

    A text that is copied thousands of times needs no person to look at every copy.

    Args:
        tags: The tags, of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        most: The largest number of posts to find of a group; each of its tags has its turn.

    Returns:
        By a post's position those of the found twins whose tags differ from its own; group by
        group.
    """
    posts = pd.DataFrame({"tag": list(tags), "group": np.asarray(groups)})
    torn = posts[posts.groupby("group")["tag"].transform("nunique") > 1]
    turns = torn.groupby(["group", "tag"]).cumcount().sort_values(kind="stable")
    found = torn.loc[turns.index].groupby("group").head(most).sort_index()
    return {
        int(position): [int(other) for other in rows.index[rows["tag"] != rows["tag"][position]]]
        for _, rows in found.groupby("group")
        for position in rows.index
    }
