"""How good several classifiers are, each trained under several seeds, judged on the same posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import MEASURES, bootstrap_intervals
from .metrics import classification_metrics


def judge_variants(
    true: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    groups: ArrayLike,
    labels: Sequence[str],
    **drawing: Any,
) -> dict[str, dict[str, Any]]:
    """Score each variant: the means over its seeds, how far these are spread, and intervals.

    The interval is that of the mean over these very seeds, as other posts would have it; how much
    another seed would change stands in `spread`.

    Args:
        true: Tags of shape (n,).
        predictions: Per variant tags of shape (seeds, n).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        Per variant `n`, `seeds`; the means `accuracy`, `macro_f1`, `weighted_f1`, and under
        `per_class` each label's `f1` and `support`; `spread`, the standard deviation of each
        measure over the seeds (none for one seed); `by_seed`, each measure's values; `intervals`.
    """
    return {
        name: _judge(true, np.asarray(tags, dtype=object), groups, labels, drawing)
        for name, tags in predictions.items()
    }


def judge_slices(
    true: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    groups: ArrayLike,
    labels: Sequence[str],
    slices: Mapping[str, ArrayLike],
    **drawing: Any,
) -> dict[str, dict[str, Any]]:
    """Score each variant on parts of the posts.

    Args:
        true: Tags of shape (n,).
        predictions: Per variant tags of shape (seeds, n).
        groups: Each post's group, of shape (n,).
        labels: Every label a tag may be.
        slices: Per part a mask of shape (n,); a part without posts is left out.
        drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        Per part `n` and, under `variants`, what `judge_variants` says of each.
    """
    judged = {}
    truth, group = np.asarray(true, dtype=object), np.asarray(groups)
    for part, mask in slices.items():
        chosen = np.asarray(mask, dtype=bool)
        if not chosen.any():
            continue
        answers = {
            name: np.asarray(tags, dtype=object)[:, chosen] for name, tags in predictions.items()
        }
        scores = judge_variants(truth[chosen], answers, group[chosen], labels, **drawing)
        judged[part] = {"n": int(chosen.sum()), "variants": scores}
    return judged


def _judge(
    true: ArrayLike,
    tags: np.ndarray,
    groups: ArrayLike,
    labels: Sequence[str],
    drawing: Mapping[str, Any],
) -> dict[str, Any]:
    seeds = [classification_metrics(true, seed, labels) for seed in tags]
    by_seed = {measure: [seed[measure] for seed in seeds] for measure in MEASURES}
    return {
        "n": seeds[0]["n"],
        "seeds": len(seeds),
        **{measure: float(np.mean(values)) for measure, values in by_seed.items()},
        "per_class": {
            label: {
                "f1": float(np.mean([seed["per_class"][label]["f1"] for seed in seeds])),
                "support": seeds[0]["per_class"][label]["support"],
            }
            for label in labels
        },
        "spread": {
            measure: float(np.std(values, ddof=1)) if len(values) > 1 else None
            for measure, values in by_seed.items()
        },
        "by_seed": by_seed,
        "intervals": bootstrap_intervals(true, tags, groups, labels, **drawing),
    }
