"""What people call what the numbers are about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from multimodal_sentiment.files import is_pattern

MEASURES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
OBJECTIVES = MEASURES | {"log_loss": "log loss"}

_LAYER = re.compile(r"\d\d_")  # how folders of the data's layers begin


def name_data(raw: str, given: str | None) -> str:
    """Return what posts are called in a title.

    Args:
        raw: The folder in which they lie.
        given: The name that their owner gives them, if any.
    """
    if given:
        return given
    place = PurePath(raw)
    if is_pattern(place) and not Path(raw).exists():
        place = place.parent
    if place.name in ("", ".."):  # as "." has none
        place = Path(place).resolve()
    # The last of a path says most, but for a layer, which is called alike everywhere.
    is_layer = _LAYER.match(place.name) and not place.is_absolute()
    return place.as_posix() if is_layer or not place.name else place.name


def short_parameter(name: str) -> str:
    """Return the name of a parameter of the model or the training, without that branch."""
    return name.removeprefix("model.").removeprefix("training.")


def write_score(score: float, objective: str) -> str:
    """Write a score that a search goes by."""
    return f"{score:.3f}" if objective == "log_loss" else f"{score:.1%}"


def name_baselines(baselines: Mapping[str, Any]) -> dict[str, str]:
    """Say what baselines do, by their names in `metrics`."""
    return {name: _name_baseline(name, baseline) for name, baseline in baselines.items()}


def name_variants(variants: Mapping[str, Any]) -> dict[str, str]:
    """Return what the variants of a comparison are called, by their names in the parameters."""
    known = {"text": "text alone", "image": "photo alone", "both": "text and photo"}
    return {name: known.get(name, name.replace("_", " ")) for name in variants}


def _name_baseline(name: str, baseline: Mapping[str, Any]) -> str:
    if name == "tfidf":
        return "counting words (TF-IDF)"
    if name == "majority":
        found = [label for label, it in baseline.get("per_class", {}).items() if it["recall"]]
        # Without one, the commonest training tag is none of the posts that are judged.
        return f"always answering {found[0] if found else 'the commonest tag'}"
    return name
