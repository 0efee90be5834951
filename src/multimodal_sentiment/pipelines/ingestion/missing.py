"""What all or most posts of a source lack, before anything is learnt from the rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import pandas as pd

from multimodal_sentiment.layouts import PostFiles, PostFolder
from multimodal_sentiment.posts.names import first_names, shown
from multimodal_sentiment.posts.problems import KINDS, Problem

logger = logging.getLogger(__name__)

_MOST = 0.5  # of the posts
_SHOWN = 3


def refuse_wrong_folder(guids: Collection[str], post_files: PostFiles) -> None:
    """Refuse a folder in which no listed post has a file; a table has its rows in any case.

    Raises:
        ValueError: If it is one.
    """
    if not guids or not isinstance(post_files, PostFolder):
        return
    if not any(guid in post_files.texts or guid in post_files.images for guid in guids):
        raise ValueError(
            f"{post_files.name} holds no text and no image of any listed post, such as "
            f"{shown(f'{next(iter(guids))}.txt')}: is raw the folder above it?"
        )


def report_missing(
    posts: pd.DataFrame,
    unread: Mapping[str, Problem],
    post_files: PostFiles,
    needed: Collection[str],
    modality: str = "both",
    *,
    to_learn: bool = True,
) -> None:
    """Say which files belong to no post, or cannot be used, and what most posts lack.

    Args:
        posts: Rows of `posts.schema.POSTS`.
        unread: Why some texts could not be read, by guid.
        post_files: Where their texts and images were looked for.
        needed: Of `text` and `image`, what the posts must have.
        modality: What the model reads: of the other, nothing is said.
        to_learn: Whether a model learns from them: most must have it then. New posts may all be
            without a text, or an image, but not because of a fault of the source; see `_is_fault`.

    Raises:
        ValueError: If they have not.
    """
    guids, image_paths = posts["guid"].tolist(), posts["img_path"].tolist()
    unclaimed = post_files.unclaimed(guids)
    if unclaimed:
        files = "file belongs" if len(unclaimed) == 1 else "files belong"
        logger.info(
            "%s %s to no post, or cannot be used: %s",
            f"{len(unclaimed):,}",
            files,
            first_names(unclaimed, str),
        )
    if post_files.outside:
        logger.info("%s images lie outside of the table's folder", f"{post_files.outside:,}")
    without_image = [guid for guid, path in zip(guids, image_paths, strict=True) if not path]
    lacking: list[tuple[Literal["text", "image"], Sequence[str]]] = [
        ("text", list(unread)),
        ("image", without_image),
    ]
    for kind, without in lacking:
        if modality in ("both", kind) and len(without) > _MOST * len(guids):
            words = _explain(kind, without, len(guids), post_files, unread, unclaimed)
            is_fault = to_learn or _is_fault(kind, without, len(guids), post_files, needed)
            if kind in needed and is_fault:
                raise ValueError(words + _ways_on(kind, needed, to_learn))
            logger.warning("%s", words)


def _is_fault(
    kind: Literal["text", "image"],
    guids: Sequence[str],
    total: int,
    post_files: PostFiles,
    needed: Collection[str],
) -> bool:
    """Return whether the source is to blame that not one post has a text, or an image.

    It has no place for them, it names some that cannot be had, or the model reads nothing else.
    """
    if len(guids) < total:
        return False
    contents = post_files.texts if kind == "text" else post_files.images
    return (
        not contents.has_place
        or any(contents.is_named(guid) for guid in guids)
        or tuple(needed) == (kind,)
    )


def _explain(
    kind: Literal["text", "image"],
    guids: Sequence[str],
    total: int,
    post_files: PostFiles,
    unread: Mapping[str, Problem],
    unclaimed: Sequence[str],
) -> str:
    contents = post_files.texts if kind == "text" else post_files.images
    first = guids[:_SHOWN]
    looked = dict.fromkeys(contents.looked_for(guid) for guid in first)
    problems = [
        problem for guid in first if (problem := contents.problem(guid) or unread.get(guid))
    ]
    reasons = dict.fromkeys(
        KINDS[problem.code].title if looked.keys() & {*problem.arguments} else problem.words
        for problem in problems
    )
    there = f"; there is {first_names(unclaimed, str)}" if unclaimed else ""
    if any(problem.code == f"{kind}_url" for problem in problems):
        column = "image" if kind == "image" else "text_file"
        there += f"; download them, and name the column of their paths with columns.{column}=NAME"
    return (
        f"{len(guids):,} of {total:,} posts have no {kind} ({'; '.join(reasons)}): looked for "
        f"{', '.join(looked)}{there}"
    )


def _ways_on(kind: str, needed: Collection[str], to_learn: bool) -> str:
    others = [other for other in needed if other != kind]
    if not to_learn:
        source = f" from the {others[0]}s alone" if others else ""
        return f"; ingestion.allow_missing=true answers{source}"
    alone = [f"model.modality={other} learns from the {other}s alone, and " for other in others]
    return f"; {''.join(alone)}ingestion.allow_missing=true goes on with what is there"
