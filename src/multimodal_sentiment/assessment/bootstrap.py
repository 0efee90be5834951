"""How far a score could be off: percentile bootstrap over groups of posts.

Twins are one unit: a group is drawn whole, so that copies of one post do not pass for evidence.

`scipy.stats.bootstrap` would hold (resamples x groups) indices and walk over all groups for every
resample. But groups with equal tallies are interchangeable, and few tallies are different (with
three labels and no twins: nine). How often each *kind* of group is drawn is one multinomial
variate, which has the same distribution and costs the same for 2,000 posts and for 200,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from .metrics import class_indices

MEASURES = ("accuracy", "macro_f1", "weighted_f1")
# Of fewer groups of twins an accuracy says little, and they cannot tell any two models apart that
# people would hesitate about.
FEWEST_GROUPS = 30

_HIT, _PREDICTED, _TRUE = range(3)
_DRAWS_AT_ONCE = 2**23  # 64 MB of counts


def bootstrap_intervals(
    true: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    samples: int = 2000,
    level: float = 0.95,
    seed: int,
) -> dict[str, Any]:
    """Bound `accuracy`, `macro_f1`, `weighted_f1`, and under `per_class` each label's F1.

    Args:
        true: Tags of shape (n,).
        predicted: Tags of shape (n,), or (seeds, n) for the intervals of the mean over seeds.
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        samples: The number of times that the groups are drawn anew.
        level: Share of the resampled scores between the bounds.
        seed: The seed of the draws.

    Returns:
        A pair (low, high) for each measure, and for each label under `per_class`. Where every
        resample has the same score of 1, or 0, it is bounded as `_widen` says.
    """
    scores = resampled_scores(true, predicted, groups, labels, samples=samples, seed=seed)
    if np.ndim(predicted) > 1:
        scores = {measure: values.mean(axis=1) for measure, values in scores.items()}
    f1_of = dict(zip(labels, scores["f1"].T, strict=True))
    intervals = {
        **{measure: percentile_interval(scores[measure], level) for measure in MEASURES},
        "per_class": {label: percentile_interval(f1, level) for label, f1 in f1_of.items()},
    }
    return _widen(intervals, true, groups, labels, level)


def resampled_scores(
    true: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    samples: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Score any number of classifiers on the same resamples of the groups.

    Args:
        true: Tags of shape (n,).
        predicted: Tags of shape (..., n).
        groups: Each post's group, of shape (n,).
        labels: Every label a tag may be.
        samples: The number of times that the groups are drawn anew.
        seed: The seed of the draws.

    Returns:
        Each of `MEASURES`, of shape (samples, ...), and `f1`, of shape (samples, ..., labels);
        what has no cases counts as in `classification_metrics`.
    """
    truth, answers = class_indices(true, labels), class_indices(predicted, labels)
    _refuse_unequal(truth.shape, answers.shape, np.shape(groups))
    tallies = _tally(truth, answers.reshape(-1, len(truth)), groups, len(labels))
    sums = _resample(tallies.reshape(len(tallies), -1), samples, np.random.default_rng(seed))
    return _score(sums.reshape(samples, *answers.shape[:-1], 3, len(labels)))


def percentile_interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Give the bounds that leave out (1 - level) / 2 of the values on either side."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _widen(
    intervals: dict[str, Any],
    true: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    level: float,
) -> dict[str, Any]:
    """Give scores that are the same in every resample the bounds that their few cases allow.

    Thirty right answers of thirty do not show that all answers are right; but they are all that
    there is to draw from. Accuracy gets the exact bounds, groups of twins counting once, a label's
    F1 those of the groups with this tag. Means of F1 get the mean of the labels' bounds, which is
    on the safe side: not all labels are at their worst at once.
    """
    posts = pd.DataFrame({"tag": np.asarray(true, dtype=object), "group": np.asarray(groups)})
    groups_of = posts.groupby("tag")["group"].nunique()
    shares = posts["tag"].value_counts(normalize=True)
    per_class = {
        label: _bounded(bounds, int(groups_of.get(label, 0)), level)
        for label, bounds in intervals["per_class"].items()
    }
    widened = {
        "accuracy": _bounded(intervals["accuracy"], posts["group"].nunique(), level),
        "macro_f1": _mean_bounds([per_class[label] for label in labels if label in shares]),
        "weighted_f1": _mean_bounds(
            [per_class[label] for label in shares.index], weights=shares.to_numpy()
        ),
    }
    return {
        **{
            measure: widened[measure] if _is_stuck(intervals[measure]) else intervals[measure]
            for measure in MEASURES
        },
        "per_class": per_class,
    }


def _is_stuck(bounds: tuple[float, float]) -> bool:
    return bounds[0] == bounds[1] and bounds[0] in (0, 1)


def _bounded(bounds: tuple[float, float], count: int, level: float) -> tuple[float, float]:
    if not count or not _is_stuck(bounds):
        return bounds
    exact = binomtest(count * int(bounds[0]), count).proportion_ci(level)
    return float(exact.low), float(exact.high)


def _mean_bounds(
    bounds: Sequence[tuple[float, float]], weights: np.ndarray | None = None
) -> tuple[float, float]:
    low, high = np.average(bounds, axis=0, weights=weights)
    return float(low), float(high)


def _refuse_unequal(*shapes: tuple[int, ...]) -> None:
    lengths = [shape[-1] for shape in shapes]
    if len(set(lengths)) > 1 or not lengths[0]:
        raise ValueError(
            f"{lengths[0]} true tags, {lengths[1]} predicted tags and {lengths[2]} groups: "
            "give one of each for every post, and at least one post"
        )


def _tally(truth: np.ndarray, answers: np.ndarray, groups: ArrayLike, labels: int) -> np.ndarray:
    """Count per group what every score is made of, of shape (groups, classifiers, 3, labels)."""
    names, group = np.unique(groups, return_inverse=True)
    classifier = np.arange(len(answers))[:, None]
    tallies = np.zeros((len(names), len(answers), 3, labels), dtype=np.int32)
    np.add.at(tallies[:, :, _HIT], (group, classifier, truth), answers == truth)
    np.add.at(tallies[:, :, _PREDICTED], (group, classifier, answers), 1)
    np.add.at(tallies[:, :, _TRUE], (group, classifier, truth), 1)
    return tallies


def _resample(tallies: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw as many groups as there are, `samples` times; sum their tallies, (samples, tallies)."""
    kinds, sizes = np.unique(tallies, axis=0, return_counts=True)
    kinds = kinds.astype(float)  # exact for counts, and multiplied far faster than integers
    step = max(1, _DRAWS_AT_ONCE // len(kinds))
    batches = (min(step, samples - start) for start in range(0, samples, step))
    drawn = (rng.multinomial(len(tallies), sizes / len(tallies), size=size) for size in batches)
    return np.concatenate([draws.astype(float) @ kinds for draws in drawn])


def _score(tallies: np.ndarray) -> dict[str, np.ndarray]:
    hits, predicted, true = np.moveaxis(tallies, -2, 0)
    posts = true.sum(axis=-1)
    occurrences = predicted + true
    f1 = 2 * hits / np.maximum(occurrences, 1)
    return {
        "accuracy": hits.sum(axis=-1) / posts,
        "macro_f1": f1.sum(axis=-1) / (occurrences > 0).sum(axis=-1),
        "weighted_f1": (f1 * true).sum(axis=-1) / posts,
        "f1": f1,
    }
