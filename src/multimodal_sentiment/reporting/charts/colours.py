"""Which class of the style sheet colours what."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

_KNOWN = ("negative", "neutral", "positive")
_SPARE = ("first", "second", "third", "fourth")


def label_styles(labels: Iterable[str]) -> dict[str, str]:
    """Give every label a class; the known ones have the same in every chart."""
    spare = itertools.cycle(_SPARE)
    return {label: f"tag-{label}" if label in _KNOWN else next(spare) for label in labels}
