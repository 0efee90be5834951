"""Which class of the style sheet colours what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

_KNOWN = {"negative": "second", "neutral": "first", "positive": "third"}  # of the same colour
_SPARE = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def label_styles(labels: Iterable[str]) -> dict[str, str]:
    """Give every label a class; the known ones have the same in every chart.

    Up to seven labels differ in colour.
    """
    labels = list(labels)
    taken = [_KNOWN[label] for label in labels if label in _KNOWN]
    spare = itertools.cycle(style for style in _SPARE if style not in taken)
    return {label: f"tag-{label}" if label in _KNOWN else next(spare) for label in labels}
