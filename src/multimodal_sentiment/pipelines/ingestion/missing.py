"""What most posts of a source lack, before anything is learnt from the rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import pandas as pd

from multimodal_sentiment.layouts import PostFiles
from multimodal_sentiment.posts.names import first_names

logger = logging.getLogger(__name__)

_MOST = 0.5  # of the posts
_SHOWN = 3


def report_missing(
    posts: pd.DataFrame,
    without_text: Iterable[str],
    post_files: PostFiles,
    needed: Collection[str],
) -> None:
    """Say which files belong to no post, and what most posts lack.

    Args:
        posts: Rows of `posts.schema.POSTS`.
        without_text: The guids of those whose text could not be read.
        post_files: Where their texts and images were looked for.
        needed: Of `text` and `image`, what most posts must have.

    Raises:
        ValueError: If they have not.
    """
    guids, image_paths = posts["guid"].tolist(), posts["img_path"].tolist()
    unclaimed = post_files.unclaimed(guids)
    if unclaimed:
        files = "file belongs" if len(unclaimed) == 1 else "files belong"
        logger.info(
            "%s %s to no post: %s", f"{len(unclaimed):,}", files, first_names(unclaimed, str)
        )
    if post_files.outside:
        logger.info("%s images lie outside of the table's folder", f"{post_files.outside:,}")
    without_image = [guid for guid, path in zip(guids, image_paths, strict=True) if not path]
    lacking: list[tuple[Literal["text", "image"], Sequence[str]]] = [
        ("text", list(without_text)),
        ("image", without_image),
    ]
    for kind, without in lacking:
        if len(without) > _MOST * len(guids):
            words = _explain(kind, without, len(guids), post_files, unclaimed)
            if kind in needed:
                raise ValueError(
                    f"{words}; ingestion.allow_missing=true goes on with what is there"
                )
            logger.warning("%s", words)


def _explain(
    kind: Literal["text", "image"],
    guids: Sequence[str],
    total: int,
    post_files: PostFiles,
    unclaimed: Sequence[str],
) -> str:
    contents = post_files.texts if kind == "text" else post_files.images
    first = guids[:_SHOWN]
    looked = ", ".join(contents.looked_for(guid) for guid in first)
    reasons = dict.fromkeys(
        reason.words for guid in first if (reason := contents.problem(guid)) is not None
    )
    there = f"there is {first_names(unclaimed, str)}" if unclaimed else "there is nothing else"
    return (
        f"{len(guids):,} of {total:,} posts have no {kind} ({'; '.join(reasons)}): looked for "
        f"{looked}; {there}"
    )
