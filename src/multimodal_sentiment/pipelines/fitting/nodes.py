"""Nodes of the fitting pipeline."""

from __future__ import annotations

from pathlib import Path

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
)
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
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[SentimentClassifier, Frame]:
    """Fit the model to the training posts.

    Heads of a pool are solved on all of them, and grouped folds choose. Of what is trained by
    gradient descent, a held-out part of the posts chooses the epoch and the temperature.

    Args:
        train_posts: Names the posts, by `guid`, with their `tag`.
        examples: Their texts and images.
        duplicate_groups: `guid, group`.
        encoding_profile: Travels with the model.
        checkpoints: A folder for what an interrupted training needs to go on.
        pretrained_encoders: The store of the encoders that `model` names.
        features: The features of the posts under the encoders that are frozen.
        model: The architecture.
        training: The training parameters.
        compute: The device and precision.
        cluster: The workers that share a training by gradient descent.

    Returns:
        The classifier, and its training's history: one row for each epoch, or for each strength of
        regularisation that was tried.
    """
    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.learning import fit_classifier

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
        cluster,
    )


def summarise_validation(
    fitted_model: SentimentClassifier,
    validation_posts: Frame,
    examples: Examples,
    features: Examples,
    compute: ComputeParameters,
) -> SentimentClassifier:
    """Give the model a bounded summary of the validation posts, with which to compare new ones.

    It holds no text, and chooses nothing.

    Args:
        fitted_model: The model, which has not seen these posts.
        validation_posts: Names them, by `guid`.
        examples: Their texts and images.
        features: The features of the posts under the encoders that are frozen.
        compute: The device and precision.
    """
    from multimodal_sentiment.batches import rows_of
    from multimodal_sentiment.predicting import with_validation_summary

    rows = rows_of(validation_posts["guid"], examples)
    return with_validation_summary(fitted_model, examples, rows, compute, features)


def plot_learning_curves(training_history: Frame) -> Figure:
    """Draw the losses over the epochs, or over the strengths of regularisation."""
    from multimodal_sentiment.reporting import charts, kedro_viz

    return kedro_viz.draw("Learning curves", *charts.training_curves(training_history))
