"""Splits that come with the posts: used as they are, whatever twins they divide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .names import first_names

if TYPE_CHECKING:
    import pandas as pd

_FEWEST = 2  # training posts of a tag: something to learn from, and something to choose on


def find_validation_posts(
    tag_of: Mapping[str, str], declared: pd.DataFrame
) -> NDArray[np.bool_] | None:
    """Find the posts that are declared to be validation posts.

    Args:
        tag_of: The tag of each post, by guid.
        declared: `guid, split`, which is `train` or `validation`; empty where none is declared.

    Returns:
        Whether each post is one, of shape (posts,); None if no validation posts are declared, and
        they are still to be drawn.

    Raises:
        ValueError: If a post is declared to be both, or some are neither; or if there is nothing to
            learn from, or a tag that only validation posts have.
    """
    split_of: dict[str, str] = {}
    rows = zip(declared["guid"], declared["split"], strict=True)
    twice = [guid for guid, split in rows if split_of.setdefault(guid, split) != split]
    if twice:
        raise ValueError(f"{_some(twice, 'post')} in two splits: keep one line of each")
    without = [guid for guid in tag_of if not split_of.get(guid)]
    if without and any(split_of.values()):
        raise ValueError(
            f"{_some(without, 'post')} in no split, though others are: write train or validation"
        )
    held_out = np.array([split_of.get(guid) == "validation" for guid in tag_of])
    if not held_out.any():
        return None
    tags = np.array(list(tag_of.values()), object)
    _check_tags(tags[~held_out].tolist(), tags[held_out].tolist())
    return held_out


def _check_tags(train: Sequence[str], validation: Sequence[str]) -> None:
    counts = Counter(train).most_common()
    if not counts:
        raise ValueError("every labelled post is a validation post: declare some to be train")
    unknown = sorted(set(validation) - set(train))
    if unknown:
        raise ValueError(
            f"{_some(unknown, 'tag')} only validation posts: a model would never learn "
            f"of it; add training posts with that tag, or leave these out"
        )
    if len(counts) == 1:
        raise ValueError(
            f"every training post is tagged {counts[0][0]!r}: there is nothing to learn unless "
            f"some have another tag"
        )
    rarest, count = counts[-1]
    if count < _FEWEST:
        raise ValueError(
            f"only {count} training post is tagged {rarest!r}: learning and "
            f"choosing need one each; add posts with that tag, or leave it out"
        )


def _some(names: Sequence[str], kind: str) -> str:
    """Return the first few names and how many more there are, and the verb that follows."""
    one = len(names) == 1
    verb = {"post": ("stands", "stand"), "tag": ("is that of", "are those of")}[kind][not one]
    return f"{kind}{'' if one else 's'} {first_names(names)} {verb}"
