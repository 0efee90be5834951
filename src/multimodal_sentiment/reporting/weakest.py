"""On which posts a model fails most, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import fisher_exact

from multimodal_sentiment.wording import rounded_percent

from .templating import listed

_CHANCE = 0.05  # the p-value above which a difference between tags may be chance
_CLEAR = 0.2  # the share of a tag's posts that are taken for another, from which on it is said


def describe_weakest(matrix: Mapping[str, Mapping[str, int]], metrics: Mapping[str, Any]) -> str:
    """Say which tag's posts it fails on most, what they are taken for, and on which part."""
    posts = {tag: sum(said.values()) for tag, said in matrix.items()}
    missed = {tag: 1 - matrix[tag][tag] / posts[tag] for tag in matrix if posts[tag]}
    worst = max(missed, key=lambda tag: missed[tag])
    if not missed[worst]:
        return "On none of these posts."
    shares = {said: count / posts[worst] for said, count in matrix[worst].items() if said != worst}
    often = [
        f"{rounded_percent(share)} are called {said}"
        for said, share in sorted(shares.items(), key=lambda item: -item[1])
        if share >= _CLEAR
    ]
    called = f", {listed(often)}" if often else ""
    wrong = posts[worst] - matrix[worst][worst]
    return (
        f"Most often on {worst} posts: it is wrong about {wrong:,} of {posts[worst]:,} "
        f"({rounded_percent(missed[worst])}){called}."
        f"{_doubt(matrix, worst)}{_hardest(metrics)}"
    )


def _doubt(matrix: Mapping[str, Mapping[str, int]], worst: str) -> str:
    """Doubt that a tag's posts are harder than the others, where chance may show as much."""
    sides = [[0, 0], [0, 0]]  # posts of this tag and of the others, wrong and right
    for tag, said in matrix.items():
        for answer, count in said.items():
            sides[tag != worst][answer == tag] += count
    if not sum(sides[1]) or fisher_exact(sides).pvalue <= _CHANCE:
        return ""
    return " That it does better on the others may be chance."


def _hardest(metrics: Mapping[str, Any]) -> str:
    """Name the part of the posts, if any, on which the model is surely worse than on all."""
    scripts = {f"script: {name}": part for name, part in metrics.get("scripts", {}).items()}
    hard = {
        name: part
        for name, part in (metrics.get("parts", {}) | scripts).items()
        if part["accuracy_interval"][1] < metrics["accuracy"]
    }
    if not hard:
        return ""
    name, part = min(hard.items(), key=lambda item: item[1]["accuracy"])
    return (
        f" Of the posts with “{name}”, {rounded_percent(1 - part['accuracy'])} of {part['n']:,} "
        f"answers are wrong; of all, {rounded_percent(1 - metrics['accuracy'])} are."
    )
