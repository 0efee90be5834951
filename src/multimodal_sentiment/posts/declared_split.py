"""Splits that come with the posts: used as they are, whatever twins they divide."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TRAIN, VALIDATION = "train", "validation"

_FEWEST = 2  # training posts of a tag: something to learn from, and something to choose on
_NAMED = 3  # guids or tags in a message


def find_validation_posts(posts: pd.DataFrame, declared: pd.DataFrame) -> NDArray[np.bool_] | None:
    """Find the posts that are declared to be validation posts.

    Args:
        posts: One row a post, with `guid` and `tag`.
        declared: `guid, split`, which is `train` or `validation`; empty where none is declared.

    Returns:
        Whether each post is one, of shape (posts,); None if no validation posts are declared, and
        they are still to be drawn.

    Raises:
        ValueError: If a post is declared to be both, or some are neither; or if there is nothing to
            learn from, or a tag that only validation posts have.
    """
    declared = declared[["guid", "split"]].drop_duplicates()
    twice = declared["guid"][declared["guid"].duplicated()]
    if len(twice):
        raise ValueError(f"{_some(twice, 'post')} in two splits: keep one line of each")
    split = posts["guid"].map(declared.set_index("guid")["split"]).fillna("")
    if not (split == VALIDATION).any():
        return None
    without = posts["guid"][split == ""]
    if len(without):
        raise ValueError(
            f"{_some(without, 'post')} in no split, though others are: write train or validation"
        )
    held_out = (split == VALIDATION).to_numpy()
    _check_tags(posts["tag"][~held_out], posts["tag"][held_out])
    return held_out


def _check_tags(train: pd.Series[str], validation: pd.Series[str]) -> None:
    counts = train.value_counts()
    if counts.empty:
        raise ValueError("every labelled post is a validation post: declare some to be train")
    unknown = sorted(set(validation) - set(counts.index))
    if unknown:
        raise ValueError(
            f"{_some(pd.Series(unknown), 'tag')} only validation posts: a model would never learn "
            f"of it; add training posts with that tag, or leave these out"
        )
    if len(counts) == 1:
        raise ValueError(
            f"every training post is tagged {counts.index[0]!r}: there is nothing to learn unless "
            f"some have another tag"
        )
    if counts.iloc[-1] < _FEWEST:
        raise ValueError(
            f"only {counts.iloc[-1]} training post is tagged {counts.index[-1]!r}: learning and "
            f"choosing need one each; add posts with that tag, or leave it out"
        )


def _some(names: pd.Series[str], kind: str) -> str:
    """The first few names and how many more there are, and the verb that follows."""
    one = len(names) == 1
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    verb = {"post": ("stands", "stand"), "tag": ("is that of", "are those of")}[kind][not one]
    return f"{kind}{'' if one else 's'} {', '.join(map(repr, names[:_NAMED]))}{more} {verb}"
