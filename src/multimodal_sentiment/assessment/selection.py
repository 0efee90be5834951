"""Whether the best of many settings is better than the default, or merely the luckiest.

The best of many equal settings looks better than each of them is. So its gain over the default is
held against the largest gain that chance would show among all of them: the single-step maximum of
studentised differences, under a bootstrap over groups of near duplicates. Sources: White, "A
reality check for data snooping", 2000; Romano and Wolf, "Exact and approximate stepdown methods for
multiple hypothesis testing", 2005.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .bootstrap import percentile_interval, resampled_scores
from .metrics import class_indices, classification_metrics

Objective: TypeAlias = Literal["accuracy", "macro_f1", "log_loss"]
Floats: TypeAlias = NDArray[np.float64]

_LEAST_PROBABILITY = 1e-15
_DRAWS_AT_ONCE = 2**22


def is_greater_better(objective: Objective) -> bool:
    """Return whether a greater value is the better one."""
    return objective != "log_loss"


def objective_score(
    objective: Objective, true: ArrayLike, probabilities: Floats, labels: Sequence[str]
) -> float:
    """Return the accuracy, the macro F1, or the log loss in nats.

    Args:
        objective: The measure: one of these.
        true: Tags of shape (n,).
        probabilities: The probability of each label, of shape (n, labels).
        labels: Every label, in the order of the probabilities.
    """
    if objective == "log_loss":
        return float(_losses(true, probabilities, labels).mean())
    answers = np.asarray(labels, dtype=object)[probabilities.argmax(axis=1)]
    return float(classification_metrics(true, answers, labels)[objective])


def compare_settings(
    objective: Objective,
    true: ArrayLike,
    probabilities: Mapping[str, Floats],
    default: str,
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    samples: int,
    level: float,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Compare settings with the default, all on the same posts.

    Args:
        objective: The measure that is compared.
        true: Tags of shape (n,).
        probabilities: Per setting the probability of each label, of shape (n, labels).
        default: The name of the default setting.
        groups: Each post's group, of shape (n,); near duplicates share one.
        labels: Every label, in the order of the probabilities.
        samples: The number of times that the groups are drawn anew; the least p-value is 1 /
            (samples + 1).
        level: The level of the intervals.
        seed: The seed of the draws.

    Returns:
        Per setting its `score`; its `gain` over the default, above 0 where it is better, and that
        gain's `interval`; and the one-sided `p_value` of the gain, corrected over all settings:
        how often chance alone would show so large a gain among them.
    """
    names = list(probabilities)
    stacked = np.stack([probabilities[name] for name in names])
    sign = 1.0 if is_greater_better(objective) else -1.0
    values = sign * np.array([objective_score(objective, true, p, labels) for p in stacked])
    draws = sign * _resampled(objective, true, stacked, groups, labels, samples, seed)
    base = names.index(default)
    gains, drawn_gains = values - values[base], draws - draws[:, [base]]
    spread = drawn_gains.std(axis=0)
    differs = spread > 0  # what answers as the default does has no gain, and no chance of one
    scale = np.where(differs, spread, 1)
    luck = ((drawn_gains - gains) / scale)[:, differs].max(axis=1, initial=-np.inf)
    return {
        name: {
            "score": float(sign * value),
            "gain": float(gain),
            "interval": percentile_interval(drawn, level),
            "p_value": float((1 + (luck >= gain / unit).sum()) / (1 + samples)) if varies else 1.0,
        }
        for name, value, gain, drawn, unit, varies in zip(
            names, values, gains, drawn_gains.T, scale, differs, strict=True
        )
    }


def _losses(true: ArrayLike, probabilities: Floats, labels: Sequence[str]) -> Floats:
    """Return each post's negative log likelihood, of shape (..., n)."""
    own = probabilities[..., np.arange(np.size(true)), class_indices(true, labels)]
    return np.asarray(-np.log(np.maximum(own, _LEAST_PROBABILITY)))


def _resampled(
    objective: Objective,
    true: ArrayLike,
    probabilities: Floats,
    groups: ArrayLike,
    labels: Sequence[str],
    samples: int,
    seed: int,
) -> Floats:
    """Return the settings' scores on the same draws of groups, of shape (samples, settings)."""
    if objective != "log_loss":
        answers = np.asarray(labels, dtype=object)[probabilities.argmax(axis=-1)]
        scores = resampled_scores(true, answers, groups, labels, samples=samples, seed=seed)
        return np.asarray(scores[objective])
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    count = int(group.max()) + 1
    sizes = np.bincount(group, minlength=count).astype(float)
    losses = _losses(true, probabilities, labels)
    sums = np.stack([np.bincount(group, row, minlength=count) for row in losses], axis=1)
    rng, step = np.random.default_rng(seed), max(1, _DRAWS_AT_ONCE // count)
    shares = np.full(count, 1 / count)
    means = []
    for start in range(0, samples, step):
        drawn = rng.multinomial(count, shares, size=min(step, samples - start)).astype(float)
        means.append((drawn @ sums) / (drawn @ sizes)[:, None])
    return np.concatenate(means)
