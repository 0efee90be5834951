"""New posts beside the validation posts: which observations differ, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from multimodal_sentiment.assessment import holm
from multimodal_sentiment.wording import rounded_number

from .observations import CATEGORIES, NUMBERS
from .two_sample import Test, categories_test, features_test, numbers_test, pool_rare
from .validation_summary import MOST_POSTS, ValidationSummary, present, rounded

NO_ACCURACY = (
    "This does not measure accuracy: a model may be right about posts that look new, and wrong "
    "about posts that look known. Only posts with tags can tell."
)

_STEPS = 50  # of the distributions that are kept
_FEATURES = {"text": "features of the text", "image": "features of the image"}
_SEED = 0


def compare_posts(
    summary: ValidationSummary,
    observed: pd.DataFrame,
    features: Mapping[str, NDArray[np.float32]],
    level: float,
) -> dict[str, Any]:
    """Compare new posts with the validation posts.

    Every observation is tested by itself, and p-values are corrected over all tests by Holm's
    method: the smallest is the p-value of all together.

    Args:
        summary: The summary of the validation posts.
        observed: The distinct new posts, from `observe_posts`.
        features: By modality, their projected features, NaN where a post lacks it.
        level: Posts of the same source are called unlike so often.

    Returns:
        `unlike`, `p_value`, `level`, `posts_compared`, `validation_posts`, `sentences`, and
        `comparisons`, the most significant first.
    """
    comparisons = [
        *(_compare_categories(name, summary, observed) for name in CATEGORIES),
        *(_compare_numbers(name, summary, observed) for name in NUMBERS),
        *(
            _compare_features(name, known, features[name])
            for name, known in summary.features.items()
        ),
    ]
    tested = [it for it in comparisons if it["p_value"] is not None]
    for it, corrected in zip(tested, holm([it["p_value"] for it in tested]), strict=True):
        it |= {"p_corrected": corrected, "unlike": corrected <= level}
    tested.sort(key=lambda it: it["p_value"])
    p_value = tested[0]["p_corrected"] if tested else None
    result = {
        "unlike": p_value is not None and p_value <= level,
        "p_value": p_value,
        "level": level,
        "posts_compared": len(observed),
        "validation_posts": summary.posts,
        "comparisons": tested,
    }
    return result | {"sentences": _sentences(result)}


def nothing_compared(reason: str) -> dict[str, Any]:
    """Return what `compare_posts` does, where posts cannot be compared."""
    return {
        "unlike": False,
        "p_value": None,
        "level": None,
        "posts_compared": 0,
        "validation_posts": 0,
        "comparisons": [],
        "sentences": [reason, NO_ACCURACY],
    }


def count_tags(predicted: pd.Series, labels: Sequence[str]) -> dict[str, Any]:
    """Return how many posts were given each label: `posts`, `share` and its 95% `interval`."""
    return {label: _share(int((predicted == label).sum()), len(predicted)) for label in labels}


def _compare_categories(
    name: str, summary: ValidationSummary, observed: pd.DataFrame
) -> dict[str, Any]:
    known, new = summary.categories[name], dict(Counter(observed[name].tolist()))
    sizes = sum(known.values()), sum(new.values())
    shares = {
        category: {
            "validation": _share(old, sizes[0]),
            "new": _share(now, sizes[1]),
        }
        for category, (old, now) in pool_rare(known, new).items()
    }
    furthest = max(shares, key=lambda it: _difference(shares[it]), default="")
    found = categories_test(known, new)
    sentence = ""
    if furthest:
        new_share, old_share = (shares[furthest][side]["share"] for side in ("new", "validation"))
        sentence = (
            f"{furthest} in {new_share:.1%} of the new posts, in {old_share:.1%} of the validation "
            "posts"
        )
    return _comparison(name, CATEGORIES[name], found, sentence) | {"shares": shares}


def _compare_numbers(
    name: str, summary: ValidationSummary, observed: pd.DataFrame
) -> dict[str, Any]:
    known, new = np.array(summary.numbers[name]), np.array(rounded(observed[name].dropna()))
    quantiles = {}
    sentence = ""
    if len(known) and len(new):
        steps = np.linspace(0, 1, _STEPS + 1)
        sides = {"validation": known, "new": new}
        quantiles = {
            side: [round(float(it), 4) for it in np.quantile(values, steps)]
            for side, values in sides.items()
        }
        sentence = (
            f"the median is {rounded_number(float(np.median(new)))} among the new posts, "
            f"{rounded_number(float(np.median(known)))} among the validation posts"
        )
    found = numbers_test(known.tolist(), new.tolist())
    return _comparison(name, NUMBERS[name], found, sentence) | {"quantiles": quantiles}


def _compare_features(
    name: str, known: NDArray[np.float32], features: NDArray[np.float32]
) -> dict[str, Any]:
    new = present(features)
    if len(new) > MOST_POSTS:  # as many as are kept of the validation posts
        new = np.random.default_rng(_SEED).permutation(new)[:MOST_POSTS]
    found = features_test(known, new, _SEED)
    sentence = "what the encoder sees in them differs"
    return _comparison(f"{name}_features", _FEATURES[name], found, sentence)


def _comparison(name: str, what: str, found: Test | None, sentence: str) -> dict[str, Any]:
    return {
        "name": name,
        "what": what,
        "test": found and found.name,
        "p_value": found and found.p_value,
        "sentence": sentence,
    }


def _share(count: int, posts: int) -> dict[str, Any]:
    """Return a share with its 95% interval.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if not posts:
        return {"posts": 0, "share": 0.0, "interval": [0.0, 1.0]}
    interval = binomtest(count, posts).proportion_ci(method="wilson")
    return {
        "posts": count,
        "share": count / posts,
        "interval": [float(interval.low), float(interval.high)],
    }


def _difference(sides: Mapping[str, Mapping[str, float]]) -> float:
    return abs(sides["new"]["share"] - sides["validation"]["share"])


def _sentences(result: Mapping[str, Any]) -> list[str]:
    """Say what was found, in words for people."""
    count, known = f"{result['posts_compared']:,}", f"{result['validation_posts']:,}"
    if result["p_value"] is None:
        return [
            f"{count} new and {known} validation posts are too few to be compared.",
            NO_ACCURACY,
        ]
    p_value = (
        f"p = {result['p_value']:.2g}, corrected over {len(result['comparisons'])} comparisons"
    )
    if not result["unlike"]:
        return [
            f"The {count} new posts cannot be told from the {known} validation posts ({p_value}). "
            "With few posts, only large differences can be seen.",
            NO_ACCURACY,
        ]
    unlike = [it for it in result["comparisons"] if it["unlike"]]
    named = ", ".join(it["what"] for it in unlike)
    return [
        f"The new posts are unlike the validation posts ({p_value}): {named}.",
        *(f"{_titled(it['what'])}: {it['sentence']}." for it in unlike if it["sentence"]),
        NO_ACCURACY,
    ]


def _titled(words: str) -> str:
    return words[:1].upper() + words[1:]
