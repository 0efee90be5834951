"""What a listing says of its posts' tags, and what cannot be learnt from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import pandas as pd

# What listings hold where there is no tag, in any case.
NO_TAG = frozenset({"", "null", "none", "nan", "?"})

_FEWEST = 3  # posts of a tag that training can do with
_NAMED = 3  # guids in a message
_LONGEST = 40  # characters of a name in a message


def is_tag(tag: str) -> bool:
    """Return whether this is a tag, and no word for there being none."""
    return tag.casefold() not in NO_TAG


def with_known_tags(listing: pd.DataFrame, labels: list[str] | None) -> pd.DataFrame:
    """Return the listing with every tag one of the labels, or empty.

    Args:
        listing: One row a post, with its `tag`.
        labels: The labels; None if any tag is one.

    Raises:
        ValueError: If a tag is unknown.
    """
    if labels is None:
        return listing.assign(tag=listing["tag"].where(listing["tag"].map(is_tag), ""))

    def known(tag: str) -> str | None:
        return tag if tag in labels else None if is_tag(tag) else ""

    tags = listing["tag"].map({tag: known(tag) for tag in listing["tag"].unique()})
    unknown = listing[tags.isna()]
    if len(unknown):
        tag = unknown["tag"].iloc[0]
        near = difflib.get_close_matches(tag.casefold(), labels, n=1)
        raise ValueError(
            f"unknown tag {shown(tag)} of {name_posts(unknown['guid'][unknown['tag'] == tag])}"
            f"{f', did you mean {near[0]!r}?' if near else ''}: use {', '.join(labels)}, "
            f"or change ingestion.labels"
        )
    return listing.assign(tag=tags)


def one_tag_each(listing: pd.DataFrame) -> dict[str, str]:
    """Return the tag of each guid.

    Raises:
        ValueError: If a post is listed under two tags.
    """
    pairs = listing.drop_duplicates()
    twice = pairs["guid"][pairs["guid"].duplicated()].drop_duplicates()
    if len(twice):
        raise ValueError(f"listed under different tags: {name_posts(twice)}: keep one line of each")
    return dict(zip(pairs["guid"].tolist(), pairs["tag"].tolist(), strict=True))


def refuse_empty(listing: pd.DataFrame) -> None:
    """Refuse a labelled listing without posts.

    Raises:
        ValueError: If it has none.
    """
    if listing.empty:
        raise ValueError("the labelled listing lists no post: it needs one line a post, guid,tag")


def refuse_untagged(listing: pd.DataFrame, labels: list[str]) -> None:
    """Refuse labelled posts of which some have no tag.

    Raises:
        ValueError: If one has none.
    """
    untagged = listing["guid"][listing["tag"] == ""]
    if len(untagged):
        raise ValueError(
            f"the labelled listing gives no tag to {name_posts(untagged)}: write one of "
            f"{', '.join(labels)}, or list such posts among the unlabelled ones"
        )


def refuse_unsplittable(listing: pd.DataFrame) -> None:
    """Say now what the split would find out only after all images have been decoded.

    Raises:
        ValueError: If there is one tag only, or too few posts of one.
    """
    counts = listing.drop_duplicates("guid")["tag"].value_counts()
    if len(counts) == 1:
        raise ValueError(
            f"the labelled listing tags every post {counts.index[0]!r}: there is nothing to learn "
            f"unless some have another tag"
        )
    if counts.iloc[-1] < _FEWEST:
        posts = "post is" if counts.iloc[-1] == 1 else "posts are"
        raise ValueError(
            f"only {counts.iloc[-1]} {posts} tagged {counts.index[-1]!r}: learning, tuning and "
            f"validation need one each; add posts with that tag, or leave it out"
        )


def shown(name: str) -> str:
    """Return a name as a message shows it, cut where it is long."""
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}...")


def name_posts(guids: Iterable[str]) -> str:
    """Return the first few guids and how many more there are, for a message."""
    guids = list(guids)
    more = f" and {len(guids) - _NAMED:,} more" if len(guids) > _NAMED else ""
    posts = "post" if len(guids) == 1 else "posts"
    return f"{posts} {', '.join(map(shown, guids[:_NAMED]))}{more}"
