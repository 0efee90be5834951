"""What all or most posts of a source lack, before anything is learnt from the rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from multimodal_sentiment.layouts import Contents, PostFiles, PostFolder
from multimodal_sentiment.posts.names import first_names, shown
from multimodal_sentiment.posts.problems import KINDS, Problem
from multimodal_sentiment.wording import counted

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
            without a text, or an image, but not because of a fault of the source: it has no place
            for them, it names some that cannot be had, or the model reads nothing else.

    Raises:
        ValueError: If they have not.
    """
    guids = posts["guid"].tolist()
    unclaimed = post_files.unclaimed(guids)
    if unclaimed:
        logger.info(
            "%s to no post, or cannot be used: %s",
            counted(len(unclaimed), "file belongs", "files belong"),
            first_names(unclaimed, str),
        )
    if post_files.outside:
        logger.info("%s images lie outside of the table's folder", f"{post_files.outside:,}")
    without_image = posts.loc[posts["img_path"] == "", "guid"].tolist()
    sides: list[tuple[str, Contents, list[str]]] = [
        ("text", post_files.texts, list(unread)),
        ("image", post_files.images, without_image),
    ]
    for kind, contents, lacking in sides:
        if modality not in ("both", kind) or len(lacking) <= _MOST * len(guids):
            continue
        words = _explain(kind, lacking, len(guids), contents, unread)
        words += f"; there is {first_names(unclaimed, str)}" if unclaimed else ""
        is_due = tuple(needed) == (kind,) or any(map(contents.is_due, lacking))
        is_fault = to_learn or (len(lacking) == len(guids) and is_due)
        if kind in needed and is_fault:
            ways = [
                f"model.modality={other} learns from the {other}s alone"
                for other in needed
                if other != kind and to_learn
            ]
            ways.append("ingestion.allow_missing=true goes on with what is there")
            raise ValueError(f"{words}; {', and '.join(ways)}")
        logger.warning("%s", words)


def _explain(
    kind: str,
    lacking: Sequence[str],
    total: int,
    contents: Contents,
    unread: Mapping[str, Problem],
) -> str:
    first = lacking[:_SHOWN]
    looked = dict.fromkeys(map(contents.looked_for, first))
    problems = [found for guid in first if (found := contents.problem(guid) or unread.get(guid))]
    reasons = dict.fromkeys(  # without what was looked for, which is said anyway
        KINDS[found.code].title if looked.keys() & {*found.arguments} else found.words
        for found in problems
    )
    return (
        f"{len(lacking):,} of {total:,} posts have no {kind} ({'; '.join(reasons)}): looked for "
        f"{', '.join(looked)}"
    )
