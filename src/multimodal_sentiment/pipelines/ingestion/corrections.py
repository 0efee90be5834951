"""Tags that a person has corrected."""

from __future__ import annotations

import logging

from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.posts.names import name_posts, shown
from multimodal_sentiment.posts.tag_values import spell_as_labels
from multimodal_sentiment.types import Frame
from multimodal_sentiment.wording import counted

from .labels import one_tag_each, spell_labels

logger = logging.getLogger(__name__)


def record_corrections(
    corrections_file: Frame, posts: Frame, ingestion: IngestionParameters
) -> Frame:
    """Check corrected tags, and keep those that change a post's tag.

    The posts keep the tags of their listing.

    Args:
        corrections_file: `guid, tag, sha256`.
        posts: The posts as they were read.
        ingestion: Names the tags that there may be.

    Returns:
        `guid, tag, original, sha256` (of the file), in the order of the posts.

    Raises:
        ValueError: If a post or a tag is unknown, or a post is given two tags.
    """
    import pandas as pd

    known = {*posts["tag"], *spell_labels(ingestion.labels or [], posts["tag"])}
    tags = spell_as_labels(corrections_file["tag"], known)  # a spreadsheet saves 2 as 2.0
    said = "the file of corrections gives different tags"
    tag_of = one_tag_each(corrections_file["guid"], tags, said)
    if lost := sorted(tag_of.keys() - set(posts["guid"])):
        raise ValueError(
            f"corrections name {name_posts(lost)}, which the labelled listing does not: are they "
            "those of other posts?"
        )
    if wrong := [guid for guid, tag in tag_of.items() if tag not in known]:
        raise ValueError(
            f"corrections give {name_posts(wrong)} the unknown tag {shown(tag_of[wrong[0]])}: use "
            f"{', '.join(sorted(known))}"
        )
    original = dict(zip(posts["guid"], posts["tag"], strict=True))
    changed = [guid for guid in original if tag_of.get(guid, original[guid]) != original[guid]]
    if len(tag_of):
        logger.info(
            "%s corrected; %s nothing",
            counted(len(changed), "tag is", "tags are"),
            counted(len(tag_of) - len(changed), "correction changes", "corrections change"),
        )
    return pd.DataFrame(
        {
            "guid": changed,
            "tag": [tag_of[guid] for guid in changed],
            "original": [original[guid] for guid in changed],
            "sha256": corrections_file["sha256"].iloc[0] if changed else "",
        },
        dtype=str,
    )
