"""Nodes of the splitting pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.parameters import SplittingParameters
from multimodal_sentiment.types import Examples, Frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

logger = logging.getLogger(__name__)

_FAR_OFF = 0.02  # from the share of validation posts that was asked for


def split_posts(
    examples: Examples,
    groups: Frame,
    declared_split: Frame,
    splitting: SplittingParameters,
    corrections: Frame | None = None,
) -> tuple[Frame, Frame]:
    """Divide the posts into training and validation posts, each in the listing's order.

    Where the posts' source declares validation posts, these are taken as they are. Else they are
    drawn: twins stay together, and both sides hold about the same share of each tag. Corrected tags
    take the place of the original ones on both sides; which side a post is on does not depend on
    them.

    Raises:
        ValueError: If a tag has too few posts for that, or the declared split cannot be used; if
            corrections leave no training post of a tag by which validation posts are judged.
    """
    from multimodal_sentiment.posts.declared_split import find_validation_posts
    from multimodal_sentiment.posts.schema import POSTS

    posts = examples.select(list(POSTS)).to_pandas()
    group = posts["guid"].map(groups.set_index("guid")["group"])
    held_out = find_validation_posts(
        dict(zip(posts["guid"], posts["tag"], strict=True)), declared_split
    )
    is_declared = held_out is not None
    if held_out is None:
        held_out = _draw(posts["tag"], group, splitting)
    if corrections is not None:
        corrected = posts["guid"].map(corrections.set_index("guid")["tag"])
        given = posts["tag"]
        posts["tag"] = corrected.fillna(given)
        _refuse_unlearnt(posts["tag"], given, held_out)
    train, validation = posts[~held_out], posts[held_out]
    logger.info(
        "%s training and %s validation posts (%.1f%%)%s",
        f"{len(train):,}",
        f"{len(validation):,}",
        100 * len(validation) / len(posts),
        ", as their source declares them" if is_declared else "",
    )
    if corrections is not None and len(corrections):
        logger.info(
            "Tags as corrected: %s of the training and %s of the validation posts",
            *(f"{part['guid'].isin(corrections['guid']).sum():,}" for part in (train, validation)),
        )
    twins = int(group[held_out].isin(group[~held_out]).sum())
    if twins:
        logger.warning(
            "%s validation posts have a twin among the training posts: the declared split is used "
            "as it is, and the metrics say how good the model is without these",
            f"{twins:,}",
        )
    return train.reset_index(drop=True), validation.reset_index(drop=True)


def _refuse_unlearnt(
    corrected: pd.Series[str], given: pd.Series[str], held_out: np.ndarray
) -> None:
    """Refuse corrections that leave no training post of a validation post's tag, old or new."""
    learnt = set(corrected[~held_out])
    for tags in (corrected, given):
        lost = tags[held_out & ~tags.isin(learnt)]
        if len(lost):
            raise ValueError(
                f"corrections: no training post has the tag {lost.iloc[0]!r} after them, and "
                f"{len(lost):,} validation posts are judged by it: correct training posts to it, "
                "too; to merge two tags, write one in place of the other in the listing itself"
            )


def _draw(
    tags: pd.Series[str], group: pd.Series[Any], splitting: SplittingParameters
) -> np.ndarray:
    """Draw the validation posts; say so if their share is not what was asked for."""
    from multimodal_sentiment.posts.split import grouped_split

    fraction = splitting.validation_fraction
    held_out = grouped_split(tags, group, fraction, splitting.seed)
    if abs(held_out.mean() - fraction) > _FAR_OFF:
        logger.warning(
            "Validation posts are %.1f%% of all instead of %.1f%%: each tag needs posts on both "
            "sides, and no group of twins is divided (the largest holds %s posts)",
            100 * held_out.mean(),
            100 * fraction,
            f"{group.value_counts().iloc[0]:,}",
        )
    return held_out
