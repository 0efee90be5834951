"""How well predicted tags agree with the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)


def classification_metrics(
    true: ArrayLike, predicted: ArrayLike, labels: Sequence[str]
) -> dict[str, Any]:
    """Score predicted tags: `n`, `accuracy`, `macro_f1`, `weighted_f1` and `per_class`.

    What has no cases to be computed from is 0: the precision of a label that is never predicted,
    the recall of one that is never true (its `support` of 0 tells). The macro mean leaves out the
    labels that occur in neither `true` nor `predicted`, as scikit-learn's own default does.

    Args:
        true: Tags of shape (n,).
        predicted: Tags of shape (n,), in the same order.
        labels: Every label a tag may be.

    Returns:
        Plain numbers, ready for JSON.

    Raises:
        ValueError: There are no posts, or a tag is not one of `labels`.
    """
    truth, answer = class_indices(true, labels), class_indices(predicted, labels)
    if not len(truth):
        raise ValueError("no posts to score: give at least one true and one predicted tag")
    classes = range(len(labels))
    per_class = zip(
        labels,
        *precision_recall_fscore_support(truth, answer, labels=classes, zero_division=0),
        strict=True,
    )
    average = {"labels": classes, "zero_division": np.nan}
    return {
        "n": len(truth),
        "accuracy": float(accuracy_score(truth, answer)),
        "macro_f1": float(f1_score(truth, answer, average="macro", **average)),
        "weighted_f1": float(f1_score(truth, answer, average="weighted", **average)),
        "per_class": {
            label: {
                "precision": float(precision),
                "recall": float(recall),
                "f1": float(f1),
                "support": int(support),
            }
            for label, precision, recall, f1, support in per_class
        },
    }


def confusion(true: ArrayLike, predicted: ArrayLike, labels: Sequence[str]) -> pd.DataFrame:
    """Count posts by true label (rows) and predicted label (columns), both in `labels`' order."""
    truth, answer = class_indices(true, labels), class_indices(predicted, labels)
    counts = (
        confusion_matrix(truth, answer, labels=range(len(labels)))
        if len(truth)
        else np.zeros((len(labels), len(labels)), dtype=int)  # scikit-learn refuses empty input
    )
    return pd.DataFrame(
        counts, index=pd.Index(labels, name="true"), columns=pd.Index(labels, name="predicted")
    )


def class_indices(tags: ArrayLike, labels: Sequence[str]) -> np.ndarray:
    """Give each tag's position in `labels`, in an array of the shape of `tags`.

    Raises:
        ValueError: A tag is not one of `labels`.
    """
    array = np.asarray(tags, dtype=object)
    indices = pd.Categorical(array.ravel(), categories=list(labels)).codes
    unknown = array.ravel()[indices < 0]
    if len(unknown):
        raise ValueError(f"unknown tag {unknown[0]!r}: choose one of {', '.join(labels)}")
    return indices.astype(int).reshape(array.shape)
