"""Splits that come with the posts: used as they are, whatever twins they divide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from multimodal_sentiment.wording import counted

from .names import first_names, name_posts

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
        raise ValueError(f"two splits are declared for {name_posts(twice)}: keep one line of each")
    without = [guid for guid in tag_of if not split_of.get(guid)]
    if without and any(split_of.values()):
        raise ValueError(
            f"no split is declared for {name_posts(without)}, though one is for others: write "
            "train or validation"
        )
    held_out = np.array([split_of.get(guid) == "validation" for guid in tag_of])
    if not held_out.any():
        return None
    tags = np.array(list(tag_of.values()), object)
    _check_tags(tags[~held_out].tolist(), tags[held_out].tolist())
    return held_out


def refuse_few_tags(tags: Iterable[str], kind: str, least: int) -> None:
    """Refuse posts of which nothing can be learnt.

    Args:
        tags: Their tags.
        kind: What they are called, such as `training post`.
        least: How many of each tag are needed.

    Raises:
        ValueError: If all have one tag, or too few have one.
    """
    counts = Counter(tags).most_common()
    if len(counts) == 1:
        raise ValueError(
            f"every {kind} is tagged {counts[0][0]!r}: there is nothing to learn unless some have "
            "another tag"
        )
    rarest, count = counts[-1]
    if count < least:
        raise ValueError(
            f"only {counted(count, f'{kind} is', f'{kind}s are')} tagged {rarest!r}: at least "
            f"{least} are needed; add posts with that tag, or leave it out"
        )


def _check_tags(train: Sequence[str], validation: Sequence[str]) -> None:
    if not train:
        raise ValueError("every labelled post is a validation post: declare some to be train")
    unknown = sorted(set(validation) - set(train))
    if unknown:
        raise ValueError(
            f"only validation posts have {first_names(unknown)} as tag, which a model would never "
            "learn: add training posts with it, or leave these out"
        )
    refuse_few_tags(train, "training post", _FEWEST)
