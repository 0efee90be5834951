"""Which answers can be left to a classifier, and which a person had better give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from .judging import judge_part

_STEPS = 20  # of coverage
_FEWEST_SURE = 10  # posts: of fewer, an accuracy says little, whatever the target is


def accuracy_by_coverage(
    true: ArrayLike,
    predicted: ArrayLike,
    confidence: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    **drawing: Any,
) -> list[dict[str, Any]]:
    """Score the surest answers: the twentieth that is surest, the tenth, and so on to all.

    The shares are fixed beforehand, so that no accuracy has chosen where the curve is looked at.
    Answers of equal confidence are kept or left together.

    Args:
        true: Tags of shape (n,).
        predicted: Tags of shape (n,).
        confidence: Probability of each answer, of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        **drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        One record a step, the surest first: `confidence`, the least that is kept; `n`; `coverage`,
        the share of posts that is kept; `accuracy`, and `accuracy_interval`.
    """
    sure = np.asarray(confidence, dtype=float)
    return [
        {"confidence": float(threshold), "coverage": float((sure >= threshold).mean())}
        | judge_part(sure >= threshold, true, predicted, groups, labels, **drawing)
        for threshold in _thresholds(sure)
    ]


def least_trusted_confidence(
    right: ArrayLike, confidence: ArrayLike, groups: ArrayLike, *, target: float, level: float
) -> float | None:
    """Find the least confidence from which on answers are right as often as `target`, surely.

    The steps of coverage are tested one after the other, the surest first, and the first that
    fails ends it: so the chance that any of those that passed is worse than the target is at most
    1 - `level`, without a correction. A test is exact (binomial); twins count as one post, which is
    right if all of them are. Steps too small to pass even without a mistake are left out: that
    depends on their size alone.
    Source: Angelopoulos et al., "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk
    Control", 2021 (its fixed sequence testing).

    Args:
        right: Whether each answer is the true one, of shape (n,).
        confidence: Probability of each answer, of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        target: The share of right answers that is wanted.
        level: The probability with which it has to be so.

    Returns:
        The confidence; None where no step passes.
    """
    posts = pd.DataFrame(
        {
            "right": np.asarray(right, dtype=bool),
            "confidence": np.asarray(confidence, dtype=float),
            "group": np.asarray(groups),
        }
    )
    found = None
    for threshold in _thresholds(posts["confidence"].to_numpy()):
        answers = posts[posts["confidence"] >= threshold].groupby("group")["right"].all()
        if len(answers) < _FEWEST_SURE or target ** len(answers) > 1 - level:
            continue
        test = binomtest(int(answers.sum()), len(answers), target, alternative="greater")
        if test.pvalue > 1 - level:
            break
        found = float(threshold)
    return found


def _thresholds(confidence: np.ndarray) -> np.ndarray:
    """Return the least confidence of each share of the posts, the surest first."""
    shares = np.arange(1, _STEPS + 1) / _STEPS
    ordered = np.sort(confidence)[::-1]
    places = np.maximum(np.ceil(shares * len(ordered)).astype(int), 1) - 1
    return np.unique(ordered[places])[::-1]
