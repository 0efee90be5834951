"""Which labels there are, and which of them each post has.

Labels are those that the user names, else the course's, else a table's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from multimodal_sentiment.parameters import Label
from multimodal_sentiment.posts.names import name_posts, shown
from multimodal_sentiment.posts.schema import is_tag
from multimodal_sentiment.posts.tag_values import count_labels, spell_as_labels
from multimodal_sentiment.wording import did_you_mean

COURSE_LABELS = ("negative", "neutral", "positive")

# A label of so few posts, and so small a share, is rather a mistake than a label.
_FEW_POSTS = 10
_FEW_SHARE = 0.01
_SHORTEST_WORD = 4  # in which one letter is rather a slip than another word
_MOST_COMPARED = 300  # labels; where there are more, the column is none of labels
_MOST_SHOWN = 3
_MOST_NAMED = 20  # labels in a message


def named_labels(named: Sequence[Label] | None, layout: str) -> Sequence[Label] | None:
    """Return the labels that are known before any tag is read; None if tags are to tell them.

    Args:
        named: By the user; None if there are none.
        layout: The layout of the posts; the course's has labels of its own.
    """
    return named or (COURSE_LABELS if layout == "course" else None)


def spell_labels(named: Sequence[Label], tags: Iterable[str]) -> list[str]:
    """Return labels as the tags spell them.

    YAML takes `0` for a number and `yes` for true. Such a label stands for the tag that YAML would
    take for the same.

    Args:
        named: The labels, as YAML has read them.
        tags: The tags of the posts.

    Raises:
        ValueError: If one stands for several tags.
    """
    present = set(count_labels(tags))
    return [label if isinstance(label, str) else _spell(label, present) for label in named]


def find_labels(tags: Iterable[str]) -> list[str]:
    """Return the labels that tags amount to, sorted.

    Tags of the same value are one label, spelled as most posts have it.

    Args:
        tags: One a post.

    Raises:
        ValueError: If some look like mistakes: held by few posts, or nearly equal to another; or
            like measurements.
    """
    counts = count_labels(tags)
    labels = sorted(counts)
    doubts = [*_near_others(counts), *_of_few_posts(counts)]
    are_many = len(labels) > min(_MOST_NAMED, sum(counts.values()) / 2)
    if (fraction := _fraction(labels)) and (doubts or are_many):
        raise ValueError(
            f"the tags are numbers, such as {fraction}: tags are classes, and numbers are not "
            "predicted (no regression): put a class in their place, such as negative, neutral or "
            "positive; if tags stand in another column, name that in columns.tag; if these are "
            f"classes, name them{_example(labels)}"
        )
    if doubts:
        more = f"; and {len(doubts) - _MOST_SHOWN:,} more" if len(doubts) > _MOST_SHOWN else ""
        raise ValueError(
            f"{'; '.join(doubts[:_MOST_SHOWN])}{more}: if this is a mistake, mend it, and if tags "
            f"stand in another column, name that in columns.tag; else name the labels that are "
            f"meant{_example(labels)}"
        )
    return labels


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
        meant = did_you_mean(unknown.casefold(), labels)
        raise ValueError(
            f"unknown tag {shown(unknown)} of {name_posts(posts)}: use {', '.join(labels)}, or "
            f"change ingestion.labels{f': {meant}' if meant else ''}"
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


def _spell(label: bool | int | float, tags: set[str]) -> str:
    import yaml

    def is_meant(tag: str) -> bool:
        try:
            value = yaml.safe_load(tag)
        except yaml.YAMLError:
            return False
        return type(value) is type(label) and value == label

    if str(label) in tags:
        return str(label)
    meant = sorted(filter(is_meant, tags))
    if len(meant) > 1:
        raise ValueError(
            f"ingestion.labels: {label} may stand for {' and '.join(map(shown, meant))}: put "
            f"quotes around each label"
        )
    return meant[0] if meant else str(label)


def _fraction(labels: Sequence[str]) -> str:
    """Return the first label that is no whole number, if all are numbers; else nothing."""
    try:
        return next((label for label in labels if not float(label).is_integer()), "")
    except ValueError:
        return ""


def _of_few_posts(counts: Mapping[str, int]) -> list[str]:
    total = sum(counts.values())
    return [
        f"the tag {shown(label)} is that of only {count:,} of {total:,} posts"
        for label, count in sorted(counts.items(), key=lambda item: item[1])
        if count < min(_FEW_POSTS, _FEW_SHARE * total)
    ]


def _near_others(counts: Mapping[str, int]) -> list[str]:
    """Describe the pairs of labels that may be one, the rarer first in each."""
    if len(counts) > _MOST_COMPARED:
        return []
    pairs = (sorted(pair, key=lambda label: counts[label]) for pair in combinations(counts, 2))
    return [
        f"the tags {shown(rarer)} ({counts[rarer]:,} posts) and {shown(other)} "
        f"({counts[other]:,} posts) are nearly equal"
        for rarer, other in pairs
        if _may_be_one(rarer, other)
    ]


def _may_be_one(one: str, other: str) -> bool:
    """Return whether labels differ by case, spaces, one letter or what nobody sees at most."""
    one, other = _plain(one), _plain(other)
    if "".join(one.split()) == "".join(other.split()):
        return True
    words = [re.findall(r"\w+", label) for label in (one, other)]
    if len(words[0]) != len(words[1]):
        return False
    unlike = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    return len(unlike) == 1 and _is_one_letter(*unlike[0])


def _plain(label: str) -> str:
    """Return a label in one form of each letter, without marks that nobody sees."""
    normal = unicodedata.normalize("NFKC", label)
    return "".join(each for each in normal if unicodedata.category(each) != "Cf").casefold()


def _is_one_letter(one: str, other: str) -> bool:
    """Return whether one letter was changed, added or left out; numbers differ as they mean to."""
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORTEST_WORD or len(long) > len(short) + 1:
        return False
    at = next((at for at, letter in enumerate(short) if letter != long[at]), len(short))
    if len(long) > len(short):
        return short[at:] == long[at + 1 :] and long[at].isalpha()
    return short[at + 1 :] == long[at + 1 :] and (short[at] + long[at]).isalpha()


def _example(labels: Sequence[str]) -> str:
    if len(labels) > _MOST_NAMED:
        return " in ingestion.labels"
    return f", such as ingestion.labels=[{','.join(map(_in_yaml, labels))}]"


def _in_yaml(label: str) -> str:
    """Return a label as an element of a list in YAML."""
    return label if re.fullmatch(r"\w[\w .-]*", label) else "'{}'".format(label.replace("'", "''"))
