"""What a listing says of its posts' tags, and what cannot be learnt from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from multimodal_sentiment.posts.names import name_posts, shown
from multimodal_sentiment.posts.schema import is_tag
from multimodal_sentiment.posts.tag_values import spell_as_labels


def tag_posts(guids: Iterable[str], tags: Sequence[str], labels: Sequence[str]) -> dict[str, str]:
    """Return the tag of each listed post: one of the labels, or empty.

    Args:
        guids: One a line of the listing.
        tags: The same.
        labels: The labels.

    Raises:
        ValueError: If a tag is unknown, or a post is listed under two tags.
    """
    known = set(labels)
    tags = [tag if tag in known or is_tag(tag) else "" for tag in spell_as_labels(tags, known)]
    if unknown := next((tag for tag in tags if tag and tag not in known), ""):
        posts = [guid for guid, tag in zip(guids, tags, strict=True) if tag == unknown]
        near = difflib.get_close_matches(unknown.casefold(), labels, n=1)
        raise ValueError(
            f"unknown tag {shown(unknown)} of {name_posts(posts)}"
            f"{f', did you mean {near[0]!r}?' if near else ''}: use {', '.join(labels)}, or change "
            f"ingestion.labels"
        )
    return one_tag_each(guids, tags)


def one_tag_each(
    guids: Iterable[str], tags: Iterable[str], said: str = "listed under different tags"
) -> dict[str, str]:
    """Return the tag of each guid, in the order of the guids.

    Args:
        guids: One a line.
        tags: The same.
        said: What is said of posts with several.

    Raises:
        ValueError: If a post is listed under two tags.
    """
    tag_of: dict[str, str] = {}
    twice = dict.fromkeys(
        guid for guid, tag in zip(guids, tags, strict=True) if tag_of.setdefault(guid, tag) != tag
    )
    if twice:
        raise ValueError(f"{said}: {name_posts(twice)}: keep one line of each")
    return tag_of


def refuse_untagged(tag_of: Mapping[str, str], labels: Sequence[str]) -> None:
    """Refuse labelled posts of which some have no tag, and a listing without posts.

    Raises:
        ValueError: If one has none, or there is none.
    """
    if not tag_of:
        raise ValueError("the labelled listing lists no post: it needs one line a post, guid,tag")
    untagged = [guid for guid, tag in tag_of.items() if not tag]
    if untagged:
        raise ValueError(
            f"the labelled listing gives no tag to {name_posts(untagged)}: write one of "
            f"{', '.join(labels)}, or list such posts among the unlabelled ones"
        )
