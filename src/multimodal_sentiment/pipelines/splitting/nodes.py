"""Nodes of the splitting pipeline."""

from __future__ import annotations

import logging

from multimodal_sentiment.parameters import SplittingParameters
from multimodal_sentiment.types import Examples, Frame

logger = logging.getLogger(__name__)

_FAR_OFF = 0.02  # from the share of validation posts that was asked for


def split_posts(
    examples: Examples,
    groups: Frame,
    splitting: SplittingParameters,
    corrections: Frame | None = None,
) -> tuple[Frame, Frame]:
    """Divide the posts into training and validation posts, each in the listing's order.

    Twins stay together, and both sides hold about the same share of each tag. Corrected tags take
    the place of the original ones on both sides; which side a post is on does not depend on them.

    Raises:
        ValueError: If a tag has too few posts for that.
    """
    from multimodal_sentiment.posts.schema import POSTS
    from multimodal_sentiment.posts.split import grouped_split

    posts = examples.select(list(POSTS)).to_pandas()
    group = posts["guid"].map(groups.set_index("guid")["group"])
    held_out = grouped_split(posts["tag"], group, splitting.validation_fraction, splitting.seed)
    if corrections is not None:
        corrected = posts["guid"].map(corrections.set_index("guid")["tag"])
        posts["tag"] = corrected.fillna(posts["tag"])
    train, validation = posts[~held_out], posts[held_out]
    logger.info(
        "%s training and %s validation posts (%.1f%%)",
        f"{len(train):,}",
        f"{len(validation):,}",
        100 * len(validation) / len(posts),
    )
    if corrections is not None and len(corrections):
        logger.info(
            "Tags as corrected: %s of the training and %s of the validation posts",
            *(f"{part['guid'].isin(corrections['guid']).sum():,}" for part in (train, validation)),
        )
    share = len(validation) / len(posts)
    if abs(share - splitting.validation_fraction) > _FAR_OFF:
        logger.warning(
            "Validation posts are %.1f%% of all instead of %.1f%%: the largest group of twins "
            "holds %s posts, and no group is divided",
            100 * share,
            100 * splitting.validation_fraction,
            f"{group.value_counts().iloc[0]:,}",
        )
    return train.reset_index(drop=True), validation.reset_index(drop=True)
