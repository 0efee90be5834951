"""The fusion model is fitted to the training posts, in one node."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import plot_learning_curves, summarise_validation, train_model


def create_pipeline() -> Pipeline:
    """Create the steps that fit the model, and show how that went."""
    return Pipeline(
        [
            Node(
                train_model,
                inputs=[
                    "train_posts",
                    "labelled.examples",
                    "duplicate_groups",
                    "encoding_profile",
                    "training_checkpoints",
                    "pretrained_encoders",
                    "labelled.features",
                    "params:model",
                    "params:training",
                    "params:compute",
                    "params:cluster",
                ],
                outputs=["fitted_model", "training_history"],
                name="train_model",
                namespace="fitting",
            ),
            Node(
                summarise_validation,
                inputs=[
                    "fitted_model",
                    "validation_posts",
                    "labelled.examples",
                    "labelled.features",
                    "params:compute",
                ],
                outputs="fusion_model",
                name="summarise_validation",
                namespace="fitting",
            ),
            Node(
                plot_learning_curves,
                inputs="training_history",
                outputs="learning_curves",
                name="plot_learning_curves",
                namespace="fitting",
            ),
        ]
    )
