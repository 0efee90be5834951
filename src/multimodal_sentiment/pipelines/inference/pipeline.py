"""The unlabelled posts get their tags."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import predict_unlabelled, write_submission


def create_pipeline() -> Pipeline:
    """Predictions of the unlabelled posts, and the file that is handed in."""
    return Pipeline(
        [
            Node(
                predict_unlabelled,
                inputs=["fusion_model", "unlabelled.examples", "params:compute"],
                outputs="unlabelled.predictions",
                name="predict_unlabelled",
                namespace="prediction",
            ),
            Node(
                write_submission,
                inputs=["unlabelled.predictions", "unlabelled.listing"],
                outputs=["submission", "submission_file"],
                name="write_submission",
                namespace="prediction",
            ),
        ]
    )
