"""Nodes of the training pipeline."""

from __future__ import annotations

from pathlib import Path

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters
from multimodal_sentiment.types import Examples, Figure, Frame, Json, SentimentClassifier


def train_model(
    train_posts: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    encoding_profile: Json,
    checkpoints: Path,
    pretrained_encoders: EncoderStore,
    features: Examples,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
) -> tuple[SentimentClassifier, Frame]:
    """Fit the model to the training posts.

    A grouped tenth of them is held out to choose the epoch and the temperature.

    Args:
        train_posts: Names the posts, by `guid`, with their `tag`.
        examples: Holds their texts and pictures.
        duplicate_groups: `guid, group`.
        encoding_profile: Travels with the model.
        checkpoints: A folder for what an interrupted training needs to go on.
        pretrained_encoders: Where those that `model` names are found.
        features: Of the posts, under the encoders that are frozen.
        model: The architecture.
        training: How it is fitted.
        compute: What it runs on.

    Returns:
        The classifier, and its training's history, one row an epoch.
    """
    from multimodal_sentiment.learning import LabelledPosts, fit_classifier

    posts = LabelledPosts.select(train_posts, examples, duplicate_groups)
    return fit_classifier(
        posts,
        encoding_profile,
        model,
        training,
        compute,
        checkpoints,
        pretrained_encoders,
        features,
    )


def plot_learning_curves(training_history: Frame) -> Figure:
    """Losses and tuning metrics over the epochs."""
    from multimodal_sentiment.reporting import plots

    return plots.learning_curves(training_history)
