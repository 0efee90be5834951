"""Predicts posts, and keeps a projection of what the encoders make of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch.nn import functional

from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters

from .attribution import explain_views, fuse_views
from .dataset import Batch
from .frozen import known_features
from .predict import posts_of, predict_batches, tabulate_predictions

Projected = dict[str, np.ndarray]  # by modality, float32 of shape (posts, dimensions)


def explain_and_project(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
    projections: Mapping[str, np.ndarray],
    features: pa.Table | None = None,
) -> tuple[pd.DataFrame, Projected]:
    """Predict posts as `explain_examples` does, and project the features that it rests on.

    Args:
        classifier: The classifier.
        examples: The posts.
        rows: The rows to predict.
        compute: The device and precision.
        projections: Of each modality, what its features are multiplied with when they are scaled
            to unit length, of shape (size, dimensions).
        features: The same as in `explain_examples`.

    Returns:
        The predictions, and the projected features, NaN where a post lacks the modality.
    """
    model = classifier.model
    weights = {name: torch.from_numpy(values) for name, values in projections.items()}

    def predict(batch: Batch) -> torch.Tensor:
        encoded = model.encode(**batch)
        views = fuse_views(classifier, encoded, batch)
        projected = [_project(encoded[name], batch, name, it) for name, it in weights.items()]
        return torch.cat([views.flatten(1), *projected], dim=1)

    posts = posts_of(
        classifier, examples, rows, known_features(classifier, examples, rows, features)
    )
    sizes = [weight.shape[1] for weight in weights.values()]
    views = 4 if classifier.config.modality == "both" else 1
    results = np.empty((0, views * len(classifier.labels) + sum(sizes)), dtype=np.float32)
    if len(posts):
        results = predict_batches(model, posts, compute, predict)
    ends = np.cumsum([views * len(classifier.labels), *sizes])
    seen, *projected = np.split(results, ends[:-1], axis=1)
    logits, shares, alone = explain_views(
        classifier, seen.reshape(-1, views, len(classifier.labels))
    )
    predictions = tabulate_predictions(classifier, examples, rows, logits)
    predictions = predictions.assign(**shares, **alone)
    return predictions, dict(zip(weights, projected, strict=True))


def _project(
    features: torch.Tensor, batch: Batch, modality: str, weights: torch.Tensor
) -> torch.Tensor:
    """Return projected features of shape (batch, dimensions), NaN where the modality is missing."""
    with torch.autocast(features.device.type, enabled=False):
        projected = functional.normalize(features.float(), dim=1) @ weights.to(features.device)
    mask = batch.get(f"has_{modality}")
    if mask is not None:
        present = torch.from_numpy(np.asarray(mask)).to(features.device)
        projected = torch.where(present.unsqueeze(1), projected, float("nan"))
    return projected
