"""Whether one classifier is better than another, judged on the same posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from .bootstrap import percentile_interval, resampled_scores
from .metrics import classification_metrics

COMPARED = ("accuracy", "macro_f1")


def compare_variants(
    true: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    pairs: Sequence[tuple[str, str]],
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    samples: int = 10_000,
    level: float = 0.95,
    seed: int,
) -> list[dict[str, Any]]:
    """Compare pairs of variants.

    The primary test is the bootstrap over groups of the difference of the seeds' means, for the
    accuracy and for the macro F1: a percentile interval, and the two-sided p-value that agrees
    with it. Beside it stands McNemar's exact test, for which every post is independent, twins
    too. The p-values of each test are corrected over the pairs.

    Args:
        true: Tags of shape (n,).
        predictions: Per variant tags of shape (seeds, n); as many seeds for each variant.
        pairs: The variants to compare, chosen before anyone saw the results.
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        samples: The number of times that the groups are drawn anew; the least p-value is 2 /
            (samples + 1), and of k groups that are answered differently 2 / 2^k, as of any exchange
            of answers.
        level: Share of the resampled differences in an interval.
        seed: The seed of the draws.

    Returns:
        Per pair `first` and `second`; `accuracy` and `macro_f1`, each with `difference` (first
        minus second), `interval`, `p_value` and `p_adjusted`; and `mcnemar`, with the posts
        `first_better` and `second_better`, `p_value` and `p_adjusted`.
    """
    if not pairs:
        return []
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    tags = np.stack([np.asarray(predictions[name], dtype=object) for name in names])
    resampled = resampled_scores(true, tags, groups, labels, samples=samples, seed=seed)
    means = dict(zip(names, (_seed_means(true, seeds, labels) for seeds in tags), strict=True))
    compared = []
    for first, second in pairs:
        one, other = names.index(first), names.index(second)
        comparison: dict[str, Any] = {"first": first, "second": second}
        least = _least_p_value(tags[one], tags[other], groups)
        for measure in COMPARED:
            draws = resampled[measure].mean(axis=2)  # (samples, variants)
            differences = draws[:, one] - draws[:, other]
            comparison[measure] = {
                "difference": means[first][measure] - means[second][measure],
                "interval": percentile_interval(differences, level),
                "p_value": max(_two_sided(differences), least),
            }
        comparison["mcnemar"] = mcnemar(true, tags[one], tags[other])
        compared.append(comparison)
    for test in (*COMPARED, "mcnemar"):
        adjusted = holm([comparison[test]["p_value"] for comparison in compared])
        for comparison, p_value in zip(compared, adjusted, strict=True):
            comparison[test]["p_adjusted"] = p_value
    return compared


def mcnemar(true: ArrayLike, first: ArrayLike, second: ArrayLike) -> dict[str, Any]:
    """Test exactly whether one of two classifiers is right more often on the same posts.

    With several seeds a post speaks for the classifier that is right under more of them (the sign
    test, which for one seed *is* McNemar's).

    Args:
        true: Tags of shape (n,).
        first: Tags of shape (n,) or (seeds, n).
        second: Tags of the same shape.

    Returns:
        How many posts speak for either (`first_better`, `second_better`), and `p_value`.
    """
    truth = np.asarray(true, dtype=object)
    right, other = (
        np.atleast_2d(np.asarray(tags, dtype=object) == truth).sum(axis=0)
        for tags in (first, second)
    )
    better, worse = int((right > other).sum()), int((right < other).sum())
    p_value = binomtest(better, better + worse).pvalue if better + worse else 1.0
    return {"first_better": better, "second_better": worse, "p_value": float(p_value)}


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p-values of a family so that any false alarm in it is as rare as in one test.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values)
    # The least of m is multiplied by m, the next by m - 1; none may be less than one before it.
    scaled = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(value) for value in corrected]


def _seed_means(true: ArrayLike, tags: np.ndarray, labels: Sequence[str]) -> dict[str, float]:
    scores = [classification_metrics(true, seed, labels) for seed in tags]
    return {measure: float(np.mean([score[measure] for score in scores])) for measure in COMPARED}


def _least_p_value(first: np.ndarray, second: np.ndarray, groups: ArrayLike) -> float:
    """Return what no test could undercut that exchanges answers group by group.

    A bootstrap of a few groups that all speak for one side would draw nothing else.
    """
    differ = (np.sort(first, axis=0) != np.sort(second, axis=0)).any(axis=0)
    return float(min(1.0, 2.0 ** (1 - len(np.unique(np.asarray(groups)[differ])))))


def _two_sided(differences: np.ndarray) -> float:
    tail = min((differences <= 0).sum(), (differences >= 0).sum())
    return float(min(1.0, 2 * (1 + tail) / (1 + len(differences))))
