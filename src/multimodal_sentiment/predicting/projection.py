"""Predicts posts, and keeps a projection of what the encoders make of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.batches import PostDataset
from multimodal_sentiment.cluster import MappedTable, compute_rows
from multimodal_sentiment.compute.device import choose_worker_device
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters, ComputeParameters
from multimodal_sentiment.posts.problems import problem, read_problems, write_problems

from .attribution import attribute_views, compute_views, count_views
from .feature_table import known_features
from .predict import posts_of, tabulate_predictions

Projected = dict[str, np.ndarray]  # by modality, float32 of shape (posts, dimensions)


def predict_examples(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
    features: pa.Table | None = None,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> pd.DataFrame:
    """Predict some rows of a table of examples, and say which modality decided.

    Args:
        classifier: The classifier.
        examples: The posts.
        rows: The rows to predict.
        compute: The device and precision.
        features: The features from `encode_examples`; where they are of these posts and of the
            model's frozen encoders, these encoders do not run again.
        cluster: The workers that predict, unless all features are known.

    Returns:
        The columns of `tabulate_predictions`; for a model of text and image also those of
        `predict_with_contributions`, and `text_alone` and `image_alone`: what the model answers
        when it is shown nothing else of a post.
    """
    return predict_and_project(classifier, examples, rows, compute, {}, features, cluster)[0]


def predict_and_project(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
    projections: Mapping[str, np.ndarray],
    features: pa.Table | None = None,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[pd.DataFrame, Projected]:
    """Predict posts as `predict_examples` does, and project the features that it rests on.

    Args:
        classifier: The classifier.
        examples: The posts.
        rows: The rows to predict.
        compute: The device and precision.
        projections: By modality, the matrix that multiplies its features when they are scaled
            to unit length, of shape (size, dimensions).
        features: The same as in `predict_examples`.
        cluster: The same.

    Returns:
        The predictions, and the projected features, NaN where a post lacks the modality.
    """
    computed = partial(compute_views, classifier, compute, projections)
    deadly: list[int] = []

    def answer_nothing(row: np.ndarray) -> np.ndarray:
        deadly.extend(row.tolist())
        return computed(PostDataset(classifier, [""], [None]))

    known = known_features(classifier, examples, rows, features)
    is_encoded = known is not None and classifier.model.branches.keys() <= known.keys()
    if is_encoded or not cluster.workers:
        results = computed(posts_of(classifier, examples, rows, known))
    else:
        settled = choose_worker_device(compute, cluster).ask_for(compute)
        part = partial(_compute_part, classifier, MappedTable(examples), settled, projections)
        results = compute_rows(part, rows, cluster, "Predicting", answer_nothing)
    views = count_views(classifier) * len(classifier.labels)
    sizes = [views, *(it.shape[1] for it in projections.values())]
    seen, *projected = np.split(results, np.cumsum(sizes)[:-1], axis=1)
    logits, shares, alone = attribute_views(classifier, seen)
    predictions = tabulate_predictions(classifier, examples, rows, logits)
    predictions = predictions.assign(**shares, **alone)
    for place in np.flatnonzero(np.isin(rows, deadly)).tolist():
        told = read_problems(str(predictions.at[place, "problems"]))
        predictions.at[place, "problems"] = write_problems([*told, problem("prediction_deadly")])
    return predictions, dict(zip(projections, projected, strict=True))


def _compute_part(
    classifier: SentimentClassifier,
    examples: MappedTable,
    compute: ComputeParameters,
    projections: Mapping[str, np.ndarray],
    rows: np.ndarray,
) -> np.ndarray:
    posts = posts_of(classifier, examples.table, rows)
    return compute_views(classifier, compute, projections, posts)
