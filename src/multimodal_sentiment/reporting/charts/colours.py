"""Which class of the style sheet colours what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

NO_TAG = "no tag"

# The class of labels that look the same in every chart, and the spare one of the same colour.
_KNOWN = {
    "negative": ("tag-negative", "second"),
    "neutral": ("tag-neutral", "first"),
    "positive": ("tag-positive", "third"),
    NO_TAG: ("neither", ""),
}
_SPARE = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def label_styles(labels: Iterable[str]) -> dict[str, str]:
    """Give every label a class; up to seven labels differ in colour."""
    labels = list(labels)
    taken = {_KNOWN[label][1] for label in labels if label in _KNOWN}
    spare = itertools.cycle(style for style in _SPARE if style not in taken)
    return {label: _KNOWN[label][0] if label in _KNOWN else next(spare) for label in labels}


def group_by_tag(tags: Iterable[object]) -> dict[str, list[int]]:
    """Return the rows of each tag, by name; of posts that have none, as `NO_TAG`, at the end."""
    rows: dict[str, list[int]] = {}
    for row, tag in enumerate(tags):
        rows.setdefault(tag if isinstance(tag, str) and tag else NO_TAG, []).append(row)
    return dict(sorted(rows.items(), key=lambda item: (item[0] == NO_TAG, item[0])))
