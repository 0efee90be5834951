"""What a listing says of its posts' tags, and what cannot be learnt from."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from multimodal_sentiment.posts.names import name_posts, shown
from multimodal_sentiment.posts.schema import is_tag
from multimodal_sentiment.posts.tag_values import spell_as_labels

_FEWEST = 3  # posts of a tag that training can do with


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
        _refuse_unknown(unknown, posts, labels)
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


def refuse_unsplittable(tag_of: Mapping[str, str]) -> None:
    """Say now what the split would find out only after all images have been decoded.

    Raises:
        ValueError: If there is one tag only, or too few posts of one.
    """
    counts = Counter(tag_of.values()).most_common()
    if len(counts) == 1:
        raise ValueError(
            f"the labelled listing tags every post {counts[0][0]!r}: there is nothing to learn "
            f"unless some have another tag"
        )
    rarest, count = counts[-1]
    if count < _FEWEST:
        raise ValueError(
            f"only {count} {'post is' if count == 1 else 'posts are'} tagged {rarest!r}: learning, "
            f"tuning and validation need one each; add posts with that tag, or leave it out"
        )


def _refuse_unknown(tag: str, guids: Sequence[str], labels: Sequence[str]) -> None:
    near = difflib.get_close_matches(tag.casefold(), labels, n=1)
    raise ValueError(
        f"unknown tag {shown(tag)} of {name_posts(guids)}"
        f"{f', did you mean {near[0]!r}?' if near else ''}: use {', '.join(labels)}, or change "
        f"ingestion.labels"
    )
