"""What is said of predictions whose true tags are known: scores, with how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import bootstrap_intervals
from .metrics import classification_metrics
from .paired_tests import compare_variants
from .summary import judge_difference


def judge_predictions(
    true: ArrayLike, predicted: ArrayLike, groups: ArrayLike, labels: Sequence[str], **drawing: Any
) -> dict[str, Any]:
    """Score predicted tags, with intervals.

    Args:
        true: Tags of shape (n,).
        predicted: Tags of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        **drawing: `samples`, `level` and `seed` of `bootstrap_intervals`.

    Returns:
        What `classification_metrics` returns, and `intervals` and `accuracy_interval`.
    """
    intervals = bootstrap_intervals(true, predicted, groups, labels, **drawing)
    scores = classification_metrics(true, predicted, labels)
    return scores | {"intervals": intervals, "accuracy_interval": intervals["accuracy"]}


def judge_without(
    left_out: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    **drawing: Any,
) -> dict[str, Any]:
    """Say what accuracy is left without some of the posts, such as twins of training posts.

    Args:
        left_out: A mask of the posts that are left out, of shape (n,).
        true: Tags of shape (n,).
        predicted: Tags of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        **drawing: `samples`, `level` and `seed` of `bootstrap_intervals`.

    Returns:
        `posts`, how many are left out; and under `without` the `n`, `accuracy` and
        `accuracy_interval` of the others, None if none are left out or none are left.
    """
    kept = ~np.asarray(left_out, dtype=bool)
    is_part = kept.any() and not kept.all()
    rest = judge_part(kept, true, predicted, groups, labels, **drawing) if is_part else None
    return {"posts": int((~kept).sum()), "without": rest}


def judge_part(
    chosen: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    **drawing: Any,
) -> dict[str, Any]:
    """Say how accurate predicted tags are on a part of the posts, which may be small.

    Args:
        chosen: A mask of the posts of this part, at least one, of shape (n,).
        true: Tags of shape (n,).
        predicted: Tags of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        **drawing: `samples`, `level` and `seed` of `bootstrap_intervals`.

    Returns:
        `n`, `accuracy` and `accuracy_interval`.
    """
    part = np.asarray(chosen, dtype=bool)
    tags, answers = (np.asarray(values, dtype=object)[part] for values in (true, predicted))
    intervals = bootstrap_intervals(tags, answers, np.asarray(groups)[part], labels, **drawing)
    return {
        "n": len(tags),
        "accuracy": float((tags == answers).mean()),
        "accuracy_interval": intervals["accuracy"],
    }


def compare_answers(
    true: ArrayLike,
    answers: Mapping[str, ArrayLike],
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    margin: float,
    **drawing: Any,
) -> list[dict[str, Any]]:
    """Compare the first of several lists of answers with each other one.

    Args:
        true: Tags of shape (n,).
        answers: By name, tags of shape (n,).
        groups: Each post's group, of shape (n,); twins share one.
        labels: Every label a tag may be.
        margin: The largest difference of accuracy that does not matter.
        **drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        Per other one what `compare_variants` gives, and the `verdict` on the accuracy.
    """
    first, *others = answers
    tags = {name: np.asarray(given, dtype=object)[None] for name, given in answers.items()}
    pairs = compare_variants(
        true, tags, [(first, other) for other in others], groups, labels, **drawing
    )
    units, level = len(np.unique(np.asarray(groups))), drawing["level"]
    return [
        pair | {"verdict": judge_difference(pair["accuracy"], units, level, margin)}
        for pair in pairs
    ]
