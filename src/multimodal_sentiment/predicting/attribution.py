"""Attributes predictions to text and image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch.nn import functional

from multimodal_sentiment.assessment import modality_contributions, softmax
from multimodal_sentiment.batches import Batch, PostDataset
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters

from .predict import predict_batches


def predict_with_contributions(
    classifier: SentimentClassifier, posts: PostDataset, compute: ComputeParameters
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the logits of posts, and which modality decided.

    The features are fused four times: with text and image, with either alone and with neither; the
    learnt embeddings stand for what is left out. From these come the Shapley values
    of text and image for the probability of the answer (probability, as `confidence` is one: the
    values are shares of it, and add up to `confidence` less what the model gives the answer when
    it sees nothing). A modality that a post lacks has contributed exactly 0.

    Returns:
        Logits of shape (posts, labels); and for a model of text and image the columns `decided_by`
        (`text`, `image`, `both` if equally, `neither`), `text_contribution` and
        `image_contribution`, -1 to 1.
    """
    views = compute_views(classifier, compute, {}, posts)
    logits, shares, _ = attribute_views(classifier, views)
    return logits, shares


def attribute_views(
    classifier: SentimentClassifier, views: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Attribute answers to text and image, from the logits of each view, of shape (posts, all).

    Returns:
        What `predict_with_contributions` does; and for a model of text and image the columns
        `text_alone` and `image_alone`.
    """
    views = views.reshape(-1, count_views(classifier), len(classifier.labels))
    if classifier.config.modality != "both":
        return views[:, 0], {}, {}
    chances = [
        softmax(views[:, view], classifier.config.calibration_temperature) for view in range(4)
    ]
    values = modality_contributions(*chances)
    shares = {
        "decided_by": values["decided_by"].to_numpy(),
        "text_contribution": values["text_value"].to_numpy(),
        "image_contribution": values["image_value"].to_numpy(),
    }
    labels = np.array(classifier.labels, dtype=object)
    alone = {
        "text_alone": labels[chances[1].argmax(axis=1)],
        "image_alone": labels[chances[2].argmax(axis=1)],
    }
    return views[:, 0], shares, alone


def compute_views(
    classifier: SentimentClassifier,
    compute: ComputeParameters,
    projections: Mapping[str, np.ndarray],
    posts: PostDataset,
) -> np.ndarray:
    """Return the logits of each view and then the projected features, of shape (posts, all).

    The views are those of `_fuse_views`, and the projections those of `predict_and_project`.
    """
    model = classifier.model
    weights = {name: torch.from_numpy(values) for name, values in projections.items()}

    def predict(batch: Batch) -> torch.Tensor:
        encoded = model.encode(**batch)
        views = _fuse_views(classifier, encoded, batch)
        projected = [_project(encoded[name], batch, name, it) for name, it in weights.items()]
        return torch.cat([views.flatten(1), *projected], dim=1)

    if len(posts):
        return predict_batches(model, posts, compute, predict)
    sizes = [weight.shape[1] for weight in weights.values()]
    columns = count_views(classifier) * len(classifier.labels) + sum(sizes)
    return np.empty((0, columns), dtype=np.float32)


def count_views(classifier: SentimentClassifier) -> int:
    """Return in how many ways a model is asked: one of both modalities with each hidden, too."""
    return 4 if classifier.config.modality == "both" else 1


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


def _fuse_views(
    classifier: SentimentClassifier, features: Mapping[str, torch.Tensor], batch: Batch
) -> torch.Tensor:
    """Fuse the features of a batch as they are, and with modalities hidden.

    Returns:
        Logits of shape (batch, 4, labels): with both, text alone, image alone, neither. From a
        model of one modality, (batch, 1, labels).
    """
    coalitions = [(batch.get("has_text"), batch.get("has_image"))]
    if classifier.config.modality == "both":
        rows = len(next(iter(features.values())))
        has_text, has_image = (
            np.ones(rows, dtype=bool) if mask is None else np.asarray(mask)
            for mask in coalitions[0]
        )
        nothing = np.zeros(rows, dtype=bool)
        coalitions = [(has_text, has_image), (has_text, nothing), (nothing, has_image)]
        coalitions.append((nothing, nothing))
    model = classifier.model
    return torch.stack([model.fuse(features, *present).logits for present in coalitions], dim=1)
