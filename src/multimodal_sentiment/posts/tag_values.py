"""Which label a tag means: one value has several spellings, by the format of its file."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from .schema import is_tag

# Whole ones, which a gap turns into `1.0`. Others are words: `1.10` is a section beside `1.1`, and
# `007` rather an id.
_WHOLE = re.compile(r"([+-]?(?:0|[1-9][0-9]*))(?:\.0+)?")


def spell_as_labels(tags: Iterable[str], labels: Iterable[str]) -> list[str]:
    """Return tags, each spelled as the label that it means.

    That is the label that is equal, else the only one of the same value: `1` and `1.0` have the
    same, and `true` and `True`. A tag that means no label, or may mean several, stays as it is.

    Args:
        tags: The tags.
        labels: The labels.
    """
    labels = set(labels)
    of_value = defaultdict(list)
    for label in labels:
        of_value[_value(label)].append(label)
    tags = list(tags)
    spelled = {}
    for tag in set(tags):
        same = of_value.get(_value(tag), [])
        spelled[tag] = same[0] if len(same) == 1 and tag not in labels else tag
    return [spelled[tag] for tag in tags]


def count_labels(tags: Iterable[str]) -> dict[str, int]:
    """Count the posts of each label that tags amount to, each label spelled as most posts have it.

    Args:
        tags: One a post; words for there being none are not counted.
    """
    spelling: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for tag, count in Counter(tags).most_common():
        if is_tag(tag):
            counts[spelling.setdefault(_value(tag), tag)] += count
    return dict(counts)


def _value(tag: str) -> str:
    """Return what is equal for tags of the same value."""
    if whole := _WHOLE.fullmatch(tag):
        return str(int(whole[1]))
    return tag.lower() if tag.lower() in ("true", "false") else tag
