"""The unlabelled posts get their tags."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .judging import judge_test_posts, plot_test_confusion
from .nodes import add_answers, match_model, plot_predictions, predict_unlabelled, write_submission


def create_pipeline() -> Pipeline:
    """Create the steps that predict the unlabelled posts, judge them, and write the file."""
    return Pipeline(
        [
            Node(
                match_model,
                inputs=["fusion_model", "unlabelled.examples"],
                outputs="matched_model",
                name="match_model",
                namespace="prediction",
            ),
            Node(
                predict_unlabelled,
                inputs=[
                    "matched_model",
                    "unlabelled.examples",
                    "params:compute",
                    "params:cluster",
                ],
                outputs=["unlabelled.predictions", "unlabelled.projections"],
                name="predict_unlabelled",
                namespace="prediction",
            ),
            Node(
                plot_predictions,
                inputs="unlabelled.predictions",
                outputs="predicted_tags",
                name="plot_predictions",
                namespace="prediction",
            ),
            Node(
                judge_test_posts,
                inputs=[
                    "unlabelled.predictions",
                    "matched_model",
                    "unlabelled.examples",
                    "params:evaluation",
                    "params:twins",
                ],
                outputs="test_metrics",
                name="judge_test_posts",
                namespace="prediction",
            ),
            Node(
                plot_test_confusion,
                inputs=["unlabelled.predictions", "test_metrics"],
                outputs="test_confusion_matrix",
                name="plot_test_confusion",
                namespace="prediction",
            ),
            Node(
                write_submission,
                inputs=["unlabelled.predictions", "unlabelled.listing"],
                outputs=["submission", "submission_file"],
                name="write_submission",
                namespace="prediction",
            ),
            Node(
                add_answers,
                inputs=["unlabelled.predictions", "unlabelled.tables"],
                outputs="answered_tables",
                name="add_answers",
                namespace="prediction",
            ),
        ]
    )
