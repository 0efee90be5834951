"""What a comparison has shown, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from multimodal_sentiment.wording import counted

Outcome = Literal["better", "worse", "no different", "cannot tell"]

_BASELINES = {"majority": "always answering {majority}", "tfidf": "counting words (TF-IDF)"}
_LEAST_SAID = 0.001  # of p-values


def summarise_comparison(
    comparison: Mapping[str, Any],
    modalities: Mapping[str, str],
    majority: str,
    *,
    level: float,
    margin: float,
) -> list[str]:
    """Say who beats whom, and whether text and image help; a sentence each.

    Args:
        comparison: `n` posts in how many `groups` of twins, the `pairs` compared, and
            `against_baselines`, both as `compare_variants` gives them.
        modalities: The modality of each variant: `text`, `image` or `both`.
        majority: The label that the majority baseline answers.
        level: The level of the intervals.
        margin: The largest difference of accuracy that does not matter.
    """
    judging = {"groups": comparison["groups"], "level": level, "margin": margin}
    sentences = [
        _of_pair(pair, modalities, comparison["n"], **judging) for pair in comparison["pairs"]
    ]
    baselines = {name: words.format(majority=majority) for name, words in _BASELINES.items()}
    for name in modalities:
        against = [pair for pair in comparison["against_baselines"] if pair["first"] == name]
        sentences.append(_of_baselines(name, against, baselines, **judging))
    return sentences


def judge_difference(test: Mapping[str, Any], groups: int, level: float, margin: float) -> Outcome:
    """Judge a difference between two variants.

    Where the whole interval lies within the margin, the difference does not matter, be it sure or
    not. Few posts cannot show that: of n posts on which two variants never differ, they may still
    differ on 3 / n of all others (at a level of 0.95; the rule of three); twins count once. Any
    other difference counts if its p-value, corrected over its family, is below 1 - `level`.

    Args:
        test: `difference`, `interval` and `p_adjusted`, as `compare_variants` gives them.
        groups: The number of groups of twins that were judged.
        level: The level of the interval.
        margin: The largest difference that does not matter.
    """
    low, high = test["interval"]
    if max(-low, high, -math.log(1 - level) / groups) <= margin:
        return "no different"
    if not is_sure(test, level):
        return "cannot tell"
    return "better" if test["difference"] > 0 else "worse"


def is_sure(test: Mapping[str, Any], level: float) -> bool:
    """Return whether a difference is one, after the correction over its family."""
    return bool(test["p_adjusted"] < 1 - level)


def added_modality(first: str, second: str, modalities: Mapping[str, str]) -> str | None:
    """Return the modality that one variant reads beside the only one of another; None if none."""
    if modalities.get(first) != "both":
        return None
    return {"text": "image", "image": "text"}.get(modalities.get(second, ""))


def _of_pair(
    pair: Mapping[str, Any],
    modalities: Mapping[str, str],
    posts: int,
    *,
    groups: int,
    level: float,
    margin: float,
) -> str:
    first, second, test, macro = pair["first"], pair["second"], pair["accuracy"], pair["macro_f1"]
    outcome = judge_difference(test, groups, level, margin)
    judged = counted(posts, "post")
    if added := added_modality(first, second, modalities):
        words = {
            "better": f"The {added} helps: {first} beats {second}, by",
            "worse": f"The {added} hurts: {first} is worse than {second}, by",
            "no different": f"The {added} makes no difference that matters ({_points(margin)} of "
            f"accuracy or less): {first} and {second} differ by",
            "cannot tell": f"Whether the {added} helps cannot be told from {judged}: "
            f"{first} and {second} differ by",
        }[outcome]
    else:
        words = {
            "better": f"{first} beats {second}, by",
            "worse": f"{first} is worse than {second}, by",
            "no different": f"Between {first} and {second} there is no difference that matters "
            f"({_points(margin)} of accuracy or less):",
            "cannot tell": f"{first} and {second} cannot be told apart by {judged}: they differ by",
        }[outcome]
    only_macro = outcome == "cannot tell" and is_sure(macro, level)
    return (
        f"{words} {_signed(test['difference'])} points of accuracy ({_interval(test, level)}, "
        f"{say_p_value(test['p_adjusted'])}) and {_signed(macro['difference'])} of macro-F1 "
        f"({_interval(macro, level)}, {say_p_value(macro['p_adjusted'])})"
        f"{', which does tell them apart' if only_macro else ''}."
    )


def _of_baselines(
    name: str,
    against: Sequence[Mapping[str, Any]],
    baselines: Mapping[str, str],
    *,
    groups: int,
    level: float,
    margin: float,
) -> str:
    said: dict[Outcome, list[str]] = {}
    for pair in against:
        test = pair["accuracy"]
        figures = f"{_signed(test['difference'])}, {say_p_value(test['p_adjusted'])}"
        words = f"{baselines[pair['second']]} ({figures})"
        said.setdefault(judge_difference(test, groups, level, margin), []).append(words)
    verbs: dict[Outcome, str] = {
        "better": "beats",
        "worse": "is worse than",
        "no different": "does not differ in a way that matters from",
        "cannot tell": "cannot be told apart from",
    }
    parts = [
        f"{verb} {' and '.join(said[outcome])}"
        for outcome, verb in verbs.items()
        if outcome in said
    ]
    return f"{name} {', and '.join(parts)}."


def _points(share: float) -> str:
    return "1 point" if share == 0.01 else f"{100 * share:g} points"  # noqa: PLR2004


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _interval(test: Mapping[str, Any], level: float) -> str:
    low, high = test["interval"]
    return f"{100 * level:g}% interval {_signed(low)} to {_signed(high)}"


def say_p_value(p_value: float) -> str:
    """Return a p-value as in "p = 0.012"."""
    return f"p < {_LEAST_SAID}" if p_value < _LEAST_SAID else f"p = {p_value:.3f}"
