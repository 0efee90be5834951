"""On which posts a model fails most, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy.stats import fisher_exact

from multimodal_sentiment.wording import counted, rounded_percent

from .templating import listed

_CHANCE = 0.05  # the p-value above which a difference between tags may be chance
_CLEAR = 0.2  # the share of a tag's posts that are taken for another, from which on it is said
_PARTS = {
    "text and photo agree": "its guess from the text alone is the same as from the photo alone",
    "text and photo disagree": "its guess from the text alone differs from that from the photo "
    "alone",
}


def describe_weakest(matrix: Mapping[str, Mapping[str, int]], metrics: Mapping[str, Any]) -> str:
    """Say which tag's posts it fails on most, which others are often mistaken, and where."""
    posts = {tag: sum(said.values()) for tag, said in matrix.items()}
    missed = {tag: 1 - matrix[tag][tag] / posts[tag] for tag in matrix if posts[tag]}
    worst = max(missed, key=lambda tag: missed[tag])
    if not missed[worst]:
        return "On none of these posts."
    called = {tag: _mistaken(tag, matrix[tag]) for tag in missed}
    others = [
        f" Of {counted(posts[tag], f'{tag} post')}, {called[tag]}."
        for tag in sorted(missed, key=lambda tag: -missed[tag])
        if tag != worst and called[tag]
    ]
    most = f", {called[worst]}" if called[worst] else ""
    wrong = posts[worst] - matrix[worst][worst]
    return (
        f"Most often on {worst} posts: {wrong:,} of {posts[worst]:,} "
        f"({rounded_percent(missed[worst])}) {'is' if wrong == 1 else 'are'} answered "
        f"wrongly{most}.{_doubt(matrix, worst)}{''.join(others)}{_hardest(metrics)}"
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


def _mistaken(tag: str, answers: Mapping[str, int]) -> str:
    """Name the tags that many posts of a tag are taken for."""
    shares = {said: count / sum(answers.values()) for said, count in answers.items() if said != tag}
    often = [
        said for said in sorted(shares, key=lambda said: -shares[said]) if shares[said] >= _CLEAR
    ]
    if not often:
        return ""
    return listed(f"{rounded_percent(shares[said])} are called {said}" for said in often)


def _hardest(metrics: Mapping[str, Any]) -> str:
    """Name the part of the posts, if any, on which the model is surely worse than on all."""
    parts = {
        f"Where {_PARTS.get(name, name)}": part for name, part in metrics.get("parts", {}).items()
    }
    parts |= {
        "Where the text has no letters" if name == "none" else f"In {name} script": part
        for name, part in metrics.get("scripts", {}).items()
    }
    hard = {
        name: part
        for name, part in parts.items()
        if part["accuracy_interval"][1] < metrics["accuracy"]
    }
    if not hard:
        return ""
    name, part = min(hard.items(), key=lambda item: item[1]["accuracy"])
    return (
        f" {name}, {rounded_percent(1 - part['accuracy'])} of {part['n']:,} answers are wrong; of "
        f"all, {rounded_percent(1 - metrics['accuracy'])} are."
    )
