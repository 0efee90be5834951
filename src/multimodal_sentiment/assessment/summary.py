"""What a comparison has shown, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BASELINES = {"majority": "always answering {majority}", "tfidf": "counting words (TF-IDF)"}
_LEAST_SAID = 0.001  # of p-values


def summarise_comparison(
    comparison: Mapping[str, Any], modalities: Mapping[str, str], majority: str, level: float
) -> list[str]:
    """Say who beats whom, and whether text and image help; a sentence each.

    A difference counts if its p-value, corrected over its family, is below 1 - `level`; it is one
    of accuracy, the macro F1 stands beside it.

    Args:
        comparison: `n`, the `pairs` compared, and `against_baselines`, both as `compare_variants`
            gives them.
        modalities: What each variant looks at: `text`, `image` or `both`.
        majority: The label that the majority baseline answers.
        level: Of the intervals.
    """
    sentences = [_of_pair(pair, modalities, comparison["n"], level) for pair in comparison["pairs"]]
    baselines = {name: words.format(majority=majority) for name, words in BASELINES.items()}
    for name in modalities:
        against = [pair for pair in comparison["against_baselines"] if pair["first"] == name]
        sentences.append(_of_baselines(name, against, baselines, level))
    return sentences


def is_sure(test: Mapping[str, Any], level: float) -> bool:
    """Whether a difference counts, after the correction over its family."""
    return bool(test["p_adjusted"] < 1 - level)


def _of_pair(
    pair: Mapping[str, Any], modalities: Mapping[str, str], posts: int, level: float
) -> str:
    first, second, test, macro = pair["first"], pair["second"], pair["accuracy"], pair["macro_f1"]
    sure, better = is_sure(test, level), test["difference"] > 0
    if not sure:
        words = f"{first} and {second} cannot be told apart, the difference is"
    else:
        words = f"{first} {'beats' if better else 'is worse than'} {second}, by"
    added = {"text": "image", "image": "text"}.get(modalities[second])
    if modalities[first] == "both" and added:
        unsure = f"does not help, as far as the accuracy on {posts:,} posts can tell"
        says = unsure if not sure else "helps" if better else "does harm"
        words = f"The {added} {says}: {words}"
    return (
        f"{words} {_signed(test['difference'])} points of accuracy ({_interval(test, level)}, "
        f"{_p_value(test)}) and {_signed(macro['difference'])} of macro-F1 "
        f"({_interval(macro, level)}, {_p_value(macro)})"
        f"{', which does tell them apart' if is_sure(macro, level) and not sure else ''}."
    )


def _of_baselines(
    name: str, against: Sequence[Mapping[str, Any]], baselines: Mapping[str, str], level: float
) -> str:
    beaten: list[str] = []
    not_beaten: list[str] = []
    for pair in against:
        test = pair["accuracy"]
        sure = is_sure(test, level) and test["difference"] > 0
        said = f"{baselines[pair['second']]} ({_signed(test['difference'])}, {_p_value(test)})"
        (beaten if sure else not_beaten).append(said)
    parts = [f"beats {' and '.join(beaten)}"] if beaten else []
    parts += [f"does not beat {' or '.join(not_beaten)}"] if not_beaten else []
    return f"{name} {', but '.join(parts)}."


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _interval(test: Mapping[str, Any], level: float) -> str:
    low, high = test["interval"]
    return f"{100 * level:g}% interval {_signed(low)} to {_signed(high)}"


def _p_value(test: Mapping[str, Any]) -> str:
    p_value = test["p_adjusted"]
    return f"p < {_LEAST_SAID}" if p_value < _LEAST_SAID else f"p = {p_value:.3f}"
