"""The second look: a page on which a person corrects tags, and takes away a file of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from . import charts
from .gallery import ComparedPost
from .templating import render


class Doubt(NamedTuple):
    """Posts to look at together: one, or several that are twins.

    Attributes:
        posts: The posts.
        why: By guid, why a post is worth a look; twins that are only shown beside have none.
        left_out: The number of their twins that are not shown.
    """

    posts: Sequence[ComparedPost]
    why: Mapping[str, str]
    left_out: int = 0


def write_second_look(
    *,
    data: str,
    version: str,
    labels: Sequence[str],
    doubts: Sequence[Doubt],
    left_out: int = 0,
    originals: Mapping[str, str],
    corrections: Mapping[str, str],
) -> str:
    """Write the page of the second look.

    Args:
        data: The name of the posts.
        version: The version of the doubts: what was changed on the page is kept under it.
        labels: The tags that there may be.
        doubts: The posts, in the order in which they are looked at.
        left_out: The number of further groups of twins with different tags.
        originals: The tags of the listing, of all posts shown or corrected before, by guid.
        corrections: The tags corrected before, by guid: the file holds them as well.

    Returns:
        HTML that asks for nothing from any network; its script works from a file.
    """
    posts = [post for doubt in doubts for post in doubt.posts]
    facts = {
        "data": data,
        "version": version,
        "labels": list(labels),
        "originals": dict(originals),
        "corrections": dict(corrections),
        "posts": [
            {"guid": post.guid, "text": post.text, "tag": post.tag, "answers": post.answers}
            for post in posts
        ],
    }
    return render(
        "second_look.html",
        title=f"A second look at the tags of {data}",
        version=version,
        labels=labels,
        styles=charts.label_styles(labels),
        doubts=doubts,
        left_out=left_out,
        facts=facts,
        posts=len(posts),
    )
