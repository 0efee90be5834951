"""Which class of the style sheet colours what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

_KNOWN = {"negative": "second", "neutral": "first", "positive": "third"}  # of the same colour
_SPARE = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def label_styles(labels: Iterable[str]) -> dict[str, str]:
    """Give every label a class; the known ones have the same in every chart.

    Up to seven labels differ in colour.
    """
    given = share_out(labels, _KNOWN, _SPARE)
    return {label: f"tag-{label}" if label in _KNOWN else style for label, style in given.items()}


def share_out(
    labels: Iterable[str], known: Mapping[str, str], palette: Iterable[str]
) -> dict[str, str]:
    """Give the known labels their own colours, and the others in turn those that are left."""
    labels = list(labels)
    taken = [known[label] for label in labels if label in known]
    spare = itertools.cycle(colour for colour in palette if colour not in taken)
    return {label: known[label] if label in known else next(spare) for label in labels}
